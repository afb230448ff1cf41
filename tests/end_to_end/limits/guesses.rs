//! A3: who presents what is not ours again and again is held up, and somebody is told.

use std::collections::BTreeMap;

use http::StatusCode;
use reqwest::{Client, Response, redirect::Policy};
use sandbox::{Options, Sandbox};

use crate::common;

/// A sandbox in which an address may guess three times, and then every hundred seconds.
async fn build() -> std::sync::Arc<Sandbox> {
    let limit = ("LIMIT_GUESS".to_owned(), "0.01/3".to_owned());
    let environment =
        BTreeMap::from([("OauthCallbackFunction".to_owned(), BTreeMap::from([limit]))]);
    common::start_with(Options {
        environment,
        ..Options::default()
    })
    .await
}

fn client() -> Client {
    let client = Client::builder().no_proxy().redirect(Policy::none());
    client.build().unwrap()
}

fn random(number: usize) -> String {
    format!("{number:0>43}")
}

/// One guess of each sort, in turn.
async fn guess(sandbox: &Sandbox, number: usize) -> Response {
    let at = |path: &str| sandbox.api_url.join(path).unwrap();
    let (client, secret) = (client(), random(number));
    let request = match number % 4 {
        0 => client
            .post(at("/connect/start"))
            .header("origin", &sandbox.app_origin)
            .form(&[("token", secret.as_str()), ("connector", "salesforce")]),
        1 => client.get(at(&format!("/auth/callback?state={secret}&code=x"))),
        2 => client.get(at(&format!(
            "/connect/callback/salesforce?state={secret}&code=x"
        ))),
        _ => client
            .post(at("/auth/token"))
            .header("origin", &sandbox.app_origin)
            .header("cookie", format!("__Host-tributary-session={secret}")),
    };
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a3_guesses_are_limited_by_where_they_come_from_and_raise_an_alarm() {
    let sandbox = build().await;
    let mut answers = Vec::new();
    for number in 0..12 {
        let answer = guess(&sandbox, number).await;
        let wait = answer.headers().get("retry-after").cloned();
        answers.push((answer.status(), wait));
    }
    let held_up = answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::TOO_MANY_REQUESTS);
    assert!(held_up.clone().count() >= 6, "{answers:?}");
    for (_, wait) in held_up {
        let seconds: u32 = wait.as_ref().unwrap().to_str().unwrap().parse().unwrap();
        assert!((1..=100).contains(&seconds), "{seconds}");
    }
    assert!(
        answers[..3]
            .iter()
            .all(|(status, _)| status.is_client_error()
                && *status != StatusCode::TOO_MANY_REQUESTS),
        "{answers:?}"
    );
    // Held up whatever comes next from there, before it is looked at.
    let next = client()
        .get(sandbox.api_url.join("/auth/login").unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(next.status(), StatusCode::TOO_MANY_REQUESTS);
    let log = sandbox.logs.text();
    assert!(log.contains("\"security.event\":\"guessing\""), "{log}");
    assert!(log.contains("\"GuessesRefused\":1"), "{log}");
    for line in sandbox.logs.lines_of("OauthCallbackFunction") {
        assert!(
            !line.contains("127.0.0.1:") || line.contains("http://"),
            "{line}"
        );
        assert!(!line.contains("sourceIp"), "{line}");
        assert!(!line.contains(&random(0)), "{line}");
    }
    common::no_leaks(&sandbox).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a3_who_has_no_session_yet_does_not_guess() {
    let sandbox = build().await;
    for _ in 0..8 {
        let asked = client()
            .post(sandbox.api_url.join("/auth/token").unwrap())
            .header("origin", &sandbox.app_origin)
            .send()
            .await
            .unwrap();
        assert_eq!(asked.status(), StatusCode::UNAUTHORIZED);
    }
    common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
}

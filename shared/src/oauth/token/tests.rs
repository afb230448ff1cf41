use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Mutex,
};

use super::*;
use crate::{
    connection::tests::connection,
    oauth::{Endpoint, OurTokens, TokenBundle, http::HostOrigin, provider::provider},
};

/// Answers each connection with these bytes and keeps what was sent.
async fn server(answer: &'static str) -> (Endpoint, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut chunk = [0u8; 4096];
            while !is_whole(&request) {
                let read = stream.read(&mut chunk).await.unwrap();
                if read == 0 {
                    break;
                }
                request.extend_from_slice(&chunk[..read]);
            }
            log.lock()
                .await
                .push(String::from_utf8_lossy(&request).into_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (base.parse().unwrap(), seen)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    body.len() >= length
}

async fn refresh(client: &TokenClient) -> TokenOutcome {
    let bundle = TokenBundle {
        access_token: Secret::new("a"),
        refresh_token: Some(Secret::new("r")),
    };
    let tokens = OurTokens::of(&connection(), bundle).unwrap();
    client.refresh(tokens.refresh_token().unwrap()).await
}

fn client(host: &Endpoint) -> TokenClient {
    let salesforce = provider("salesforce").unwrap();
    TokenClient::new(
        salesforce,
        salesforce.endpoints(host),
        App::public("client"),
        TokenHttp::new(HostOrigin::Configured).unwrap(),
    )
}

macro_rules! answer {
    ($status:literal, $body:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n",
            $body
        )
    };
}

#[tokio::test]
async fn c4_an_exchange_sends_code_verifier_and_redirect_uri_in_the_body() {
    let (host, seen) = server(answer!(
        "200 OK",
        r#"{"access_token":"a","refresh_token":"r"}"#
    ))
    .await;
    let outcome = client(&host)
        .exchange(
            &Secret::new("the-code"),
            &Secret::new("the-verifier"),
            "https://api.example/cb",
        )
        .await;
    assert!(matches!(outcome, TokenOutcome::Answered(_)), "{outcome:?}");
    let requests = seen.lock().await;
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /services/oauth2/token HTTP/1.1"),
        "{head}"
    );
    for part in [
        "grant_type=authorization_code",
        "code=the-code",
        "code_verifier=the-verifier",
        "client_id=client",
        "redirect_uri=https%3A%2F%2Fapi.example%2Fcb",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn r6_a_lost_or_truncated_answer_is_a_question_and_not_a_failure() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"access_token\":",
        answer!("500 Internal Server Error", ""),
        answer!("502 Bad Gateway", "<html>"),
    ] {
        let (host, seen) = server(answer).await;
        let outcome = refresh(&client(&host)).await;
        assert!(
            matches!(outcome, TokenOutcome::Unknown { body: None, .. }),
            "{answer}: {outcome:?}"
        );
        assert_eq!(seen.lock().await.len(), 1, "one attempt");
    }
}

#[tokio::test]
async fn an_unreadable_success_is_kept() {
    let (host, _) = server(answer!("200 OK", "access_token=a&refresh_token=r")).await;
    let outcome = refresh(&client(&host)).await;
    let TokenOutcome::Unknown {
        body: Some(body), ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert!(body.expose().contains("refresh_token=r"));
}

#[tokio::test]
async fn a_host_that_is_not_there_leaves_the_token_untouched() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host: Endpoint = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let outcome = refresh(&client(&host)).await;
    assert!(
        matches!(outcome, TokenOutcome::NotSent { .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn redirects_are_never_followed() {
    let (target, followed) = server(answer!("200 OK", r#"{"access_token":"a"}"#)).await;
    let answer: &'static str = Box::leak(
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {target}/steal\r\nconnection: close\r\n\r\n").into_boxed_str(),
    );
    let (host, _) = server(answer).await;
    let outcome = refresh(&client(&host)).await;
    assert!(
        matches!(
            outcome,
            TokenOutcome::Refused(TokenFailure::OurConfiguration("redirected"))
        ),
        "{outcome:?}"
    );
    assert!(followed.lock().await.is_empty());
}

#[tokio::test]
async fn a_flood_of_bytes_is_cut_off() {
    let flood: &'static str = Box::leak(
        format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
            "x".repeat(200_000)
        )
        .into_boxed_str(),
    );
    let (host, _) = server(flood).await;
    let outcome = refresh(&client(&host)).await;
    assert!(
        matches!(outcome, TokenOutcome::Unknown { .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn introspection_and_revocation_say_what_is_proven() {
    let token = Secret::new("r");
    for (answer, expected) in [
        (
            answer!(
                "200 OK",
                r#"{"active":true,"exp":1767232800,"iat":1767225600}"#
            ),
            Introspection::Active {
                life: Some(SignedDuration::from_hours(2)),
            },
        ),
        (
            answer!(
                "200 OK",
                r#"{"active":true,"exp":1767225600,"iat":1767225600}"#
            ),
            Introspection::Active { life: None },
        ),
        (
            answer!("200 OK", r#"{"active":true,"exp":1767232800}"#),
            Introspection::Active { life: None },
        ),
        (
            answer!("200 OK", r#"{"active":false}"#),
            Introspection::Inactive,
        ),
        (
            answer!("200 OK", r#"{"active":"yes"}"#),
            Introspection::Unknown,
        ),
        (
            answer!("401 Unauthorized", r#"{"error":"invalid_client"}"#),
            Introspection::Unknown,
        ),
    ] {
        let (host, _) = server(answer).await;
        assert_eq!(client(&host).introspect(&token).await, expected, "{answer}");
    }
    for (answer, expected) in [
        (answer!("200 OK", ""), Revocation::Done),
        (
            answer!("400 Bad Request", r#"{"error":"invalid_token"}"#),
            Revocation::Done,
        ),
        (answer!("503 Service Unavailable", ""), Revocation::Unknown),
    ] {
        let (host, _) = server(answer).await;
        assert_eq!(client(&host).revoke(&token).await, expected, "{answer}");
    }
}

#[tokio::test]
async fn r9_a_sessions_token_goes_to_the_identity_provider_only() {
    let (host, seen) = server(answer!("200 OK", r#"{"access_token":"a"}"#)).await;
    let outcome = client(&host).refresh_session(&Secret::new("r")).await;
    assert!(
        matches!(outcome, TokenOutcome::NotSent { .. }),
        "{outcome:?}"
    );
    assert_eq!(seen.lock().await.len(), 0);
}

//! The callback: once, in the browser that left, as the person who left, from the provider that was
//! asked; and one attempt at the exchange.

use reqwest::{Method, StatusCode, header};
use sandbox::browser::Browser;
use sandbox_core::Fault;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use url::Url;

use super::world::{TOKEN, World, code, result, send, told};

/// What every callback that does not fit is answered with.
const REFUSED: (u16, &str) = (403, "consent_refused");

fn same(refused: &(u16, String), expected: (u16, &str)) -> bool {
    (refused.0, refused.1.as_str()) == expected
}

/// C5: of fifty at once one succeeds, the others get one and the same refusal, and the provider sees
/// one exchange.
#[tokio::test(flavor = "multi_thread")]
async fn c5_of_fifty_callbacks_with_one_state_exactly_one_succeeds() {
    let world = World::start().await;
    let (connection, start) = world.ask().await;
    let callback = world.allowed(&start).await;
    let cookies = world
        .frank()
        .browser
        .cookies_for(&world.sandbox.api_url)
        .unwrap();
    let mut all = JoinSet::new();
    for _ in 0..50 {
        let (callback, cookies) = (callback.clone(), cookies.clone());
        all.spawn(async move {
            let answer = send(Method::GET, &callback, &[(header::COOKIE, &cookies)]).await;
            match answer.headers().get(header::LOCATION) {
                Some(to) => Ok(to.to_str().unwrap().to_owned()),
                None => Err(code(answer).await),
            }
        });
    }
    let answers = all.join_all().await;
    let won: Vec<&String> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().ok())
        .collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    assert!(won[0].contains("result=connected"), "{won:?}");
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(same(refused, REFUSED), "{refused:?}");
    }
    assert_eq!(world.sandbox.salesforce.token_counters().exchanges, 1);
    assert_eq!(world.seen(&connection).await["state"], "active");
    world.end().await;
}

/// C7: without the cookie of the browser that left nothing is taken; with the cookie but another
/// person's session, or none, nothing is exchanged.
#[tokio::test(flavor = "multi_thread")]
async fn c7_a_callback_in_another_browser_or_by_another_person_is_refused() {
    let world = World::start().await;
    let (connection, start) = world.ask().await;
    let callback = world.allowed(&start).await;
    let again = world.sandbox.sign_in("frank").await.unwrap();
    for browser in [
        &Browser::new().unwrap(),
        &world.tenant.people["ming"].browser,
        &again.browser,
    ] {
        let page = browser.get(&callback).await.unwrap();
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    }
    assert_eq!(world.sandbox.salesforce.token_counters().exchanges, 0);
    let page = world.frank().browser.get(&callback).await.unwrap();
    assert_eq!(
        result(&page),
        told("connected", "connected"),
        "the strangers used nothing up"
    );
    assert_eq!(world.sandbox.salesforce.token_counters().exchanges, 1);

    // The victim's browser was made to carry the transaction cookie: the session still tells them apart.
    let before = world.record(&connection).await;
    for session_of in ["ming", "nobody"] {
        let callback = world.allowed(&world.ask_again(&connection).await).await;
        let frank = world
            .frank()
            .browser
            .cookies_for(&world.sandbox.api_url)
            .unwrap();
        let transaction: Vec<&str> = frank
            .split("; ")
            .filter(|cookie| !cookie.contains("-session="))
            .collect();
        let mut cookies: Vec<String> = transaction
            .iter()
            .map(|cookie| (*cookie).to_owned())
            .collect();
        if let Some(person) = world.tenant.people.get(session_of) {
            cookies.push(person.browser.cookies_for(&world.sandbox.api_url).unwrap());
        }
        let refused = code(
            send(
                Method::GET,
                &callback,
                &[(header::COOKIE, &cookies.join("; "))],
            )
            .await,
        )
        .await;
        assert!(same(&refused, REFUSED), "{session_of}: {refused:?}");
    }
    assert_eq!(world.sandbox.salesforce.token_counters().exchanges, 1);
    assert_eq!(world.record(&connection).await, before, "nothing is stored");
    world.end().await;
}

/// C6: a state lives ten minutes.
#[tokio::test(flavor = "multi_thread")]
async fn c6_a_callback_that_comes_too_late_is_refused_and_nothing_is_exchanged() {
    let world = World::start().await;
    let (connection, start) = world.ask().await;
    let callback = world.allowed(&start).await;
    let items = world.sandbox.table_items().await;
    let states: Vec<&Value> = items
        .iter()
        .filter(|item| item["sk"]["S"] == "STATE")
        .collect();
    assert_eq!(states.len(), 1);
    world
        .change(
            states[0],
            "SET #e = :e",
            json!({ "#e": "expires_at" }),
            json!({ ":e": { "N": "1" } }),
        )
        .await;
    let page = world.frank().browser.get(&callback).await.unwrap();
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    assert_eq!(world.sandbox.salesforce.token_counters().exchanges, 0);
    assert_eq!(world.seen(&connection).await["state"], "pending");
    world.end().await;
}

/// Rules C1, C6 and C7 of the OAuth checklist: doubled parameters, another issuer, another provider's path.
#[tokio::test(flavor = "multi_thread")]
async fn mixed_up_and_malformed_callbacks_are_refused_without_an_exchange() {
    let world = World::start().await;
    let (connection, start) = world.ask().await;
    let callback = world.allowed(&start).await;
    let browser = &world.frank().browser;
    let with = |more: &str| -> Url { format!("{callback}&{more}").parse().unwrap() };
    let query = callback.query().unwrap();
    let state = format!(
        "state={}",
        callback
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap()
            .1
    );
    let mut none_of_these = callback.clone();
    none_of_these.set_query(Some(&state));
    for malformed in [
        with("code=echo-canary"),
        with(&state),
        with("error=access_denied"),
        with("iss=a&iss=b"),
        none_of_these,
    ] {
        let page = browser.get(&malformed).await.unwrap();
        assert_eq!(
            page.status,
            StatusCode::BAD_REQUEST,
            "{malformed}: {}",
            page.body
        );
        assert!(
            !page.body.contains("echo-canary"),
            "nothing is echoed: {}",
            page.body
        );
    }
    let elsewhere = world
        .sandbox
        .api_url
        .join(&format!("/connect/callback/slack?{query}"))
        .unwrap();
    let page = browser.get(&elsewhere).await.unwrap();
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.body);
    let cookies = browser.cookies_for(&world.sandbox.api_url).unwrap();
    let head = send(Method::HEAD, &callback, &[(header::COOKIE, &cookies)]).await;
    assert!(head.status().is_client_error(), "{}", head.status());
    assert_eq!(world.sandbox.salesforce.token_counters().exchanges, 0);

    // All of these left the state alone; another issuer is an attack and does not.
    let page = browser
        .get(&with("iss=https%3A%2F%2Fevil.example"))
        .await
        .unwrap();
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    assert!(!page.body.contains("evil.example"), "{}", page.body);
    let page = browser.get(&callback).await.unwrap();
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    assert_eq!(world.sandbox.salesforce.token_counters().exchanges, 0);

    let callback = world.allowed(&world.ask_again(&connection).await).await;
    let issuer = world.sandbox.salesforce_url.origin().ascii_serialization();
    let mut right = callback.clone();
    right.query_pairs_mut().append_pair("iss", &issuer);
    assert_eq!(
        result(&browser.get(&right).await.unwrap()),
        told("connected", "connected")
    );
    world.end().await;
}

/// C11: whatever happens to the exchange, the code is presented once, the person is told to start
/// again, nothing is half made, and starting again works.
#[tokio::test(flavor = "multi_thread")]
async fn c11_a_failed_exchange_leaves_no_half_made_connection_and_is_never_repeated() {
    let world = World::start().await;
    let (connection, mut start) = world.ask().await;
    let browser = &world.frank().browser;
    let out_of_order = |status| Fault::Status {
        status,
        retry_after: None,
        body: "<html>down</html>".to_owned(),
    };
    let faults = [
        Fault::DropAfter,
        Fault::Truncate,
        Fault::DropBefore,
        out_of_order(500),
        out_of_order(503),
    ];
    for fault in faults {
        let before = world.sandbox.journal.count("salesforce", TOKEN);
        world.fault("salesforce", TOKEN, fault.clone(), 1);
        let callback = world.allowed(&start).await;
        let page = browser.get(&callback).await.unwrap();
        assert_eq!(
            result(&page),
            told("failed", "provider_unavailable"),
            "{fault:?}"
        );
        let again = browser.get(&callback).await.unwrap();
        assert_eq!(
            again.status,
            StatusCode::FORBIDDEN,
            "{fault:?}: {}",
            again.body
        );
        assert_eq!(
            world.sandbox.journal.count("salesforce", TOKEN),
            before + 1,
            "{fault:?}"
        );
        let seen = world.seen(&connection).await;
        assert_eq!(seen["state"], "pending", "{fault:?}: {seen}");
        let record = world.record(&connection).await;
        assert!(
            !record.has("bundle") && !record.has("due_at"),
            "{fault:?}: {}",
            record.0
        );
        start = world.ask_again(&connection).await;
    }
    assert_eq!(world.consent(&start).await, told("connected", "connected"));
    assert_eq!(world.seen(&connection).await["state"], "active");
    world.end().await;
}

/// Rules C11 and C12 of the OAuth checklist: every answer is strict, refusals and unknown addresses too.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_that_a_browser_gets_has_strict_headers() {
    let world = World::start().await;
    let (_, start) = world.ask().await;
    let browser = &world.frank().browser;
    let begun = browser.get(&start).await.unwrap();
    let used = browser.get(&start).await.unwrap();
    let refused = browser
        .get(
            &world
                .sandbox
                .api_url
                .join("/connect/callback/salesforce?code=a&state=b")
                .unwrap(),
        )
        .await
        .unwrap();
    let unknown = browser
        .get(&world.sandbox.api_url.join("/connect/nowhere").unwrap())
        .await
        .unwrap();
    let callback = world
        .allowed(&world.ask_again(&world.ask().await.0).await)
        .await;
    let finished = browser.get(&callback).await.unwrap();
    assert_eq!(result(&finished), told("connected", "connected"));
    let to = finished.location.as_ref().unwrap().as_str();
    assert!(
        !to.contains("code=aPrx") && !to.contains("state="),
        "neither code nor state travels on: {to}"
    );
    for page in [begun, used, refused, unknown, finished] {
        for (name, expected) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(
                page.headers[name],
                expected,
                "{name} of {} {}",
                page.status,
                page.url.path()
            );
        }
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(
            page.headers["strict-transport-security"]
                .to_str()
                .unwrap()
                .starts_with("max-age=")
        );
        assert!(
            page.status != StatusCode::TEMPORARY_REDIRECT
                && page.status != StatusCode::PERMANENT_REDIRECT
        );
    }
    world.end().await;
}

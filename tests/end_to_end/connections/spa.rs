//! Single-page applications: connect tokens, and results that need no window.

use reqwest::{Method, StatusCode, header};
use sandbox::browser::{Browser, Page};
use serde_json::{Value, json};
use url::Url;

use super::world::{World, code, result, send, told};

impl World {
    async fn token(&self, body: Value) -> Value {
        let made = self.frank().api.post("/v1/connect-tokens", &body).await;
        made.unwrap().expect(201).unwrap()
    }

    fn start_url(&self) -> Url {
        self.sandbox.api_url.join("/connect/start").unwrap()
    }

    async fn present(&self, browser: &Browser, origin: &str, form: &[(&str, &str)]) -> Page {
        browser
            .post_form_from(origin, &self.start_url(), form)
            .await
            .unwrap()
    }
}

/// C1, C2: a token is short, single-use, stored as a hash, and of use to its own page and connector
/// only; a refusal leaves it as it was.
#[tokio::test(flavor = "multi_thread")]
async fn c1_c2_a_connect_token_opens_once_from_its_own_page_for_its_own_connector() {
    let world = World::start().await;
    let (connection, _) = world.ask().await;
    let origin = world.sandbox.app_origin.clone();
    let made = world
        .token(json!({ "connectors": ["salesforce"], "origin": origin, "subject": "user-17" }))
        .await;
    let token = made["token"].as_str().unwrap();
    let expires: jiff::Timestamp = made["expiresAt"].as_str().unwrap().parse().unwrap();
    let minutes = expires.duration_since(jiff::Timestamp::now()).as_mins();
    assert!((10..=15).contains(&minutes), "{minutes}");
    let items = format!("{:?}", world.sandbox.table_items().await);
    assert!(!items.contains(token), "only a hash is stored");

    // The user of the application has no session of ours.
    let browser = Browser::new().unwrap();
    let good = [("token", token), ("connection", connection.as_str())];
    let evil = world.present(&browser, "https://evil.example", &good).await;
    assert_eq!(evil.status, StatusCode::FORBIDDEN, "{}", evil.body);
    let wrong = [good[0], good[1], ("connector", "service-now")];
    let wrong = world.present(&browser, &origin, &wrong).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN, "{}", wrong.body);
    assert!(
        wrong.body.contains("connect_token_refused"),
        "{}",
        wrong.body
    );
    let doubled = [good[0], good[0], good[1]];
    let doubled = world.present(&browser, &origin, &doubled).await;
    assert_eq!(doubled.status, StatusCode::BAD_REQUEST);

    let onward = world.present(&browser, &origin, &good).await;
    assert_eq!(onward.status, StatusCode::SEE_OTHER, "{}", onward.body);
    let provider = onward.location.unwrap();
    let admin = world.sandbox.salesforce_admin();
    let callback = world.decide(&browser, &provider, "allow", &admin).await;

    let spent = world.present(&browser, &origin, &good).await;
    assert_eq!(spent.status, StatusCode::NOT_FOUND, "{}", spent.body);
    let foreign = Browser::new().unwrap().get(&callback).await.unwrap();
    assert_eq!(
        foreign.status,
        StatusCode::FORBIDDEN,
        "C7: {}",
        foreign.body
    );

    let page = browser.get(&callback).await.unwrap();
    assert_eq!(result(&page), told("connected", "connected"));
    let attempt = made["attemptId"].as_str().unwrap();
    assert_eq!(page.redirect_parameter("attempt").as_deref(), Some(attempt));
    let path = format!("/v1/connections/{connection}/attempts/{attempt}");
    let seen = world
        .frank()
        .api
        .get(&path)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(
        (&seen["state"], &seen["result"]),
        (&json!("finished"), &json!("connected"))
    );
    assert_eq!(world.seen(&connection).await["state"], "active");
    world.end().await;
}

/// C3: an origin is equal or it is not; a missing or doubled one is refused too.
#[tokio::test(flavor = "multi_thread")]
async fn c3_near_misses_of_an_origin_are_refused_and_leave_the_token() {
    let world = World::start().await;
    let (connection, _) = world.ask().await;
    let origin = world.sandbox.app_origin.clone();
    let made = world
        .token(json!({ "connection": connection, "origin": origin }))
        .await;
    let token = made["token"].as_str().unwrap();
    let body = format!("token={token}");
    let (host, port) = origin.rsplit_once(':').unwrap();
    for near in [
        format!("{origin}.evil.com"),
        origin.replace("http://", "https://"),
        host.to_owned(),
        format!("{host}:1{port}"),
        format!("{origin}/"),
        origin.to_uppercase(),
        "null".to_owned(),
        String::new(),
        // Ours, and not the token's.
        world.sandbox.api_url.origin().ascii_serialization(),
    ] {
        let answer = world
            .present(&Browser::new().unwrap(), &near, &[("token", token)])
            .await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{near}: {}",
            answer.body
        );
    }
    let form = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let bare = || {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client
            .post(world.start_url())
            .header(form.0.clone(), form.1)
            .body(body.clone())
    };
    for request in [
        bare(),
        bare()
            .header(header::ORIGIN, origin.as_str())
            .header(header::ORIGIN, "https://evil.example"),
    ] {
        let (status, refused) = code(request.send().await.unwrap()).await;
        assert_eq!((status, refused.as_str()), (403, "origin_refused"));
    }
    let get = send(Method::HEAD, &world.start_url(), &[]).await;
    assert!(get.status().is_client_error());
    let page = world
        .present(&Browser::new().unwrap(), &origin, &[("token", token)])
        .await;
    assert_eq!(
        page.status,
        StatusCode::SEE_OTHER,
        "it still works: {}",
        page.body
    );
    world.end().await;
}

/// C1: the vendor's back end makes tokens for users of a tenant; nobody makes one for an origin that
/// is not an application's, or for another tenant's connection.
#[tokio::test(flavor = "multi_thread")]
async fn c1_the_vendors_back_end_names_tenant_user_and_origin() {
    let world = World::start().await;
    let (connection, _) = world.ask().await;
    let origin = world.sandbox.app_origin.clone();
    let operator = world.sandbox.operator().await.unwrap();
    let path = format!("/v1/tenants/{}/connect-tokens", world.tenant.id);
    let body = json!({ "connection": connection, "origin": origin, "subject": "user-17" });
    let made = operator
        .post(&path, &body)
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    let token = made["token"].as_str().unwrap();
    let page = world
        .present(&Browser::new().unwrap(), &origin, &[("token", token)])
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);

    for (member, value) in [
        ("origin", json!("https://evil.example")),
        ("connection", json!("con_0193d3f0aaaa7bbb8cccdddddddddddd")),
        ("subject", Value::Null),
    ] {
        let mut wrong = body.clone();
        wrong[member] = value;
        let answer = operator.post(&path, &wrong).await.unwrap();
        assert_eq!(answer.status.as_u16(), 422, "{member}: {}", answer.body);
    }
    world.end().await;
}

/// C8, C10: whoever waits learns the result from the attempt, not from the window.
#[tokio::test(flavor = "multi_thread")]
async fn c8_c10_the_attempt_says_what_came_of_it() {
    let world = World::start().await;
    let request = json!({
        "name": "CRM", "connector": "salesforce", "accountId": world.account, "returnTo": world.return_to(),
    });
    let api = &world.frank().api;
    let made = api.post("/v1/connections", &request).await.unwrap();
    let made = made.expect(201).unwrap();
    let connection = made["id"].as_str().unwrap();
    let attempt = made["attemptId"].as_str().unwrap().to_owned();
    let path = |attempt: &str| format!("/v1/connections/{connection}/attempts/{attempt}");
    let state = |attempt: String| async move {
        let seen = api.get(&path(&attempt)).await.unwrap().expect(200).unwrap();
        (
            seen["state"].clone(),
            seen["result"].clone(),
            seen["code"].clone(),
        )
    };
    let waiting = (json!("waiting"), Value::Null, Value::Null);
    assert_eq!(state(attempt.clone()).await, waiting);

    let start: Url = made["startUrl"].as_str().unwrap().parse().unwrap();
    let admin = world.sandbox.salesforce_admin();
    let browser = &world.frank().browser;
    let callback = world.decide(browser, &start, "deny", &admin).await;
    assert_eq!(
        state(attempt.clone()).await,
        waiting,
        "not before the browser is back"
    );
    browser.get(&callback).await.unwrap();
    let denied = (json!("finished"), json!("denied"), json!("access_denied"));
    assert_eq!(state(attempt.clone()).await, denied);

    let reconnect = format!("/v1/connections/{connection}/reconnect");
    let again = api
        .post(&reconnect, &json!({ "returnTo": world.return_to() }))
        .await;
    let again = again.unwrap().expect(200).unwrap();
    let start: Url = again["startUrl"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.consent(&start).await, told("connected", "connected"));
    let second = again["attemptId"].as_str().unwrap().to_owned();
    let connected = (json!("finished"), json!("connected"), json!("connected"));
    assert_eq!(state(second).await, connected);
    assert_eq!(state(attempt).await, denied, "each attempt has its own");
    let unknown = api.get(&path("att_0193d3f0aaaa7bbb8cccdddddddddddd")).await;
    assert_eq!(unknown.unwrap().status, StatusCode::NOT_FOUND);
    world.end().await;
}

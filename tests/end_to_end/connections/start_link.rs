//! Start links: once, in the browser of the person who asked, and to nowhere but our applications.

use reqwest::{Method, StatusCode, header};
use sandbox::browser::Browser;
use serde_json::{Value, json};

use super::world::{World, code, send};

/// L1, C14: whoever is not the person who asked cannot open a start link, and cannot use it up.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_link_opens_once_in_the_browser_of_the_person_who_asked() {
    let world = World::start().await;
    let (_, start) = world.ask().await;
    let frank = &world.frank().browser;

    let stranger = Browser::new().unwrap().get(&start).await.unwrap();
    assert_eq!(
        stranger.status,
        StatusCode::UNAUTHORIZED,
        "{}",
        stranger.body
    );
    let ming = world.tenant.people["ming"]
        .browser
        .get(&start)
        .await
        .unwrap();
    assert_eq!(ming.status, StatusCode::NOT_FOUND, "{}", ming.body);

    let cookies = frank.cookies_for(&world.sandbox.api_url).unwrap();
    let head = send(Method::HEAD, &start, &[(header::COOKIE, &cookies)]).await;
    assert!(head.status().is_client_error(), "{}", head.status());
    let purpose = header::HeaderName::from_static("sec-purpose");
    let ahead = send(
        Method::GET,
        &start,
        &[(header::COOKIE, &cookies), (purpose, "prefetch;prerender")],
    )
    .await;
    assert!(ahead.status().is_client_error(), "{}", ahead.status());

    let page = frank.get(&start).await.unwrap();
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    let again = frank.get(&start).await.unwrap();
    assert_eq!(again.status, StatusCode::NOT_FOUND, "{}", again.body);
    assert_eq!(
        again.body.contains("link_not_valid"),
        ming.body.contains("link_not_valid"),
        "one answer for all of them"
    );
    world.end().await;
}

/// C6: a start link lives ten minutes.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_link_that_is_too_old_does_not_open() {
    let world = World::start().await;
    let (_, start) = world.ask().await;
    let items = world.sandbox.table_items().await;
    let links: Vec<&Value> = items
        .iter()
        .filter(|item| item["sk"]["S"] == "START")
        .collect();
    assert_eq!(links.len(), 1);
    world
        .change(
            links[0],
            "SET #e = :e",
            json!({ "#e": "expires_at" }),
            json!({ ":e": { "N": "1" } }),
        )
        .await;
    let page = world.frank().browser.get(&start).await.unwrap();
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.body);
    assert_eq!(world.sandbox.journal.count("salesforce", "authorize"), 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_start_links_are_refused_alike() {
    let world = World::start().await;
    let (_, start) = world.ask().await;
    let token = start.query_pairs().next().unwrap().1.into_owned();
    let cookies = world
        .frank()
        .browser
        .cookies_for(&world.sandbox.api_url)
        .unwrap();
    for (query, expected) in [
        (String::new(), (404, "link_not_valid")),
        ("token=".to_owned(), (404, "link_not_valid")),
        (format!("token={}", "a".repeat(43)), (404, "link_not_valid")),
        (format!("token={}", &token[1..]), (404, "link_not_valid")),
        (
            format!("token={token}&token={token}"),
            (400, "malformed_query"),
        ),
    ] {
        let mut url = start.clone();
        url.set_query(Some(&query));
        let refused = code(send(Method::GET, &url, &[(header::COOKIE, &cookies)]).await).await;
        assert_eq!((refused.0, refused.1.as_str()), expected, "{query}");
    }
    assert_eq!(
        world.frank().browser.get(&start).await.unwrap().status,
        StatusCode::SEE_OTHER,
        "the real one still opens"
    );
    world.end().await;
}

/// C13 of the OAuth checklist: browsers are returned to the configured applications and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn return_to_is_an_address_of_an_application_or_refused_before_anything_is_made() {
    let world = World::start().await;
    let origin = world.sandbox.app_origin.clone();
    let bare = origin.trim_start_matches("http://").to_owned();
    let try_with = async |return_to: &str| {
        let request = json!({ "name": "CRM", "connector": "salesforce", "accountId": world.account, "returnTo": return_to });
        world
            .frank()
            .api
            .post("/v1/connections", &request)
            .await
            .unwrap()
    };
    for evil in [
        "https://evil.example/".to_owned(),
        "//evil.example/".to_owned(),
        format!("https://{bare}/"),
        format!("{origin}.evil.example/"),
        format!("{origin}@evil.example/"),
        format!("http://user@{bare}/"),
        format!("{origin}0/"),
        format!("{origin}\\.evil.example/"),
        format!("HTTP://{bare}/"),
        format!("http:/{bare}/"),
        format!("http:///{bare}/"),
        format!("http:\\\\{bare}/"),
        format!(" {origin}/"),
        format!("{origin}/\n/evil.example"),
        "javascript:alert(1)".to_owned(),
        "data:text/html,x".to_owned(),
        String::new(),
    ] {
        let answer = try_with(&evil).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{evil:?}: {}",
            answer.body
        );
        assert_eq!(
            answer.body["errors"][0]["pointer"], "/returnTo",
            "{evil:?}: {}",
            answer.body
        );
    }
    let listed = world
        .frank()
        .api
        .get("/v1/connections")
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(listed["items"], json!([]), "nothing was made");
    for good in [
        origin.clone(),
        format!("{origin}/"),
        format!("{origin}/deep/link?tab=2#top"),
    ] {
        let answer = try_with(&good).await;
        assert_eq!(
            answer.status,
            StatusCode::CREATED,
            "{good}: {}",
            answer.body
        );
        let start = answer.body["startUrl"].as_str().unwrap().parse().unwrap();
        let page = world.frank().browser.get(&start).await.unwrap();
        assert_eq!(
            page.status,
            StatusCode::SEE_OTHER,
            "what was accepted is used: {}",
            page.body
        );
    }
    world.end().await;
}

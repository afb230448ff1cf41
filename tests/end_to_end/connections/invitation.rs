//! Invitations (rule L2): somebody who is no user of ours grants access, and nothing uses it before
//! the person who asked has seen whose it is.

use reqwest::{Method, StatusCode, header};
use sandbox::browser::{Browser, Page};
use serde_json::{Value, json};
use url::Url;

use super::world::{World, code, send};

struct Invited {
    url: Url,
    attempt: String,
}

impl World {
    async fn invite(&self, connection: &str, body: &Value) -> Invited {
        let path = format!("/v1/connections/{connection}/invitation");
        let made = self.frank().api.post(&path, body).await.unwrap();
        let made = made.expect(201).unwrap();
        Invited {
            url: made["url"].as_str().unwrap().parse().unwrap(),
            attempt: made["attemptId"].as_str().unwrap().to_owned(),
        }
    }

    /// Opens an invitation, goes on, and decides at the provider; answers the end of it.
    async fn answer(&self, browser: &Browser, invited: &Invited, who: &str) -> Page {
        let page = browser.get(&invited.url).await.unwrap();
        let page = page.expect(StatusCode::OK).unwrap();
        let onward = go_on(browser, &page).await;
        let provider = onward.location.unwrap();
        let callback = self.decide(browser, &provider, "allow", who).await;
        browser.get(&callback).await.unwrap()
    }

    async fn candidate(&self, connection: &str) -> Value {
        self.seen(connection).await["candidate"].clone()
    }

    async fn settle(
        &self,
        who: &str,
        connection: &str,
        what: &str,
        candidate: &Value,
    ) -> (u16, Value) {
        let path = format!("/v1/connections/{connection}/{what}");
        let api = &self.tenant.people[who].api;
        let answer = api
            .post(&path, &json!({ "candidate": candidate["id"] }))
            .await
            .unwrap();
        (answer.status.as_u16(), answer.body)
    }

    async fn attempt(&self, connection: &str, attempt: &str) -> (String, String, String) {
        let path = format!("/v1/connections/{connection}/attempts/{attempt}");
        let seen = self
            .frank()
            .api
            .get(&path)
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        let text = |name: &str| seen[name].as_str().unwrap_or_default().to_owned();
        (text("state"), text("result"), text("code"))
    }
}

async fn go_on(browser: &Browser, page: &Page) -> Page {
    let mut form = page.url.clone();
    form.set_query(None);
    let (token, csrf) = (page.hidden("token").unwrap(), page.hidden("csrf").unwrap());
    let fields = [("token", token.as_str()), ("csrf", csrf.as_str())];
    browser.post_form(&form, &fields).await.unwrap()
}

/// L2, X4: an invited admin's grant waits; the connection stays as it was; the person who asked, and
/// nobody else, makes it count.
#[tokio::test(flavor = "multi_thread")]
async fn l2_an_invited_grant_counts_when_the_person_who_asked_confirms_it() {
    let world = World::start().await;
    let (connection, _) = world.ask().await;
    let before = world.record(&connection).await;
    let note = json!({ "note": "Accounts, <b>once an hour</b>" });
    let invited = world.invite(&connection, &note).await;
    let items = world.sandbox.table_items().await;
    let token = invited
        .url
        .query()
        .unwrap()
        .trim_start_matches("token=")
        .to_owned();
    assert!(
        !format!("{items:?}").contains(&token),
        "only a hash is stored"
    );

    let olivia = Browser::new().unwrap();
    let page = olivia.get(&invited.url).await.unwrap();
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "Sports gear",
        "Salesforce",
        "Accounts, &lt;b&gt;once an hour&lt;/b&gt;",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let policy = page.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    for rule in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self' ",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer");

    let end = world
        .answer(&olivia, &invited, &world.sandbox.salesforce_admin())
        .await;
    assert_eq!(end.status, StatusCode::OK, "{}", end.body);
    assert!(end.body.contains("confirmation_needed"), "{}", end.body);
    assert_eq!(world.record(&connection).await, before, "untouched");
    assert_eq!(
        world.attempt(&connection, &invited.attempt).await,
        (
            "finished".into(),
            "unconfirmed".into(),
            "confirmation_needed".into()
        )
    );
    let candidate = world.candidate(&connection).await;
    assert!(
        candidate["org"].as_str().unwrap().starts_with("00D"),
        "{candidate}"
    );
    assert!(
        candidate["user"].as_str().unwrap().starts_with("005"),
        "{candidate}"
    );
    assert!(candidate["instance"].is_string(), "{candidate}");

    let (status, problem) = world
        .settle("ming", &connection, "confirm", &candidate)
        .await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (403, Some("not_the_requester"))
    );
    assert_eq!(world.record(&connection).await, before);
    let (status, seen) = world
        .settle("frank", &connection, "confirm", &candidate)
        .await;
    assert_eq!(
        (status, seen["state"].as_str()),
        (200, Some("active")),
        "{seen}"
    );
    assert_eq!(seen["org"], candidate["org"]);
    assert_eq!(world.candidate(&connection).await, Value::Null);
    assert!(world.works(&connection).await);
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));

    let again = world
        .settle("frank", &connection, "confirm", &candidate)
        .await;
    assert_eq!(
        (again.0, again.1["code"].as_str()),
        (409, Some("no_candidate"))
    );
    world.end().await;
}

/// L2, C14, A11: looking, prefetching, foreign forms and other browsers use nothing up.
#[tokio::test(flavor = "multi_thread")]
async fn l2_only_the_page_in_the_browser_that_saw_it_uses_an_invitation_up() {
    let world = World::start().await;
    let (connection, _) = world.ask().await;
    let invited = world.invite(&connection, &json!({})).await;
    let post = {
        let mut url = invited.url.clone();
        url.set_query(None);
        url
    };
    let purpose = header::HeaderName::from_static("sec-purpose");
    let head = send(Method::HEAD, &invited.url, &[]).await;
    assert!(head.status().is_client_error());
    let ahead = send(Method::GET, &invited.url, &[(purpose, "prefetch")]).await;
    assert!(ahead.status().is_client_error());

    let olivia = Browser::new().unwrap();
    let page = olivia.get(&invited.url).await.unwrap();
    let (token, csrf) = (page.hidden("token").unwrap(), page.hidden("csrf").unwrap());
    let fields = [("token", token.as_str()), ("csrf", csrf.as_str())];
    let stranger = Browser::new().unwrap();
    let refused = [
        (
            "no cookie",
            stranger.post_form(&post, &fields).await.unwrap(),
        ),
        (
            "foreign page",
            olivia
                .post_form_from("https://evil.example", &post, &fields)
                .await
                .unwrap(),
        ),
        (
            "null",
            olivia.post_form_from("null", &post, &fields).await.unwrap(),
        ),
        (
            "other value",
            olivia
                .post_form(&post, &[("token", &token), ("csrf", &token)])
                .await
                .unwrap(),
        ),
        (
            "no value",
            olivia.post_form(&post, &[("token", &token)]).await.unwrap(),
        ),
    ];
    for (what, page) in refused {
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{what}: {}", page.body);
        assert!(
            page.body.contains("invitation_refused"),
            "{what}: {}",
            page.body
        );
    }
    let doubled = [
        ("token", token.as_str()),
        ("token", token.as_str()),
        ("csrf", &csrf),
    ];
    let doubled = olivia.post_form(&post, &doubled).await.unwrap();
    assert_eq!(doubled.status, StatusCode::BAD_REQUEST);
    let cookies = olivia.cookies_for(&post).unwrap();
    let origin = world.sandbox.api_url.origin().ascii_serialization();
    let site = header::HeaderName::from_static("sec-fetch-site");
    let kind = "application/x-www-form-urlencoded";
    let headers = [
        (header::COOKIE, cookies.as_str()),
        (header::ORIGIN, origin.as_str()),
        (header::CONTENT_TYPE, kind),
        (site, "cross-site"),
    ];
    let (status, refused) = code(send(Method::POST, &post, &headers).await).await;
    assert!(
        status == 403 && refused == "invitation_refused",
        "{status} {refused}"
    );

    let onward = go_on(&olivia, &page).await;
    assert_eq!(onward.status, StatusCode::SEE_OTHER, "{}", onward.body);
    let again = go_on(&olivia, &page).await;
    assert!(again.status.is_client_error(), "once: {}", again.body);
    let gone = stranger.get(&invited.url).await.unwrap();
    assert_eq!(gone.status, StatusCode::NOT_FOUND);

    // C7: the consent that it began is bound to the browser that accepted it.
    let provider = onward.location.unwrap();
    let admin = world.sandbox.salesforce_admin();
    let callback = world.decide(&olivia, &provider, "allow", &admin).await;
    let foreign = stranger.get(&callback).await.unwrap();
    assert_eq!(foreign.status, StatusCode::FORBIDDEN, "{}", foreign.body);
    assert_eq!(world.candidate(&connection).await, Value::Null);
    world.end().await;
}

/// L2, X4: a rejected grant ends at the provider; a second consent replaces the first; the old grant
/// works all the while.
#[tokio::test(flavor = "multi_thread")]
async fn l2_x4_a_rejected_or_replaced_grant_is_ended_and_the_old_one_works_on() {
    let (world, connection) = World::connected().await;
    let admin = world.sandbox.salesforce_admin();
    let before = world.record(&connection).await;
    let grants = || world.sandbox.salesforce.grants_of(&admin);
    let olivia = Browser::new().unwrap();
    let first = world.invite(&connection, &json!({})).await;
    world.answer(&olivia, &first, &admin).await;
    let replaced = world.candidate(&connection).await;
    assert_eq!(grants(), 2);

    let second = world.invite(&connection, &json!({})).await;
    world.answer(&olivia, &second, &admin).await;
    assert_eq!(grants(), 2, "the first candidate was revoked");
    let candidate = world.candidate(&connection).await;
    assert_ne!(candidate["id"], replaced["id"]);
    let (status, _) = world
        .settle("frank", &connection, "confirm", &replaced)
        .await;
    assert_eq!(status, 409, "what was replaced cannot be confirmed");

    let (status, _) = world
        .settle("ming", &connection, "reject", &candidate)
        .await;
    assert_eq!(status, 204);
    assert_eq!(grants(), 1, "the rejected one was revoked");
    assert_eq!(world.candidate(&connection).await, Value::Null);
    assert_eq!(world.record(&connection).await, before);
    assert!(world.works(&connection).await);

    // X2: another organisation's grant waits, is shown, and is not taken without being asked for.
    let third = world.invite(&connection, &json!({})).await;
    world
        .answer(&olivia, &third, "oscar@other.example.crm")
        .await;
    let other = world.candidate(&connection).await;
    let (status, problem) = world.settle("frank", &connection, "confirm", &other).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (409, Some("account_mismatch"))
    );
    assert_eq!(world.record(&connection).await, before);

    // A candidate that nobody decided about ends, and its grant with it, when it is seen.
    let items = world.sandbox.table_items().await;
    let key = format!("CANDIDATE#{connection}");
    let item = items
        .iter()
        .find(|item| item["sk"]["S"] == key.as_str())
        .unwrap();
    let names = json!({ "#e": "ends_at" });
    world
        .change(item, "SET #e = :e", names, json!({ ":e": { "N": "1" } }))
        .await;
    assert_eq!(world.candidate(&connection).await, Value::Null);
    let oscar = world
        .sandbox
        .salesforce
        .grants_of("oscar@other.example.crm");
    assert_eq!((oscar, grants()), (0, 1));
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    world.end().await;
}

//! Consent that goes well, is declined, or grants less than was asked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode, header};
use serde_json::json;

use super::world::{World, result, send, told};
use crate::common;

/// C4: PKCE S256, a state of at least 128 bits, exactly the registered redirect URI, and no secret;
/// whatever the request's headers say about its host.
#[tokio::test(flavor = "multi_thread")]
async fn c4_the_authorization_url_has_pkce_state_and_the_registered_uri_and_no_secret() {
    let world = World::start().await;
    let (connection, first) = world.ask().await;
    let mut seen = Vec::new();
    for start in [first, world.ask_again(&connection).await] {
        let cookies = world
            .frank()
            .browser
            .cookies_for(&world.sandbox.api_url)
            .unwrap();
        let forwarded = header::HeaderName::from_static("x-forwarded-host");
        let headers = [
            (header::COOKIE, cookies.as_str()),
            (forwarded, "evil.example"),
        ];
        let answer = send(Method::GET, &start, &headers).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let to: url::Url = answer.headers()[header::LOCATION]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(
            to.as_str()
                .starts_with(world.sandbox.salesforce_url.as_str()),
            "{to}"
        );
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-"), "{cookie}");
        for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(cookie.contains(attribute), "{cookie} lacks {attribute}");
        }

        let query: std::collections::BTreeMap<String, String> =
            to.query_pairs().into_owned().collect();
        let names: Vec<&str> = query.keys().map(String::as_str).collect();
        let expected = [
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
        ];
        assert_eq!(names, expected);
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["scope"], "api refresh_token id");
        assert_eq!(
            query["redirect_uri"],
            format!("{}connect/callback/salesforce", world.sandbox.api_url)
        );
        assert_eq!(
            URL_SAFE_NO_PAD
                .decode(&query["code_challenge"])
                .unwrap()
                .len(),
            32
        );
        assert!(
            URL_SAFE_NO_PAD.decode(&query["state"]).unwrap().len() >= 16,
            "128 bits"
        );
        assert_eq!(
            world.sandbox.canaries.found_in(to.as_str()),
            Vec::<String>::new()
        );
        seen.push((
            query["state"].clone(),
            query["code_challenge"].clone(),
            cookie.to_owned(),
        ));
    }
    assert!(
        seen[0].0 != seen[1].0 && seen[0].1 != seen[1].1 && seen[0].2 != seen[1].2,
        "each consent has its own"
    );
    world.end().await;
}

/// C8: the application is told `denied` at once, nothing was exchanged or changed, and a new attempt works.
#[tokio::test(flavor = "multi_thread")]
async fn c8_a_person_who_declines_leaves_nothing_behind_and_can_try_again() {
    let world = World::start().await;
    let (connection, start) = world.ask().await;
    let admin = world.sandbox.salesforce_admin();
    let browser = &world.frank().browser;
    let callback = world.decide(browser, &start, "deny", &admin).await;
    let page = browser.get(&callback).await.unwrap();
    assert_eq!(result(&page), told("denied", "access_denied"));
    assert_eq!(
        page.redirect_parameter("connection").as_deref(),
        Some(connection.as_str())
    );
    assert_eq!(world.seen(&connection).await["state"], "pending");
    assert_eq!(world.sandbox.salesforce.token_counters().exchanges, 0);

    let again = browser.get(&callback).await.unwrap();
    assert_eq!(
        again.status,
        StatusCode::FORBIDDEN,
        "a refusal uses the state up too: {}",
        again.body
    );

    let start = world.ask_again(&connection).await;
    assert_eq!(world.consent(&start).await, told("connected", "connected"));
    assert_eq!(world.seen(&connection).await["state"], "active");
    world.end().await;
}

/// C9: a scope that can be done without makes the connection `limited`, and it is named.
#[tokio::test(flavor = "multi_thread")]
async fn c9_a_missing_scope_limits_the_connection_and_is_named() {
    let world = World::start().await;
    world
        .sandbox
        .salesforce
        .limit_scopes(Some(&["api", "refresh_token"]));
    let (connection, start) = world.ask().await;
    assert_eq!(
        world.consent(&start).await,
        told("limited", "missing_scopes")
    );
    let seen = world.seen(&connection).await;
    assert_eq!(seen["state"], "limited", "{seen}");
    assert_eq!(seen["missingScopes"], json!(["id"]), "{seen}");
    assert!(world.works(&connection).await, "what was granted is used");

    // A refresh does not make up for what was not granted.
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    let seen = world.seen(&connection).await;
    assert_eq!(
        (seen["state"].as_str(), seen["reason"].as_str()),
        (Some("limited"), Some("missing_scopes")),
        "{seen}"
    );

    world.sandbox.salesforce.limit_scopes(None);
    let start = world.ask_again(&connection).await;
    assert_eq!(world.consent(&start).await, told("connected", "connected"));
    let seen = world.seen(&connection).await;
    assert_eq!(
        (seen["state"].as_str(), &seen["missingScopes"]),
        (Some("active"), &json!([])),
        "{seen}"
    );
    world.end().await;
}

/// C9: without a mandatory scope there is no connection, and the grant is given back.
#[tokio::test(flavor = "multi_thread")]
async fn c9_without_a_mandatory_scope_the_grant_is_refused_and_given_back() {
    let world = World::start().await;
    let admin = world.sandbox.salesforce_admin();
    let (connection, first) = world.ask().await;
    for (scopes, start) in [
        (&["refresh_token", "id"][..], first),
        (&["api", "id"][..], world.ask_again(&connection).await),
    ] {
        world.sandbox.salesforce.limit_scopes(Some(scopes));
        let before = world.record(&connection).await;
        assert_eq!(
            world.consent(&start).await,
            told("failed", "missing_scopes"),
            "{scopes:?}"
        );
        assert_eq!(world.record(&connection).await, before, "{scopes:?}");
        if scopes.contains(&"refresh_token") {
            assert_eq!(
                world.sandbox.salesforce.grants_of(&admin),
                0,
                "the grant is given back"
            );
        }
    }
    assert_eq!(world.seen(&connection).await["state"], "pending");
    world.end().await;
}

impl World {
    /// Asks for a connection to this application, and walks its consent as Olivia of `acme`; answers
    /// the connection's id and what the application is told.
    async fn consent_at(
        &self,
        connector: &str,
        instance: Option<&str>,
    ) -> (String, (String, String)) {
        let mut request = json!({
            "name": connector, "connector": connector, "accountId": self.account,
            "auth": "oauth_authorization_code", "returnTo": self.return_to(),
        });
        if let Some(instance) = instance {
            request["instance"] = json!(instance);
        }
        let api = &self.frank().api;
        let made = api.post("/v1/connections", &request).await.unwrap();
        let made = made.expect(201).unwrap();
        let start = made["startUrl"].as_str().unwrap().parse().unwrap();
        let browser = &self.frank().browser;
        let page = browser.follow(&start, None).await.unwrap();
        let page = page.expect(StatusCode::OK).unwrap();
        let transaction = page.hidden("transaction").unwrap();
        let mut form = page.url.clone();
        form.set_query(None);
        let fields = [
            ("transaction", transaction.as_str()),
            ("username", "olivia@acme.example"),
            ("password", "olivia-password-local"),
            ("decision", "allow"),
        ];
        let back = browser.post_form(&form, &fields).await.unwrap();
        let callback = back
            .location
            .unwrap_or_else(|| panic!("{connector}: {} {}", back.status, back.body));
        let page = browser.get(&callback).await.unwrap();
        (made["id"].as_str().unwrap().to_owned(), result(&page))
    }
}

/// C15: every provider consents on the same path, and says who granted: an id of its own kind.
#[tokio::test(flavor = "multi_thread")]
async fn any_provider_is_consented_to_in_the_same_way() {
    let world = World::start().await;
    for (connector, instance) in [
        ("zendesk", Some("acme")),
        ("serviceNow", Some("acme")),
        ("hubSpot", None),
        ("dynamics365", Some("acme")),
    ] {
        let (connection, told_as) = world.consent_at(connector, instance).await;
        assert_eq!(told_as, told("connected", "connected"), "{connector}");
        let seen = world.seen(&connection).await;
        assert_eq!(seen["state"], "active", "{connector}: {seen}");
        assert!(seen["org"].is_string(), "{connector}: {seen}");
        let record = world.record(&connection).await;
        assert!(record.has("provider_user_id"), "{connector}: {}", record.0);
        assert_eq!(record.generations(), (1, 1), "{connector}");
    }
    common::no_leaks(&world.sandbox).await;
}

/// C9: a grant that is not kept is ended in the provider's own way, here a `DELETE`.
#[tokio::test(flavor = "multi_thread")]
async fn c9_a_grant_that_is_not_kept_is_deleted_where_there_is_no_revocation_endpoint() {
    let world = World::start().await;
    let providers = &world.sandbox.providers;
    providers.limit_scopes("zendesk", Some(&["write"]));
    let (connection, told_as) = world.consent_at("zendesk", Some("acme")).await;
    assert_eq!(told_as, told("failed", "missing_scopes"));
    assert_eq!(world.seen(&connection).await["state"], "pending");
    assert_eq!(providers.grants_of("zendesk", "olivia@acme.example"), 0);
    common::no_leaks(&world.sandbox).await;
}

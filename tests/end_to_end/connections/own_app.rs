//! A tenant's own app at a provider (C12).

use reqwest::Method;
use serde_json::json;

use super::{credentials::secret, world::World};

const PATH: &str = "/v1/oauth-apps/salesforce";

/// C12: the app is shown without its secret, editors do not touch it, and it is this tenant's only.
#[tokio::test]
async fn c12_an_own_app_is_kept_without_showing_its_secret() {
    let world = World::start().await;
    let body = json!({ "clientId": "3MVG-own", "clientSecret": "canary-own-secret" }).to_string();
    let put = |api: sandbox::client::Api| {
        let body = body.clone();
        async move { api.call(Method::PUT, PATH, Some(body), &[]).await.unwrap() }
    };
    assert_eq!(put(world.tenant.api("ming").clone()).await.status, 403);
    let made = put(world.frank().api.clone()).await.expect(200).unwrap();
    assert_eq!(made["clientId"], "3MVG-own");
    let redirect = made["redirectUri"].as_str().unwrap();
    assert!(
        redirect.ends_with("/connect/callback/salesforce"),
        "{redirect}"
    );
    assert!(!made.to_string().contains("canary"));

    let name = format!(
        "tributary/tenants/{}/oauth-apps/salesforce",
        world.tenant.id
    );
    let kept = secret(&world, &name).await.unwrap();
    assert_eq!(
        kept,
        json!({ "clientId": "3MVG-own", "clientSecret": "canary-own-secret" })
    );
    let items = serde_json::to_string(&world.sandbox.table_items().await).unwrap();
    assert!(!items.contains("canary-own-secret"));

    let other = crate::common::tenant(&world.sandbox, "Other", &[("ethan", "admin")]).await;
    let seen = other.api("ethan").get(PATH).await.unwrap();
    assert_eq!(seen.status, 404, "another tenant has none");
    let unknown = world.frank().api.get("/v1/oauth-apps/netscape").await;
    assert_eq!(unknown.unwrap().status, 404);
}

/// C12: connections use it from then on; it is not removed under them, and forced away it is not
/// replaced by the vendor's.
#[tokio::test]
async fn c12_a_removed_app_is_never_replaced_by_the_vendors() {
    let world = World::start().await;
    let api = &world.frank().api;
    let own = json!({ "clientId": "3MVG-own", "clientSecret": "own-secret" }).to_string();
    let put = api.call(Method::PUT, PATH, Some(own), &[]).await.unwrap();
    put.expect(200).unwrap();
    let (connection, start) = world.ask().await;
    assert_eq!(world.seen(&connection).await["app"], "tenant");
    let page = world.frank().browser.get(&start).await.unwrap();
    let location = page.location.unwrap();
    let client = location
        .query_pairs()
        .find(|(name, _)| name == "client_id")
        .map(|(_, value)| value.into_owned());
    assert_eq!(client.as_deref(), Some("3MVG-own"));

    let refused = api.call(Method::DELETE, PATH, None, &[]).await.unwrap();
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert_eq!(refused.code(), "oauth_app_in_use");
    assert!(refused.body.to_string().contains(&connection));

    let forced = format!("{PATH}?force=true");
    let removed = api.call(Method::DELETE, &forced, None, &[]).await.unwrap();
    assert_eq!(removed.status, 204, "{}", removed.body);
    let name = format!(
        "tributary/tenants/{}/oauth-apps/salesforce",
        world.tenant.id
    );
    assert_eq!(secret(&world, &name).await, None);
    assert_eq!(
        world.seen(&connection).await["app"],
        "tenant",
        "no fallback"
    );
    let (later, _) = world.ask().await;
    assert_eq!(world.seen(&later).await["app"], "vendor");
}

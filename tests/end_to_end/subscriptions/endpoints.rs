//! N6: where we do not go, whoever sends us there.

use std::collections::HashMap;

use sandbox_core::VENDOR_ACCOUNT;
use sandbox_saas::catcher::Reply;
use serde_json::json;

use super::{hooks::Hooks, world::ask};
use crate::common;

/// N6: an address that leads inside cannot be subscribed.
#[tokio::test(flavor = "multi_thread")]
async fn n6_an_address_that_leads_inside_is_refused() {
    let hooks = Hooks::new().await;
    let port = hooks.sandbox.aws_url.port().unwrap();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://localhost:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "https://metadata.google.internal/".to_owned(),
        "https://app.localhost./".to_owned(),
        // Another port than the one that the operator named.
        hooks.sandbox.webhooks.url("x").replacen(
            &format!(":{}", catcher_port(&hooks)),
            &format!(":{port}"),
            1,
        ),
    ] {
        let target = json!({ "kind": "https", "url": url });
        let answer = ask(hooks.api(), &target, &json!({})).await;
        assert_eq!(answer.status, 422, "{url}: {}", answer.body);
    }
}

fn catcher_port(hooks: &Hooks) -> u16 {
    let url: url::Url = hooks.sandbox.webhooks.url("").parse().unwrap();
    url.port().unwrap()
}

/// N6: a subscription whose address leads inside by now is not called, and a redirect is not followed.
#[tokio::test(flavor = "multi_thread")]
async fn n6_neither_a_change_nor_a_redirect_leads_inside() {
    let hooks = Hooks::new().await;
    let sandbox = &hooks.sandbox;
    let redirect = Reply {
        location: Some(sandbox.webhooks.url("inside")),
        ..Reply::status(307)
    };
    sandbox.webhooks.answer("away", redirect);
    let away = hooks.subscribe("away").await;
    hooks.test(&away).await;
    let delivery = hooks.tried(&away, 1).await;
    assert_eq!(
        (&delivery["statusCode"], &delivery["failure"]),
        (&json!(307), &json!("redirected"))
    );
    assert!(sandbox.webhooks.caught("inside").is_empty());

    // As if the name had been judged by other rules when it was subscribed.
    let moved = hooks.subscribe("moved").await;
    let url = format!("https://localhost:{}/inside", catcher_port(&hooks));
    let key = json!({
        "pk": { "S": format!("TENANT#{}", hooks.tenant.id) },
        "sk": { "S": format!("SUBSCRIPTION#{}", moved["id"].as_str().unwrap()) },
    });
    let update = json!({
        "TableName": sandbox.stack.resources["Table"].physical_id(),
        "Key": key,
        "UpdateExpression": "SET #t.#u = :u",
        "ExpressionAttributeNames": HashMap::from([("#t", "target"), ("#u", "url")]),
        "ExpressionAttributeValues": { ":u": { "S": url } },
    });
    let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
    let written = sandbox
        .aws
        .call(&admin, "dynamodb", "UpdateItem", &update)
        .await;
    assert!(written.status.is_success(), "{written:?}");
    hooks.test(&moved).await;
    let delivery = common::eventually("the attempt", || async {
        let delivery = hooks.deliveries(&moved).await.pop()?;
        delivery["failure"].is_string().then_some(delivery)
    })
    .await;
    assert_eq!(delivery["failure"], "host_not_public");
    assert!(sandbox.webhooks.caught("inside").is_empty());
    assert!(sandbox.webhooks.caught("moved").is_empty());
    common::no_leaks(sandbox).await;
}

//! Reconnecting: the same connection with a new grant, from the same organisation.

use std::time::Duration;

use sandbox_core::Fault;
use serde_json::json;

use super::world::{TOKEN, World, result, told};
use crate::common;

/// X1, X5: the connection keeps its id, its flow runs on, and subscribers are told once of each turn.
#[tokio::test(flavor = "multi_thread")]
async fn x1_x5_a_reconnect_brings_the_same_connection_and_its_flow_back() {
    let (world, connection) = World::connected().await;
    let api = &world.frank().api;
    let flow = common::s3_flow(&world.account, &connection);
    let flow = api
        .post("/v1/flows", &flow)
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    let flow_path = format!("/v1/flows/{}", flow["id"].as_str().unwrap());
    let flow_before = api.get(&flow_path).await.unwrap().expect(200).unwrap();
    let before = world.seen(&connection).await;

    world
        .sandbox
        .salesforce
        .revoke_grants_of(&world.sandbox.salesforce_admin());
    world.when_due(&connection).await;
    world.needs_a_person(&connection, "revoked").await;
    assert!(!world.works(&connection).await);

    let start = world.ask_again(&connection).await;
    assert_eq!(world.consent(&start).await, told("connected", "connected"));
    let after = world.seen(&connection).await;
    for unchanged in ["id", "name", "accountId", "org", "createdAt", "scopes"] {
        assert_eq!(after[unchanged], before[unchanged], "{unchanged}");
    }
    assert_eq!(
        (after["state"].as_str(), &after["reason"]),
        (Some("active"), &json!(null)),
        "{after}"
    );
    assert!(world.works(&connection).await);
    assert_eq!(
        api.get(&flow_path).await.unwrap().expect(200).unwrap(),
        flow_before
    );

    // Whatever the outbox holds is published by the reconciliation.
    assert!(world.sandbox.schedules.fire("tributary-reconcile").await);
    world.sandbox.runtime.settled().await;
    let recovered = || async {
        Some(world.told(&connection, "recovered").await).filter(|told| !told.is_empty())
    };
    let recovered = common::eventually("the recovery's notification", recovered).await;
    assert_eq!(recovered.len(), 1, "{recovered:?}");
    assert_eq!(world.told(&connection, "reauth_required").await.len(), 1);

    world.when_due(&connection).await;
    assert_eq!(
        world.record(&connection).await.generations(),
        (3, 3),
        "and it is refreshed as before"
    );
    world.end().await;
}

/// X2: another organisation's admin cannot take a connection over, and their grant is given back.
#[tokio::test(flavor = "multi_thread")]
async fn x2_a_reconnect_from_another_organisation_is_refused() {
    let (world, connection) = World::connected().await;
    let before = world.record(&connection).await;
    let start = world.ask_again(&connection).await;
    let callback = world
        .decide(
            &world.frank().browser,
            &start,
            "allow",
            "oscar@other.example.crm",
        )
        .await;
    let page = world.frank().browser.get(&callback).await.unwrap();
    assert_eq!(result(&page), told("failed", "account_mismatch"));
    assert_eq!(world.record(&connection).await, before);
    assert_eq!(
        world
            .sandbox
            .salesforce
            .grants_of("oscar@other.example.crm"),
        0,
        "the grant is given back"
    );
    assert_eq!(
        world
            .sandbox
            .salesforce
            .grants_of(&world.sandbox.salesforce_admin()),
        1
    );
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    assert!(world.works(&connection).await);
    world.end().await;
}

/// X4: a reconnect that is begun, or declined, or never answered changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn x4_an_abandoned_reconnect_touches_nothing() {
    let (world, connection) = World::connected().await;
    let before = world.record(&connection).await;
    let browser = &world.frank().browser;
    world.ask_again(&connection).await;
    browser
        .follow(&world.ask_again(&connection).await, None)
        .await
        .unwrap();
    world.allowed(&world.ask_again(&connection).await).await;
    let start = world.ask_again(&connection).await;
    let denied = world
        .decide(browser, &start, "deny", &world.sandbox.salesforce_admin())
        .await;
    assert_eq!(
        result(&browser.get(&denied).await.unwrap()),
        told("denied", "access_denied")
    );
    assert_eq!(world.record(&connection).await, before);
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    assert!(world.works(&connection).await);
    world.end().await;
}

/// X3: a consent comes while a refresh waits for its answer: the consent's tokens survive.
#[tokio::test(flavor = "multi_thread")]
async fn x3_a_consent_during_a_refresh_wins() {
    let (world, connection) = World::connected().await;
    let start = world.ask_again(&connection).await;
    let callback = world.allowed(&start).await;
    world.fault("salesforce", TOKEN, Fault::Delay(6_000), 1);
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    let rotated = || async {
        (world.sandbox.salesforce.token_counters().refreshes_granted == 1).then_some(())
    };
    common::eventually("the refresh at the provider", rotated).await;

    let page = world.frank().browser.get(&callback).await.unwrap();
    assert_eq!(result(&page), told("connected", "connected"));
    let consented = world.record(&connection).await;
    assert_eq!(consented.number("generation"), 2);
    world.queue_is_empty().await;
    let after = world.record(&connection).await;
    assert_eq!(
        (after.number("generation"), &after.0["bundle"]),
        (2, &consented.0["bundle"])
    );
    assert_eq!(world.seen(&connection).await["state"], "active");
    assert!(world.works(&connection).await);

    world.the_lease_lapses(&connection).await;
    world.when_due(&connection).await;
    assert_eq!(
        world.record(&connection).await.generations(),
        (3, 3),
        "the consent's refresh token is alive"
    );
    world.end().await;
}

/// X3: a token that was refreshed while its consent was replaced does not stay in AppFlow.
#[tokio::test(flavor = "multi_thread")]
async fn x3_a_consent_during_a_push_is_what_appflow_has_in_the_end() {
    let (world, connection) = World::connected().await;
    let callback = world.allowed(&world.ask_again(&connection).await).await;
    world.fault(
        "appflow",
        "update-connector-profile",
        Fault::Delay(4_000),
        1,
    );
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    let pushing =
        || async { (world.sandbox.journal.count("appflow", "fault: delayed") == 1).then_some(()) };
    common::eventually("the refresh's push", pushing).await;

    let page = world.frank().browser.get(&callback).await.unwrap();
    assert_eq!(result(&page), told("connected", "connected"));
    world.queue_is_empty().await;
    let doubted = world.record(&connection).await;
    assert_eq!(doubted.number("generation"), 3);
    // Which of the two pushes AppFlow worked off last is not known: the newer one is sent again.
    assert!(doubted.number("pushed_generation") < 3, "{}", doubted.0);
    world.the_lease_lapses(&connection).await;
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (3, 3));
    assert!(world.works(&connection).await);
    world.end().await;
}

/// X2: whoever says that another organisation is fine gets it, and the grant that it replaces ends.
#[tokio::test(flavor = "multi_thread")]
async fn x2_another_organisation_is_taken_when_that_was_asked_for() {
    let (world, connection) = World::connected().await;
    let before = world.seen(&connection).await;
    let path = format!("/v1/connections/{connection}/reconnect");
    let request = json!({ "returnTo": world.return_to(), "allowOtherOrganisation": true });
    let asked = world.frank().api.post(&path, &request).await.unwrap();
    let asked = asked.expect(200).unwrap();
    let start = asked["startUrl"].as_str().unwrap().parse().unwrap();
    let oscar = "oscar@other.example.crm";
    let browser = &world.frank().browser;
    let callback = world.decide(browser, &start, "allow", oscar).await;
    let page = browser.get(&callback).await.unwrap();
    assert_eq!(result(&page), told("connected", "connected"));
    let after = world.seen(&connection).await;
    assert_eq!(
        (&after["id"], &after["state"]),
        (&before["id"], &json!("active"))
    );
    assert_ne!(after["org"], before["org"]);
    let grants = |who: &str| world.sandbox.salesforce.grants_of(who);
    assert_eq!(
        (grants(oscar), grants(&world.sandbox.salesforce_admin())),
        (1, 0)
    );

    // It was said for one consent and does not stay said.
    let start = world.ask_again(&connection).await;
    assert_eq!(
        world.consent(&start).await,
        told("failed", "account_mismatch")
    );
    world.end().await;
}

/// X1, X6: a flow that AppFlow switched off for want of credentials is switched on again by a
/// reconnect that brings all rights, and by no other.
#[tokio::test(flavor = "multi_thread")]
async fn x1_x6_a_flow_that_lost_its_credentials_resumes_with_the_full_grant_only() {
    let (world, connection) = World::connected().await;
    let api = &world.frank().api;
    let scheduled = async |name: &str| {
        let mut flow = common::s3_flow(&world.account, &connection);
        flow["name"] = json!(name);
        flow["trigger"] = json!({
            "type": "scheduled", "every": "rate(10 minutes)", "pull": "incremental",
            "firstFrom": "2020-01-01T00:00:00Z", "stopAfterFailures": 1,
        });
        let made = api.post("/v1/flows", &flow).await.unwrap();
        let made = made.expect(201).unwrap();
        let start = format!("/v1/flows/{}/start", made["id"].as_str().unwrap());
        api.post(&start, &json!({}))
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        made
    };
    let (lost, stopped) = (scheduled("Lost").await, scheduled("Stopped").await);
    let stop = format!("/v1/flows/{}/stop", stopped["id"].as_str().unwrap());
    api.post(&stop, &json!({}))
        .await
        .unwrap()
        .expect(200)
        .unwrap();

    let admin = world.sandbox.salesforce_admin();
    world.sandbox.salesforce.revoke_grants_of(&admin);
    world.sandbox.clock.advance(Duration::from_mins(11));
    let off = || async {
        world.sandbox.appflow.run_due().await;
        (world.appflow_status(&lost).await == "Suspended").then_some(())
    };
    common::eventually("AppFlow to switch the flow off", off).await;
    world.when_due(&connection).await;
    world.needs_a_person(&connection, "revoked").await;

    world
        .sandbox
        .salesforce
        .limit_scopes(Some(&["api", "refresh_token"]));
    let start = world.ask_again(&connection).await;
    assert_eq!(
        world.consent(&start).await,
        told("limited", "missing_scopes")
    );
    assert_eq!(
        world.seen(&connection).await["missingScopes"],
        json!(["id"])
    );
    assert_eq!(world.appflow_status(&lost).await, "Suspended", "X6");

    world.sandbox.salesforce.limit_scopes(None);
    let start = world.ask_again(&connection).await;
    assert_eq!(world.consent(&start).await, told("connected", "connected"));
    assert_eq!(world.appflow_status(&lost).await, "Active", "X1");
    let path = format!("/v1/flows/{}", lost["id"].as_str().unwrap());
    let seen = api.get(&path).await.unwrap().expect(200).unwrap();
    assert_eq!(
        (&seen["state"], &seen["id"]),
        (&json!("active"), &lost["id"])
    );
    assert_eq!(
        world.appflow_status(&stopped).await,
        "Suspended",
        "a person stopped it"
    );
    world.end().await;
}

/// L5: one person's grants in two tenants, and many of them, are the vendor's to know and nobody's else.
#[tokio::test(flavor = "multi_thread")]
async fn l5_a_grantor_of_two_tenants_and_of_many_connections_is_told_to_the_vendor() {
    let (world, first) = World::connected().await;
    let events = |name: &str| {
        let text = world.sandbox.logs.text();
        let lines = text.lines().filter(|line| line.contains(name));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    for _ in 0..3 {
        world.connect().await;
    }
    assert_eq!(events("many_approvals"), Vec::<String>::new());
    let fifth = world.connect().await;
    let warned = events("many_approvals");
    assert!(
        warned.len() == 1 && warned[0].contains(&fifth),
        "{warned:?}"
    );
    assert_eq!(events("shared_grantor"), Vec::<String>::new());

    let other = common::tenant(&world.sandbox, "Agency", &[("alex", "admin")]).await;
    let account = common::customer_account(&world.sandbox, other.api("alex")).await;
    common::salesforce(&world.sandbox, &other.people["alex"], &account).await;
    let warned = events("shared_grantor");
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(
        !warned[0].contains(&world.tenant.id) && !warned[0].contains(&first),
        "{warned:?}"
    );
    world.end().await;
}

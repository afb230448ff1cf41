//! I2: a repository call that lost its tenant filter is refused by the session's policy.

use std::fmt::Debug;

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, Put, TransactWriteItem},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tributary::{
    id::{FlowId, TenantId},
    store::{Key, PageRequest, Store, StoreError, Update},
};

use super::{FUNCTIONS, World};

/// That IAM said no, and not that something else went wrong.
fn assert_denied<T: Debug>(what: &str, outcome: Result<T, StoreError>) {
    match outcome {
        Err(StoreError::Service { refusal, .. }) if refusal.is_access_denied() => {}
        other => panic!("{what} was not refused by IAM: {other:?}"),
    }
}

fn assert_sdk_denied<T: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(
    what: &str,
    outcome: Result<T, SdkError<E, R>>,
) {
    let error = outcome.unwrap_err();
    let code = error.as_service_error().and_then(|error| error.code());
    assert_eq!(code, Some("AccessDeniedException"), "{what}: {error:?}");
}

/// What the table has of a tenant.
async fn items_of(world: &World, tenant: TenantId) -> Vec<String> {
    let items = world.sandbox.table_items().await.into_iter();
    let mut items: Vec<String> = items
        .map(|item| item.to_string())
        .filter(|item| item.contains(&tenant.to_string()))
        .collect();
    items.sort();
    items
}

/// A broken repository: it works on one tenant's part, in a session of another's.
fn broken(world: &World, session: &Store, tenant: TenantId) -> Store {
    Store::of_tenant(session.client().clone(), world.table(), tenant)
}

fn note(key: &Key) -> (Key, Value) {
    (key.clone(), json!({ "note": "written" }))
}

#[tokio::test]
async fn i2_a_repository_call_for_another_tenant_is_refused_by_the_session() {
    let world = World::start().await;
    let theirs = world.scope("FlowsRole", world.theirs).await;
    let flow = FlowId::new();
    let kept = Key::flow(world.theirs, flow);
    theirs
        .store()
        .put(&kept, &json!({ "note": "kept" }))
        .await
        .unwrap();
    let before = items_of(&world, world.theirs).await;

    for role in FUNCTIONS {
        let ours = world.scope(role, world.ours).await;
        let broken = broken(&world, ours.store(), world.theirs);
        let update = || Update::new().set("note", "changed");
        let page = PageRequest::first(10);
        let new = Key::flow(world.theirs, FlowId::new());
        assert_denied("get", broken.get::<Value>(&kept).await);
        assert_denied("put", broken.put(&kept, &json!({})).await);
        assert_denied("replace", broken.replace(&kept, &json!({})).await);
        assert_denied("insert", broken.insert(&new, &json!({})).await);
        assert_denied("update", broken.update::<Value>(&kept, update()).await);
        assert_denied("take", broken.take::<Value>(&kept).await);
        assert_denied("delete", broken.delete(&kept).await);
        for partition in [
            Key::tenant_partition(world.theirs),
            Key::runs_partition(world.theirs, flow),
        ] {
            let found = broken.query::<Value>(&partition, "", &page).await;
            assert_denied("query", found);
        }
        assert_denied("transaction", broken.insert_together(&[note(&new)]).await);
        let told = [note(&Key::outbox("event"))];
        let mixed = broken.update_with(&kept, update(), &told).await;
        assert_denied("transaction with an update", mixed);
        both_in_one_transaction(ours.store(), &Key::flow(world.ours, flow), &new).await;
        whole_table(ours.store()).await;
    }
    let after = items_of(&world, world.theirs).await;
    assert_eq!(after, before, "nothing changed");
}

/// One item of ours does not carry another's along.
async fn both_in_one_transaction(session: &Store, ours: &Key, theirs: &Key) {
    let put = |key: &Key| {
        let put = Put::builder()
            .table_name(session.table())
            .set_item(Some(key.to_item()))
            .build()
            .unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    let both = session
        .client()
        .transact_write_items()
        .transact_items(put(ours))
        .transact_items(put(theirs))
        .send();
    assert_sdk_denied("a mixed transaction", both.await);
}

/// Calls without a leading key, and the index over all tenants, are not a tenant's.
async fn whole_table(session: &Store) {
    let scan = session.client().scan().table_name(session.table()).send();
    assert_sdk_denied("scan", scan.await);
    let index = session
        .client()
        .query()
        .table_name(session.table())
        .index_name("due")
        .key_condition_expression("due_shard = :shard")
        .expression_attribute_values(":shard", AttributeValue::S("watch".to_owned()))
        .send();
    assert_sdk_denied("the index", index.await);
}

#[tokio::test]
async fn i2_a_session_does_the_work_of_its_own_tenant_and_no_more() {
    let world = World::start().await;
    let ours = world.scope("RunEventsRole", world.ours).await;
    let store = ours.store();
    let (flow, now) = (FlowId::new(), Timestamp::now());
    let (one, other) = (
        Key::flow(world.ours, flow),
        Key::deactivation(world.ours, flow, now),
    );
    let told = Key::outbox("event-of-a-test");
    store
        .insert_together(&[note(&one), note(&other), note(&told)])
        .await
        .unwrap();
    let (runs, page) = (Key::runs_partition(world.ours, flow), PageRequest::first(9));
    let found = store.query::<Value>(&runs, "", &page).await.unwrap();
    assert_eq!(found.items.len(), 1);
    store
        .update::<Value>(&one, Update::new().set("note", "changed"))
        .await
        .unwrap();
    assert!(store.take::<Value>(&one).await.unwrap().is_some());
    // What is told is left for the publisher, and not read.
    assert_denied("get", store.get::<Value>(&told).await);
    assert_denied("delete", store.delete(&told).await);
    let outbox = Key::outbox_partition();
    assert_denied("query", store.query::<Value>(&outbox, "", &page).await);
    // Whose a flow is: for names that begin with the tenant.
    let name = |tenant| Key::flow_name("222222222222", &format!("tributary-{tenant}-{flow}"));
    store.insert(&name(world.ours), &json!({})).await.unwrap();
    assert_denied(
        "insert",
        store.insert(&name(world.theirs), &json!({})).await,
    );
    // The list of tenants and the subjects are the operator's.
    assert_denied("get", store.get::<Value>(&Key::tenant(world.ours)).await);
    assert_denied("get", store.get::<Value>(&Key::subject("somebody")).await);
}

#[tokio::test]
async fn i2_the_functions_own_roles_reach_no_tenants_items() {
    let world = World::start().await;
    for role in FUNCTIONS.into_iter().chain(["TokenClaimsRole"]) {
        let client = Client::new(&world.function(role));
        let get = |key: Key| {
            client
                .get_item()
                .table_name(world.table())
                .set_key(Some(key.to_item()))
                .send()
        };
        let flow = FlowId::new();
        assert_sdk_denied(role, get(Key::flow(world.ours, flow)).await);
        let run = Key::deactivation(world.ours, flow, Timestamp::now());
        assert_sdk_denied(role, get(run).await);
        let scan = client.scan().table_name(world.table()).send();
        assert_sdk_denied(role, scan.await);
    }
}

#[tokio::test]
async fn i2_the_operators_tag_is_for_the_api_alone() {
    let world = World::start().await;
    let listed = Key::tenant(world.ours);
    let scope = world
        .scopes("FlowsRole")
        .for_operator(world.ours)
        .await
        .unwrap();
    assert!(scope.store().get::<Value>(&listed).await.unwrap().is_some());
    let foreign = broken(&world, scope.store(), world.theirs);
    let flow = Key::flow(world.theirs, FlowId::new());
    assert_denied("get", foreign.get::<Value>(&flow).await);
    for role in FUNCTIONS.into_iter().filter(|role| *role != "FlowsRole") {
        let scope = world.scopes(role).for_operator(world.ours).await.unwrap();
        // STS gives no session: nothing is sent.
        let outcome = scope.store().get::<Value>(&listed).await;
        assert!(
            matches!(&outcome, Err(error) if error.is_unknown()),
            "{role}: {outcome:?}"
        );
    }
}

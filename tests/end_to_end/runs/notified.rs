//! Subscribers get the notifications of their own tenant.

use http::{HeaderMap, HeaderValue, Method, header};
use sandbox::Sandbox;
use sandbox_core::{AwsCall, OTHER_CUSTOMER_ACCOUNT, Queues, REGION, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use crate::{common, flows::world::World};

/// A queue that is subscribed to what a filter policy lets through, envelope and all.
struct Subscriber {
    queue: String,
}

impl Subscriber {
    async fn new(sandbox: &Sandbox, name: &str, filter: &Value) -> Self {
        let aws = &sandbox.aws;
        let admin = aws.admin(VENDOR_ACCOUNT);
        let topic = sandbox.stack.resources["NotificationsTopic"].physical_id();
        let made = aws.queue_for_topic(VENDOR_ACCOUNT, name, topic).await;
        let queue = made.unwrap();
        let filter = filter.to_string();
        let form = [
            ("Action", "Subscribe"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic),
            ("Protocol", "sqs"),
            ("Endpoint", &queue),
            ("Attributes.entry.1.key", "FilterPolicy"),
            ("Attributes.entry.1.value", &filter),
        ];
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let subscribed = aws
            .dispatch(AwsCall {
                principal: admin,
                region: REGION.to_owned(),
                service: "sns".to_owned(),
                method: Method::POST,
                path: "/".to_owned(),
                query: String::new(),
                headers: HeaderMap::from_iter([(header::CONTENT_TYPE, form_type)]),
                body: url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(form)
                    .finish()
                    .into(),
            })
            .await;
        assert!(subscribed.status.is_success(), "{subscribed:?}");
        Self { queue }
    }

    /// What came, as SNS's envelopes.
    async fn received(&self, sandbox: &Sandbox) -> Vec<Value> {
        let queues: &dyn Queues = &*sandbox.aws;
        let mut all = Vec::new();
        loop {
            let batch = queues.receive(&self.queue, 10).await.unwrap();
            if batch.is_empty() {
                return all;
            }
            for message in batch {
                queues
                    .delete(&self.queue, &message.receipt_handle)
                    .await
                    .unwrap();
                all.push(serde_json::from_str(&message.body).unwrap());
            }
        }
    }
}

fn event(envelope: &Value) -> Value {
    serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap()
}

/// N1: a subscriber that filters on its tenant gets that tenant's notifications and no others, with
/// all that filters and readers need.
#[tokio::test(flavor = "multi_thread")]
async fn n1_each_tenants_subscriber_gets_its_own_notifications_only() {
    let world = World::without_schedules().await;
    let other = common::tenant(&world.sandbox, "Others", &[("ming", "admin")]).await;
    let account =
        common::customer_account_in(&world.sandbox, other.api("ming"), OTHER_CUSTOMER_ACCOUNT)
            .await;
    assert!(!account.is_empty());
    let sandbox = &world.sandbox;
    let own = Subscriber::new(sandbox, "own", &json!({ "tenantId": [world.tenant.id] })).await;
    let others = Subscriber::new(sandbox, "others", &json!({ "tenantId": [other.id] })).await;
    let ends = json!({ "tenantId": [world.tenant.id], "eventType": ["tributary.run.completed", "tributary.run.failed"] });
    let ends = Subscriber::new(sandbox, "ends", &ends).await;

    let flow = world.create(&world.flow()).await;
    let run = world.run(&flow).await;
    world.settled().await;
    let received = own.received(sandbox).await;
    assert!((1..=2).contains(&received.len()), "{received:?}");
    let completed = received
        .iter()
        .find(|envelope| event(envelope)["type"] == "tributary.run.completed")
        .unwrap();
    let attribute = |name: &str| &completed["MessageAttributes"][name];
    for (name, value) in [
        ("tenantId", json!(world.tenant.id)),
        ("eventType", json!("tributary.run.completed")),
        ("flowId", flow["id"].clone()),
        ("status", json!("completed")),
    ] {
        assert_eq!(
            *attribute(name),
            json!({ "Type": "String", "Value": value }),
            "{name}"
        );
    }
    let event_of = event(completed);
    assert_eq!(event_of["specversion"], "1.0");
    assert_eq!(event_of["tenantid"], world.tenant.id.as_str());
    assert_eq!(event_of["subject"], run["id"]);
    assert!(
        event_of["source"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/tenants/{}", world.tenant.id))
    );
    assert!(event_of["id"].is_string() && event_of["time"].is_string());
    assert_eq!(event_of["data"]["flowId"], flow["id"]);
    assert_eq!(
        event_of["data"]["recordsProcessed"],
        run["recordsProcessed"]
    );

    assert!(
        others.received(sandbox).await.is_empty(),
        "another tenant was told"
    );
    let ends = ends.received(sandbox).await;
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(event(&ends[0]), event_of);
    common::no_leaks(sandbox).await;
}

/// A topic that fails for a while delays a notification, and loses none.
#[tokio::test(flavor = "multi_thread")]
async fn n3_a_notification_that_could_not_be_published_is_published_later() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    world.sandbox.faults.add(sandbox_core::FaultRule {
        service: "sns".to_owned(),
        operation: "Publish".to_owned(),
        fault: sandbox_core::Fault::DropBefore,
        times: 1_000,
    });
    let run = world.run(&flow).await;
    world.settled().await;
    assert!(world.told_of(&run["id"]).await.is_empty());
    world.sandbox.faults.clear();
    // A claim on the notification lapses thirty seconds after the last attempt.
    let told = common::eventually("the notification", || async {
        world.sandbox.schedules.fire("tributary-reconcile").await;
        world.settled().await;
        let told = world.told_of(&run["id"]).await;
        told.iter()
            .any(|event| event["type"] == "tributary.run.completed")
            .then_some(told)
    })
    .await;
    let completed = told
        .iter()
        .filter(|event| event["type"] == "tributary.run.completed")
        .count();
    assert_eq!(completed, 1, "{told:?}");
    common::no_leaks(&world.sandbox).await;
}

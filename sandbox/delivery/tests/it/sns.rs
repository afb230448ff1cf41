//! SNS from Publish to the subscriber.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use sandbox_core::{AwsService as _, CUSTOMER_ACCOUNT, Clock, Journal, VENDOR_ACCOUNT, serve};
use sandbox_delivery::Sns;
use serde_json::{Value, json};

use super::support::{MemoryQueues, call, queue, queues};

struct Fixture {
    sns: Sns,
    queues: Arc<MemoryQueues>,
    topic: String,
}

impl Fixture {
    fn new() -> Self {
        let queues = queues();
        let sns = Sns::new(Clock::default(), Journal::default(), queues.clone()).unwrap();
        let topic = sns.create_topic(VENDOR_ACCOUNT, "notifications");
        Self { sns, queues, topic }
    }

    async fn call(&self, account: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let reply = self
            .sns
            .handle(call("sns", account, None, body.finish()))
            .await;
        (
            reply.status.as_u16(),
            String::from_utf8(reply.body.to_vec()).unwrap(),
        )
    }

    /// Subscribes a queue with attributes.
    async fn queue(&self, name: &str, attributes: &[(&str, &str)]) -> String {
        let endpoint = queue(VENDOR_ACCOUNT, name);
        let mut fields: Vec<(String, String)> = [
            ("Action", "Subscribe"),
            ("TopicArn", &self.topic),
            ("Protocol", "sqs"),
            ("Endpoint", &endpoint),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (at, (key, value)) in attributes.iter().enumerate() {
            fields.push((
                format!("Attributes.entry.{}.key", at + 1),
                (*key).to_owned(),
            ));
            fields.push((
                format!("Attributes.entry.{}.value", at + 1),
                (*value).to_owned(),
            ));
        }
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let (status, body) = self.call(VENDOR_ACCOUNT, &fields).await;
        assert_eq!(status, 200, "{body}");
        between(&body, "SubscriptionArn")
    }

    async fn publish(&self, message: &str, attributes: &[(&str, &str, &str)]) {
        let mut fields: Vec<(String, String)> = vec![
            ("Action".to_owned(), "Publish".to_owned()),
            ("TopicArn".to_owned(), self.topic.clone()),
            ("Message".to_owned(), message.to_owned()),
        ];
        for (at, (name, kind, value)) in attributes.iter().enumerate() {
            let entry = format!("MessageAttributes.entry.{}", at + 1);
            fields.push((format!("{entry}.Name"), (*name).to_owned()));
            fields.push((format!("{entry}.Value.DataType"), (*kind).to_owned()));
            fields.push((format!("{entry}.Value.StringValue"), (*value).to_owned()));
        }
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let (status, body) = self.call(VENDOR_ACCOUNT, &fields).await;
        assert_eq!(status, 200, "{body}");
        self.sns.settled().await;
    }

    fn bodies(&self, name: &str) -> Vec<String> {
        let sent = self.queues.sent(&queue(VENDOR_ACCOUNT, name));
        sent.into_iter().map(|s| s.body).collect()
    }
}

fn between(xml: &str, element: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{element}>")).unwrap();
    rest.split_once("</").unwrap().0.to_owned()
}

#[tokio::test]
async fn a_queue_gets_the_envelope_and_a_raw_one_the_message_with_its_attributes() {
    let fixture = Fixture::new();
    fixture.queue("plain", &[]).await;
    fixture
        .queue("raw", &[("RawMessageDelivery", "true")])
        .await;
    fixture
        .publish("{\"a\":\"<&>\"}", &[("tenantId", "String", "ten_1")])
        .await;
    let plain = fixture.queues.sent(&queue(VENDOR_ACCOUNT, "plain"));
    let envelope = plain[0].json();
    assert_eq!(
        (&envelope["Type"], &envelope["TopicArn"]),
        (&json!("Notification"), &json!(fixture.topic))
    );
    assert_eq!(envelope["Message"], "{\"a\":\"<&>\"}");
    assert_eq!(
        envelope["MessageAttributes"],
        json!({ "tenantId": { "Type": "String", "Value": "ten_1" } })
    );
    assert!(plain[0].attributes.is_empty());
    let raw = fixture.queues.sent(&queue(VENDOR_ACCOUNT, "raw"));
    assert_eq!(raw[0].body, "{\"a\":\"<&>\"}");
    assert_eq!(raw[0].attributes["tenantId"], "ten_1");
}

/// N1: subscribers of other tenants get none.
#[tokio::test]
async fn filter_policies_look_at_attributes_or_at_the_body() {
    let fixture = Fixture::new();
    let raw = ("RawMessageDelivery", "true");
    let failed = "{\"tenantId\":[\"ten_1\"],\"status\":[{\"anything-but\":[\"completed\"]}]}";
    fixture
        .queue("failed-1", &[raw, ("FilterPolicy", failed)])
        .await;
    let tenant_2 = fixture
        .queue(
            "ten-2",
            &[raw, ("FilterPolicy", "{\"tenantId\":[\"ten_2\"]}")],
        )
        .await;
    let body = "{\"data\":{\"rows\":[{\"numeric\":[\">\",10]}]}}";
    fixture
        .queue(
            "big",
            &[
                raw,
                ("FilterPolicyScope", "MessageBody"),
                ("FilterPolicy", body),
            ],
        )
        .await;
    for (message, tenant, status) in [
        ("{\"data\":{\"rows\":5}}", "ten_1", "completed"),
        ("{\"data\":{\"rows\":50}}", "ten_1", "failed"),
        ("no json", "ten_2", "failed"),
    ] {
        let attributes = [("tenantId", "String", tenant), ("status", "String", status)];
        fixture.publish(message, &attributes).await;
    }
    assert_eq!(fixture.bodies("failed-1"), ["{\"data\":{\"rows\":50}}"]);
    assert_eq!(fixture.bodies("ten-2"), ["no json"]);
    assert_eq!(fixture.bodies("big"), ["{\"data\":{\"rows\":50}}"]);

    let set = [
        ("Action", "SetSubscriptionAttributes"),
        ("SubscriptionArn", tenant_2.as_str()),
        ("AttributeName", "FilterPolicy"),
        ("AttributeValue", "{\"tenantId\":\"ten_2\"}"),
    ];
    let (status, body) = fixture.call(VENDOR_ACCOUNT, &set).await;
    assert_eq!(
        (status, between(&body, "Code").as_str()),
        (400, "InvalidParameter")
    );
    let get = [
        ("Action", "GetSubscriptionAttributes"),
        ("SubscriptionArn", tenant_2.as_str()),
    ];
    let (_, body) = fixture.call(VENDOR_ACCOUNT, &get).await;
    assert!(
        body.contains("{&quot;tenantId&quot;:[&quot;ten_2&quot;]}"),
        "{body}"
    );
}

/// N4
#[tokio::test]
async fn what_cannot_be_delivered_goes_to_the_subscriptions_dead_letter_queue() {
    let fixture = Fixture::new();
    let dead = queue(VENDOR_ACCOUNT, "dead");
    let policy = json!({ "deadLetterTargetArn": dead }).to_string();
    fixture
        .queue(
            "missing",
            &[("RedrivePolicy", &policy), ("RawMessageDelivery", "true")],
        )
        .await;
    fixture
        .publish("lost?", &[("tenantId", "String", "ten_1")])
        .await;
    let sent = fixture.queues.sent(&dead);
    assert_eq!(sent[0].body, "lost?");
    assert_eq!(sent[0].attributes["tenantId"], "ten_1");
}

type Hook = Arc<Mutex<Vec<(String, Value)>>>;

async fn receive(
    State((seen, failures)): State<(Hook, Arc<Mutex<u32>>)>,
    headers: axum::http::HeaderMap,
    body: String,
) -> StatusCode {
    let kind = headers["x-amz-sns-message-type"]
        .to_str()
        .unwrap()
        .to_owned();
    if kind == "Notification" {
        let mut failures = failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return StatusCode::BAD_GATEWAY;
        }
    }
    seen.lock()
        .unwrap()
        .push((kind, serde_json::from_str(&body).unwrap()));
    StatusCode::OK
}

#[tokio::test]
async fn an_http_endpoint_confirms_first_and_a_failing_one_is_tried_again() {
    let fixture = Fixture::new();
    let (seen, failures) = (Hook::default(), Arc::new(Mutex::new(0)));
    let app = Router::new()
        .route("/hook", post(receive))
        .with_state((seen.clone(), failures.clone()));
    let (listener, address) = serve::bind(0).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let endpoint = format!("http://{address}/hook");
    let subscribe = [
        ("Action", "Subscribe"),
        ("TopicArn", fixture.topic.as_str()),
        ("Protocol", "http"),
        ("Endpoint", endpoint.as_str()),
    ];
    let (_, body) = fixture.call(VENDOR_ACCOUNT, &subscribe).await;
    assert_eq!(between(&body, "SubscriptionArn"), "pending confirmation");
    fixture.publish("too early", &[]).await;
    let (kind, message) = seen.lock().unwrap()[0].clone();
    assert_eq!(kind, "SubscriptionConfirmation");
    assert!(
        message["SubscribeURL"]
            .as_str()
            .unwrap()
            .contains("ConfirmSubscription")
    );
    let token = message["Token"].as_str().unwrap().to_owned();
    assert_eq!(fixture.sns.confirm(&fixture.topic, "wrong"), None);
    assert!(fixture.sns.confirm(&fixture.topic, &token).is_some());
    *failures.lock().unwrap() = 2;
    fixture.publish("hello", &[]).await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[1].0.as_str(), &seen[1].1["Message"]),
        ("Notification", &json!("hello"))
    );
}

#[tokio::test]
async fn endpoints_that_are_not_ours_are_refused() {
    let fixture = Fixture::new();
    for (protocol, endpoint) in [
        ("https", "https://example.com/hook"),
        ("http", "http://169.254.169.254/"),
        ("http", "https://127.0.0.1/"),
        ("sqs", "https://sqs.us-east-1.amazonaws.com/1/q"),
        ("email", "nobody"),
        ("lambda", "arn:aws:sqs:us-east-1:111111111111:q"),
        ("sms", "+15551234567"),
    ] {
        let fields = [
            ("Action", "Subscribe"),
            ("TopicArn", fixture.topic.as_str()),
            ("Protocol", protocol),
            ("Endpoint", endpoint),
        ];
        assert_eq!(
            fixture.call(VENDOR_ACCOUNT, &fields).await.0,
            400,
            "{endpoint}"
        );
    }
}

#[tokio::test]
async fn a_batch_is_published_whole_and_limits_are_kept() {
    let fixture = Fixture::new();
    fixture
        .queue("all", &[("RawMessageDelivery", "true")])
        .await;
    let topic = fixture.topic.clone();
    let entry = |n: u32, member: &str| format!("PublishBatchRequestEntries.member.{n}.{member}");
    let (one, two) = (
        [entry(1, "Id"), entry(1, "Message")],
        [entry(2, "Id"), entry(2, "Message")],
    );
    let batch = |second: &'static str| {
        vec![
            ("Action", "PublishBatch"),
            ("TopicArn", topic.as_str()),
            (one[0].as_str(), "a"),
            (one[1].as_str(), "first"),
            (two[0].as_str(), second),
            (two[1].as_str(), "second"),
        ]
    };
    let (status, body) = fixture.call(VENDOR_ACCOUNT, &batch("b")).await;
    assert_eq!((status, body.matches("<MessageId>").count()), (200, 2));
    fixture.sns.settled().await;
    let mut bodies = fixture.bodies("all");
    bodies.sort();
    assert_eq!(bodies, ["first", "second"]);
    let (_, body) = fixture.call(VENDOR_ACCOUNT, &batch("a")).await;
    assert_eq!(between(&body, "Code"), "BatchEntryIdsNotDistinct");
    let long = "x".repeat(256 * 1024 + 1);
    let publish = [
        ("Action", "Publish"),
        ("TopicArn", topic.as_str()),
        ("Message", &long),
    ];
    let (status, body) = fixture.call(VENDOR_ACCOUNT, &publish).await;
    assert_eq!(
        (status, between(&body, "Code").as_str()),
        (400, "InvalidParameter")
    );
}

#[tokio::test]
async fn another_account_neither_sees_nor_uses_a_topic() {
    let fixture = Fixture::new();
    let subscription = fixture.queue("q", &[]).await;
    let topic = fixture.topic.as_str();
    for fields in [
        vec![("Action", "Publish"), ("TopicArn", topic), ("Message", "x")],
        vec![("Action", "DeleteTopic"), ("TopicArn", topic)],
        vec![("Action", "ListSubscriptionsByTopic"), ("TopicArn", topic)],
        vec![
            ("Action", "Unsubscribe"),
            ("SubscriptionArn", subscription.as_str()),
        ],
    ] {
        let (status, body) = fixture.call(CUSTOMER_ACCOUNT, &fields).await;
        assert_eq!(
            (status, between(&body, "Code").as_str()),
            (403, "AuthorizationError")
        );
    }
    let (_, topics) = fixture
        .call(CUSTOMER_ACCOUNT, &[("Action", "ListTopics")])
        .await;
    assert!(!topics.contains("<member>"));
    let (_, topics) = fixture
        .call(VENDOR_ACCOUNT, &[("Action", "ListTopics")])
        .await;
    assert_eq!(between(&topics, "TopicArn"), topic);
    fixture
        .call(
            VENDOR_ACCOUNT,
            &[
                ("Action", "Unsubscribe"),
                ("SubscriptionArn", &subscription),
            ],
        )
        .await;
    fixture.publish("nobody listens", &[]).await;
    assert!(fixture.bodies("q").is_empty());
}

#[tokio::test]
async fn one_subscriptions_messages_pass_beside_everybodys() {
    let fixture = Fixture::new();
    let policy = json!({
        "tenantId": ["ten_1"],
        "$or": [{ "deliverTo": ["all"], "eventType": ["done"] }, { "deliverTo": ["sub_1"] }],
    });
    let attributes = [
        ("FilterPolicy", policy.to_string()),
        ("RawMessageDelivery", "true".to_owned()),
    ];
    let attributes = attributes.each_ref().map(|(n, v)| (*n, v.as_str()));
    fixture.queue("one", &attributes).await;
    for (message, tenant, to, kind) in [
        ("for all", "ten_1", "all", "done"),
        ("another type", "ten_1", "all", "begun"),
        ("a test", "ten_1", "sub_1", "test"),
        ("another's test", "ten_1", "sub_2", "done"),
        ("another tenant's", "ten_2", "all", "done"),
    ] {
        let attributes = [
            ("tenantId", "String", tenant),
            ("deliverTo", "String", to),
            ("eventType", "String", kind),
        ];
        fixture.publish(message, &attributes).await;
    }
    let mut bodies = fixture.bodies("one");
    bodies.sort();
    assert_eq!(bodies, ["a test", "for all"]);
}

#[tokio::test]
async fn the_same_endpoint_with_other_attributes_is_refused_and_may_be_changed() {
    let fixture = Fixture::new();
    let arn = fixture.queue("q", &[("RawMessageDelivery", "true")]).await;
    assert_eq!(
        fixture.queue("q", &[("RawMessageDelivery", "true")]).await,
        arn
    );
    let endpoint = queue(VENDOR_ACCOUNT, "q");
    let again = [
        ("Action", "Subscribe"),
        ("TopicArn", fixture.topic.as_str()),
        ("Protocol", "sqs"),
        ("Endpoint", endpoint.as_str()),
        ("Attributes.entry.1.key", "RawMessageDelivery"),
        ("Attributes.entry.1.value", "false"),
    ];
    let (status, body) = fixture.call(VENDOR_ACCOUNT, &again).await;
    assert_eq!(status, 400);
    assert!(body.contains("already exists with different attributes"));
    let policy = json!({ "tenantId": ["ten_1"] }).to_string();
    let change = [
        ("Action", "SetSubscriptionAttributes"),
        ("SubscriptionArn", arn.as_str()),
        ("AttributeName", "FilterPolicy"),
        ("AttributeValue", policy.as_str()),
    ];
    assert_eq!(fixture.call(VENDOR_ACCOUNT, &change).await.0, 200);
    fixture
        .publish("theirs", &[("tenantId", "String", "ten_2")])
        .await;
    assert!(fixture.bodies("q").is_empty());
}

#[tokio::test]
async fn a_queue_of_another_account_confirms_with_the_token_that_it_was_sent() {
    let fixture = Fixture::new();
    let endpoint = queue(CUSTOMER_ACCOUNT, "theirs");
    let subscribe = [
        ("Action", "Subscribe"),
        ("TopicArn", fixture.topic.as_str()),
        ("Protocol", "sqs"),
        ("Endpoint", endpoint.as_str()),
        ("ReturnSubscriptionArn", "true"),
    ];
    let (_, body) = fixture.call(VENDOR_ACCOUNT, &subscribe).await;
    let arn = between(&body, "SubscriptionArn");
    assert!(arn.starts_with(&fixture.topic));
    fixture.publish("too early", &[]).await;
    let sent = fixture.queues.sent(&endpoint);
    assert_eq!(sent.len(), 1);
    let message: Value = serde_json::from_str(&sent[0].body).unwrap();
    for member in [
        "Type",
        "MessageId",
        "Token",
        "TopicArn",
        "Message",
        "SubscribeURL",
        "Timestamp",
        "SignatureVersion",
        "Signature",
        "SigningCertURL",
    ] {
        assert!(message[member].is_string(), "{member}");
    }
    let confirm = [
        ("Action", "ConfirmSubscription"),
        ("TopicArn", fixture.topic.as_str()),
        ("Token", message["Token"].as_str().unwrap()),
    ];
    let (_, body) = fixture.call(VENDOR_ACCOUNT, &confirm).await;
    assert_eq!(between(&body, "SubscriptionArn"), arn);
    fixture.publish("now", &[]).await;
    assert_eq!(fixture.queues.sent(&endpoint).len(), 2);
}

#[tokio::test]
async fn a_function_is_invoked_with_records_and_one_that_refuses_leaves_a_dead_letter() {
    let fixture = Fixture::new();
    let function = format!("arn:aws:lambda:us-east-1:{CUSTOMER_ACCOUNT}:function:told");
    let dead = queue(VENDOR_ACCOUNT, "dead");
    fixture.sns.offer_function(&function);
    let policy = json!({ "deadLetterTargetArn": dead }).to_string();
    let subscribe = [
        ("Action", "Subscribe"),
        ("TopicArn", fixture.topic.as_str()),
        ("Protocol", "lambda"),
        ("Endpoint", function.as_str()),
        ("Attributes.entry.1.key", "RedrivePolicy"),
        ("Attributes.entry.1.value", policy.as_str()),
    ];
    assert_eq!(fixture.call(VENDOR_ACCOUNT, &subscribe).await.0, 200);
    fixture.sns.settled().await;
    let asked = fixture.sns.invocations(&function);
    let token = asked[0]["Records"][0]["Sns"]["Token"].as_str().unwrap();
    assert!(fixture.sns.confirm(&fixture.topic, token).is_some());
    fixture.publish("hello", &[]).await;
    let record = &fixture.sns.invocations(&function)[1]["Records"][0];
    assert_eq!(record["EventSource"], "aws:sns");
    assert_eq!(record["Sns"]["Message"], "hello");
    fixture.sns.refuse_function(&function);
    fixture.publish("lost?", &[]).await;
    assert_eq!(fixture.sns.invocations(&function).len(), 2);
    let dead: Value = serde_json::from_str(&fixture.queues.sent(&dead)[0].body).unwrap();
    assert_eq!(dead["Message"], "lost?");
}

#[tokio::test]
async fn a_mailbox_gets_a_link_that_lasts_two_days_and_then_messages() {
    let (queues, clock) = (queues(), Clock::default());
    let sns = Sns::new(clock.clone(), Journal::default(), queues.clone()).unwrap();
    let topic = sns.create_topic(VENDOR_ACCOUNT, "notifications");
    let fixture = Fixture { sns, queues, topic };
    let subscribe = |address| {
        [
            ("Action", "Subscribe"),
            ("TopicArn", fixture.topic.as_str()),
            ("Protocol", "email"),
            ("Endpoint", address),
        ]
    };
    for address in ["ann@customer.example", "late@customer.example"] {
        let (status, _) = fixture.call(VENDOR_ACCOUNT, &subscribe(address)).await;
        assert_eq!(status, 200);
    }
    fixture.sns.settled().await;
    let token = |address| fixture.sns.mailbox(address)[0].token.clone().unwrap();
    let asked = token("ann@customer.example");
    assert!(fixture.sns.confirm(&fixture.topic, &asked).is_some());
    clock.advance(std::time::Duration::from_hours(48));
    let late = token("late@customer.example");
    assert_eq!(fixture.sns.confirm(&fixture.topic, &late), None);
    fixture.publish("hello", &[]).await;
    let mails = fixture.sns.mailbox("ann@customer.example");
    assert_eq!(mails[1].text, "hello");
    assert!(mails[1].unsubscribe_url.is_some());
    assert_eq!(fixture.sns.mailbox("late@customer.example").len(), 1);
}

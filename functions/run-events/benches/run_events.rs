//! What a worker computes for one event of a run, while AWS answers at once: in time and allocations.
//! An event's time is its share of the processor; a second divided by it is what one worker does.
//!
//! ```sh
//! cargo bench -p run-events --bench run_events
//! ```

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up is not run"
)]

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::{
    http::{
        HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use divan::{AllocProfiler, Bencher, black_box, counter::ItemsCount};
use run_events::{Config, RunEvents, decide, input};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tributary::{config::Env, run::Run};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const TENANT: &str = "ten_0197b3f0c0de7000800000000000be7c";
const FLOW: &str = "flw_0197b3f0c0de7000800000000000be7d";
const ACCOUNT: &str = "acc_0197b3f0c0de7000800000000000be7e";

fn main() {
    divan::main();
}

/// Which event of a run it is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Start,
    End,
}

const KINDS: [Kind; 2] = [Kind::Start, Kind::End];

fn event(kind: Kind, number: u64) -> Value {
    let mut event = json!({
        "version": "0", "id": "0197b3f0-c0de-4000-8000-00000000be7f", "source": "aws.appflow",
        "account": "222222222222", "time": "2026-11-20T10:15:32Z", "region": "us-east-1", "resources": [],
        "detail-type": "AppFlow Start Flow Run Report",
        "detail": {
            "flow-name": format!("tributary-{TENANT}-{FLOW}"), "source": "SALESFORCE/bench", "destination": "S3",
            "trigger-type": "ONDEMAND", "start-time": "2026-11-20T10:15:23.835Z[UTC]",
            "execution-id": format!("1ae9b0f4-3c1c-4b0e-9a53-{number:012x}"),
        },
    });
    if matches!(kind, Kind::End) {
        event["detail-type"] = json!("AppFlow End Flow Run Report");
        let detail = &mut event["detail"];
        detail["status"] = json!("Execution Successful");
        detail["end-time"] = json!("2026-11-20T10:15:32.049Z[UTC]");
        detail["num-of-records-processed"] = json!("63000");
        detail["num-of-record-failures"] = json!("0");
        detail["data-processed"] = json!("10226699");
    }
    event
}

#[divan::bench(args = KINDS)]
fn reading_an_event(bencher: Bencher<'_, '_>, kind: Kind) {
    let event = event(kind, 1);
    input::parse(&event).expect("an event of a run");
    bencher.bench(|| input::parse(black_box(&event)));
}

/// The end of a run that is known to have begun.
#[divan::bench]
fn deciding(bencher: Bencher<'_, '_>) {
    let run: Run = serde_json::from_value(json!({
        "id": "run_0197b3f0c0de7000800000000000be80", "tenant_id": TENANT, "flow_id": FLOW,
        "execution_id": "1ae9b0f4-3c1c-4b0e-9a53-000000000001", "status": "running",
        "created_at": "2026-11-20T10:15:24Z", "updated_at": "2026-11-20T10:15:24Z",
    }))
    .expect("a run");
    let Ok(input::Input::Run { news, .. }) = input::parse(&event(Kind::End, 1)) else {
        return;
    };
    bencher.bench(|| decide(black_box(Some(&run)), black_box(&news)));
}

/// A whole event: every call is made, signed, and answered at once.
#[divan::bench(args = KINDS)]
fn working_on_an_event(bencher: Bencher<'_, '_>, kind: Kind) {
    let worker = Worker::new();
    let mut number = 0;
    worker.work(event(kind, number));
    bencher
        .counter(ItemsCount::new(1_usize))
        .with_inputs(|| {
            number += 1;
            event(kind, number)
        })
        .bench_local_values(|event| worker.work(event));
}

struct Worker {
    runtime: Runtime,
    events: RunEvents,
}

impl Worker {
    fn new() -> Self {
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .http_client(aws())
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "id",
                "key",
                None,
                None,
                "benchmark",
            )))
            .build();
        let role = |name: &str| format!("arn:aws:iam::111122223333:role/tributary/{name}");
        let environment = [
            ("TABLE_NAME", "tributary".to_owned()),
            ("STAGE", "bench".to_owned()),
            ("TENANT_DATA_ROLE_ARN", role("tenant-data")),
            (
                "NOTIFICATIONS_TOPIC_ARN",
                "arn:aws:sns:us-east-1:111122223333:t".to_owned(),
            ),
            (
                "REFRESH_QUEUE_URL",
                "https://sqs.us-east-1.amazonaws.com/1/r".to_owned(),
            ),
            (
                "EVENT_QUEUE_URL",
                "https://sqs.us-east-1.amazonaws.com/1/e".to_owned(),
            ),
            ("PUBLIC_BASE_URL", "https://api.example.com".to_owned()),
            ("LIMIT_EVENT", "100000/100000".to_owned()),
            ("VENDOR_ROLE_ARN", role("vendor-flows")),
            ("VENDOR_EXTERNAL_ID", "bench".to_owned()),
            ("WAREHOUSE_SERVICE_ROLE_ARN", role("warehouse")),
            ("WAREHOUSE_WORKGROUP", "bench".to_owned()),
            ("WAREHOUSE_DATABASE", "bench".to_owned()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        let config = Config::from_env(Env::from_pairs(environment)).expect("a configuration");
        Self {
            runtime: Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a runtime"),
            events: RunEvents::new(aws, config),
        }
    }

    fn work(&self, event: Value) {
        let work = self.events.handle(event);
        self.runtime
            .block_on(work)
            .expect("an event that is worked on");
    }
}

/// Answers every call at once, as for a run that nobody knows yet.
#[derive(Debug)]
struct Aws;

const ASSUMED: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
    <AccessKeyId>id</AccessKeyId><SecretAccessKey>key</SecretAccessKey><SessionToken>token</SessionToken>\
    <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
const PUBLISHED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
    <MessageId>m</MessageId></PublishResult></PublishResponse>";

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let answer = match target.rsplit('.').next() {
            Some("GetItem") if contains(body, b"FLOWNAME#") => json!({ "Item": {
                "tenant_id": { "S": TENANT }, "flow_id": { "S": FLOW }, "account_id": { "S": ACCOUNT },
            }})
            .to_string(),
            Some("UpdateItem") if contains(body, b"OUTBOX") => entry(),
            Some("UpdateItem") => json!({ "Attributes": { "full_at": { "N": "0" } } }).to_string(),
            Some(operation) if !operation.is_empty() => "{}".to_owned(),
            _ if contains(body, b"AssumeRole") => ASSUMED.to_owned(),
            _ => PUBLISHED.to_owned(),
        };
        let ok = http::StatusCode::OK.into();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(ok, SdkBody::from(answer))))
    }
}

/// The entry of the outbox, as it comes back when it was claimed.
fn entry() -> String {
    let text = |value: &str| json!({ "S": value });
    let event = json!({ "M": {
        "specversion": text("1.0"), "id": text("0197b3f0-c0de-4000-8000-00000000be7f"),
        "source": text("/tributary/bench/tenants/t"), "type": text("tributary.run.completed"),
        "subject": text("run_0197b3f0c0de7000800000000000be80"), "time": text("2026-11-20T10:15:32Z"),
        "datacontenttype": text("application/json"), "tenantid": text(TENANT),
        "sequence": text("00000000000000000002"),
        "data": { "M": {
            "runId": text("run_0197b3f0c0de7000800000000000be80"), "flowId": text(FLOW),
            "status": text("completed"), "recordsProcessed": { "N": "63000" },
        }},
    }});
    let attributes = json!({ "M": { "tenantId": text(TENANT), "status": text("completed") } });
    json!({ "Attributes": { "event": event, "attributes": attributes } }).to_string()
}

fn contains(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window == words)
}

fn aws() -> SharedHttpClient {
    http_client_fn(|_, _| SharedHttpConnector::new(Aws))
}

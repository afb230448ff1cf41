//! A subscriber in another language, written from the documents alone: `clients/python/subscriber.py`.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tributary::id::TenantId;

use super::{decide, failed_run, steps_of_a_run, told_of};
use crate::{common, flows::world::World};

/// Secrets before and after a rotation, and one of somebody else's.
const OLD: [u8; 32] = [7; 32];
const NEW: [u8; 32] = [8; 32];
const FOREIGN: [u8; 32] = [9; 32];

struct Subscriber {
    process: Child,
    url: String,
    journal: PathBuf,
    client: Client,
}

impl Subscriber {
    async fn start(world: &World, python: &Path, token: &str) -> Self {
        let name = format!("tributary-subscriber-{}.jsonl", TenantId::new());
        let journal = std::env::temp_dir().join(name);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/python/subscriber.py");
        let secrets = [NEW, OLD].map(|key| format!("whsec_{}", STANDARD.encode(key)));
        let mut process = Command::new(python)
            .arg(script)
            .args(["--api", world.sandbox.api_url.as_str()])
            .arg("--journal")
            .arg(&journal)
            .env("SUBSCRIBER_SECRETS", secrets.join(" "))
            .env("SUBSCRIBER_TOKEN", token)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().unwrap();
        Self {
            process,
            url: format!("http://127.0.0.1:{port}/"),
            journal,
            client: Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Posts an event as Standard Webhooks says, signed with these keys.
    async fn post(&self, event: &Value, keys: &[[u8; 32]], sent: Timestamp) -> StatusCode {
        let (id, body) = (event["id"].as_str().unwrap(), event.to_string());
        let sent = sent.as_second();
        let content = format!("{id}.{sent}.{body}");
        let signatures: Vec<String> = keys
            .iter()
            .map(|key| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), content.as_bytes()))
            .map(|tag| format!("v1,{}", STANDARD.encode(tag)))
            .collect();
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/cloudevents+json")
            .header("webhook-id", id)
            .header("webhook-timestamp", sent)
            .header("webhook-signature", signatures.join(" "))
            .body(body);
        request.send().await.unwrap().status()
    }

    /// What it took, in the order in which it took it.
    fn took(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.journal).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    async fn stop(mut self) -> Vec<Value> {
        self.process.kill().await.unwrap();
        let took = self.took();
        std::fs::remove_file(&self.journal).unwrap();
        took
    }
}

/// N1, N2, N8: real notifications, delivered twice and out of order, end up once each with the whole of
/// what there is to say; what is not signed, old, or another's is refused.
#[tokio::test(flavor = "multi_thread")]
async fn n2_a_subscriber_in_another_language_takes_each_notification_once() {
    let Some(python) = std::env::var_os("TRIBUTARY_PYTHON") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "TRIBUTARY_PYTHON must name a Python"
        );
        eprintln!("not run: TRIBUTARY_PYTHON is not set, see clients/python/subscriber.py");
        return;
    };
    let world = World::without_schedules().await;
    let tenant: TenantId = world.tenant.id.parse().unwrap();
    let steps = steps_of_a_run(tenant);
    let run = steps[0].event.subject.clone();
    for step in steps {
        decide(&world.sandbox, step).await;
    }
    let large = failed_run(tenant, &"\u{e9}".repeat(150_000));
    let whole = serde_json::to_value(&large.event).unwrap();
    decide(&world.sandbox, large).await;
    let reference = told_of(&world.sandbox, whole["subject"].as_str().unwrap()).await;
    assert!(reference[0]["dataref"].is_string());
    let mut told = told_of(&world.sandbox, &run).await;
    told.sort_by_key(|event| event["sequence"].to_string());
    let of_run = told.len();
    assert_eq!(of_run, 2, "{told:?}");

    let token = &world.tenant.people["frank"].access_token;
    let subscriber = Subscriber::start(&world, Path::new(&python), token).await;
    let now = Timestamp::now();
    // The newest first, and everything twice: once before and once after a rotation of the secret.
    for event in told.iter().rev().chain(&reference) {
        for keys in [&[FOREIGN, OLD][..], &[NEW, OLD]] {
            assert_eq!(subscriber.post(event, keys, now).await, 204, "{event}");
        }
    }
    let forged = subscriber.post(&told[0], &[FOREIGN], now).await;
    assert_eq!(forged, 401);
    let late = now - jiff::SignedDuration::from_mins(6);
    assert_eq!(subscriber.post(&told[0], &[NEW], late).await, 400);
    let mut elsewhere = reference[0].clone();
    elsewhere["id"] = json!("0193d3f0-aaaa-5bbb-8ccc-dddddddddddd");
    assert_eq!(subscriber.post(&elsewhere, &[NEW], now).await, 422);

    let took = subscriber.stop().await;
    assert_eq!(took.len(), of_run + 1, "{took:?}");
    for (place, event) in told.iter().rev().enumerate() {
        assert_eq!(took[place]["event"], *event);
        assert_eq!(took[place]["late"], place > 0, "{event}");
    }
    assert_eq!(took[of_run], json!({ "event": whole, "late": false }));
    common::no_leaks(&world.sandbox).await;
}

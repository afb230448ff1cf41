//! Signatures, judged by the reference library of Standard Webhooks. It needs a Python with
//! `.ci/requirements.txt`, named by `TRIBUTARY_PYTHON`; CI has one, so there the test fails without it.

use std::{path::Path, process::Stdio};

use sandbox_saas::catcher::Caught;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use super::{hooks::Hooks, world::act};
use crate::common;

/// What the library says of each case.
async fn verdicts(python: &std::ffi::OsStr, cases: &[Value]) -> Vec<bool> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("standard_webhooks/verify.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(json!(cases).to_string().as_bytes())
        .await
        .unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn case(secret: &Value, caught: &Caught, body: &str, later: u32) -> Value {
    json!({ "secret": secret, "headers": caught.headers, "body": body, "laterSeconds": later })
}

/// N2: the reference verifier takes what we send, refuses it five minutes later, and refuses it with
/// one changed byte at any age. During a rotation it takes it with either key.
#[tokio::test(flavor = "multi_thread")]
async fn n2_the_reference_verifier_takes_what_we_sign_and_nothing_else() {
    let Some(python) = std::env::var_os("TRIBUTARY_PYTHON") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "TRIBUTARY_PYTHON must name a Python with .ci/requirements.txt"
        );
        eprintln!("not run: TRIBUTARY_PYTHON is not set, see tests/standard_webhooks/verify.py");
        return;
    };
    let hooks = Hooks::new().await;
    let hook = hooks.subscribe("signed").await;
    let first = &hook["signingSecret"];
    assert!(first.as_str().unwrap().starts_with("whsec_"));
    hooks.test(&hook).await;
    let sent = hooks.called("signed", 1).await.remove(0);

    let body = sent.body.as_str();
    let changed = body.replacen(
        "tributary.subscription.test",
        "tributary.subscription.tesT",
        1,
    );
    assert_eq!(changed.len(), body.len());
    assert_ne!(changed, body);
    let mut other_id = sent.clone();
    other_id
        .headers
        .insert("webhook-id".to_owned(), "another".to_owned());
    let stranger = json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let cases = [
        (case(first, &sent, body, 0), true),
        (case(first, &sent, body, 240), true),
        (case(first, &sent, body, 301), false),
        (case(first, &sent, &changed, 0), false),
        (case(first, &sent, &changed, 301), false),
        (case(first, &other_id, body, 0), false),
        (case(&stranger, &sent, body, 0), false),
    ];

    let rotated = act(hooks.api(), &hook, "rotate-secret", &json!({})).await;
    let rotated = rotated.expect(200).unwrap();
    let second = &rotated["signingSecret"];
    assert_ne!(first, second);
    hooks.test(&hook).await;
    let sent = hooks.called("signed", 2).await.remove(1);
    let during = [
        (case(first, &sent, &sent.body, 0), true),
        (case(second, &sent, &sent.body, 0), true),
        (case(second, &sent, &format!("{} ", sent.body), 0), false),
        (case(&stranger, &sent, &sent.body, 0), false),
    ];
    assert_eq!(sent.header("webhook-signature").split(' ').count(), 2);

    let (cases, expected): (Vec<Value>, Vec<bool>) = cases.into_iter().chain(during).unzip();
    assert_eq!(verdicts(&python, &cases).await, expected);
    common::no_leaks(&hooks.sandbox).await;
}

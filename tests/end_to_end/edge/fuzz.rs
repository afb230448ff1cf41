//! Bad bodies, made from the good body of every operation of the document.

mod mutants;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    contract::{self, Operation, Request},
    roles,
    routes::Who,
    wire::{self, Moment, Wire, answer, assert_problem},
    world,
};
use crate::{common, flows::world::Hosting};

/// Operations that read no body at all: whatever is sent along is nothing to them.
const WITHOUT_A_BODY: &[&str] = &["cancel_query"];

/// What a bad body may be told: it cannot be read, is too large, is of another kind, breaks rules.
const REFUSALS: [u16; 4] = [400, 413, 415, 422];

/// A4: on every operation that takes a body, a body that was damaged in one place is refused with a
/// problem document; nothing panics, fails or changes. The slowest answer is printed and not judged: the
/// bound of 50 ms is for machines that do nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a4_no_damaged_body_does_anything_on_any_operation() {
    let world = world::build(Hosting::Customer).await;
    let sandbox = &world.sandbox;
    let wire = Wire::to(sandbox);
    let operator = roles::operator_token(&world).await;
    let frank = &world.blue.people["frank"].access_token;
    let before = Moment::of(sandbox).await;
    let (mut sent, mut slowest) = (0, (Duration::ZERO, String::new()));
    let operations: Vec<Operation> = contract::operations()
        .into_iter()
        .filter(|operation| operation.who != Who::Public)
        .filter(|o| o.body.is_some() || o.method == "POST")
        .collect();
    for operation in &operations {
        if WITHOUT_A_BODY.contains(&operation.id.as_str()) {
            let path = operation.request(&contract::Ids::unknown()).path;
            let unread = wire
                .request(&operation.method, &path)
                .bearer_auth(frank)
                .body("{");
            assert_eq!(
                answer(unread).await.status,
                404,
                "{} reads a body",
                operation.id
            );
            continue;
        }
        let token = if operation.who == Who::Operator {
            &operator
        } else {
            frank
        };
        for request in operation.requests(&world.blues) {
            let good = request.body.as_ref().unwrap();
            let mut damaged = mutants::of(good, operation.is_body_optional);
            if sent == 0 {
                damaged.extend(mutants::heavy());
            }
            for mutant in damaged {
                let what = format!("{} with {}", operation.id, mutant.what);
                let mut call = wire
                    .request(&request.method, &request.path)
                    .bearer_auth(token);
                call = call.header("if-match", "*");
                if let Some(media_type) = mutant.media_type {
                    call = call.header("content-type", media_type);
                }
                let started = Instant::now();
                let answer = answer(call.body(mutant.body)).await;
                slowest = slowest.max((started.elapsed(), what.clone()));
                let status = answer.status.as_u16();
                assert!(
                    REFUSALS.contains(&status),
                    "{what}: {status} {}",
                    answer.body
                );
                assert_problem(&answer, status, answer.code(), &what);
                sent += 1;
            }
        }
    }
    println!(
        "{sent} damaged bodies; slowest answer {:?}: {}",
        slowest.0, slowest.1
    );
    assert!(sent > 2_500, "{sent} damaged bodies");
    before
        .assert_nothing_changed(sandbox, "a damaged body")
        .await;
    let reached = before.asked_since(sandbox, &["appflow", "salesforce", "sqs", "redshift-data"]);
    assert_eq!(reached, Vec::<String>::new());
    wire::assert_no_failures(sandbox);
    let lines = sandbox.logs.lines();
    let panic = lines.iter().find(|line| line.text.contains("panicked"));
    assert!(panic.is_none(), "{panic:?}");

    // It was the damage: as they are, the bodies can be read.
    for operation in &operations {
        let token = if operation.who == Who::Operator {
            &operator
        } else {
            frank
        };
        for request in operation.requests(&contract::Ids::unknown()) {
            is_readable(&wire, token, operation, &request).await;
        }
    }
    common::no_leaks(sandbox).await;
}

async fn is_readable(wire: &Wire, token: &str, operation: &Operation, request: &Request) {
    let (method, path, body) = (&request.method, &request.path, request.body.as_ref());
    let answer = wire.call(token, method, path, body).await;
    let cannot_be_read = answer.code() == "malformed_body" || answer.status.is_server_error();
    assert!(!cannot_be_read, "{}: {}", operation.id, answer.body);
}

/// A4: of the damaged bodies each is damaged: the good one is not among them.
#[test]
fn a4_every_mutant_differs_from_the_good_body() {
    let good = json!({ "a": "x", "b": { "c": [1, true] }, "properties": { "k": "v" } });
    let mutants = mutants::of(&good, false);
    assert!(mutants.len() > 80, "{}", mutants.len());
    for mutant in mutants {
        let read: Option<Value> = serde_json::from_slice(&mutant.body).ok();
        let is_damaged =
            read.as_ref() != Some(&good) || mutant.media_type != Some("application/json");
        // Readers that keep the last of two keys, and those without a limit, read the good body.
        let is_damaged = is_damaged || mutant.what.contains("twice") || mutant.body.len() > 1 << 20;
        assert!(is_damaged, "{}", mutant.what);
    }
}

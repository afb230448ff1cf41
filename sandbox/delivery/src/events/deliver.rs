//! The way of an event from a bus to the targets of the rules that match.

use std::{collections::BTreeMap, sync::Arc};

use sandbox_core::{BoxFuture, Entry};
use serde_json::Value;

use super::{Inner, Mischief, TargetSpec, mischief::Held, rule_arn};
use crate::{arn::Arn, lock};

/// How often an event goes from bus to bus: once, as in AWS.
const MOST_HOPS: u32 = 1;

/// Takes an event that was put on a bus, does the mischief that is planned, and hands it on.
pub(super) fn accept(inner: &Arc<Inner>, account: &str, bus: &str, event: Value) {
    let planned = lock(&inner.mischief).take(&event);
    let mischief = planned.or_else(|| {
        let mut names = Mischief::NAMES.into_iter();
        names.find_map(|(name, m)| inner.faults.take("events", name).map(|_| m))
    });
    if let Some(mischief) = mischief {
        note(inner, account, "mischief", &format!("{mischief:?}"));
    }
    let this = Held {
        account: account.to_owned(),
        bus: bus.to_owned(),
        event,
    };
    let going = lock(&inner.mischief).pass(this, mischief);
    hand_on(inner, going);
}

/// Lets go of what was held back.
pub(super) fn release(inner: &Arc<Inner>) {
    let held = lock(&inner.mischief).release();
    hand_on(inner, held);
}

/// Delivers the events in this order.
fn hand_on(inner: &Arc<Inner>, events: Vec<Held>) {
    if events.is_empty() {
        return;
    }
    let worker = Arc::clone(inner);
    inner.in_flight.spawn(async move {
        for held in events {
            route(&worker, &held.account, &held.bus, &held.event, 0).await;
        }
    });
}

/// Delivers an event to the targets of every rule of the bus that matches it.
fn route<'a>(
    inner: &'a Arc<Inner>,
    account: &'a str,
    bus: &'a str,
    event: &'a Value,
    hops: u32,
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let matched = inner.with_bus(account, bus, |bus| {
            let rules = bus.rules.iter();
            rules
                .filter(|(_, rule)| rule.enabled && rule.pattern.matches(event))
                .flat_map(|(name, rule)| {
                    rule.targets
                        .iter()
                        .map(|target| (name.clone(), target.clone()))
                })
                .collect::<Vec<(String, TargetSpec)>>()
        });
        let deliveries = matched
            .unwrap_or_default()
            .into_iter()
            .map(|(rule, target)| {
                let rule = rule_arn(account, bus, &rule);
                async move {
                    let payload = target.input.apply(event);
                    match deliver(inner, account, &target, &payload, hops).await {
                        Ok(()) => note(inner, account, "deliver", &target.arn),
                        Err(error) => {
                            undeliverable(inner, account, &rule, &target, &payload, &error).await;
                        }
                    }
                }
            });
        futures::future::join_all(deliveries).await;
    })
}

async fn deliver(
    inner: &Arc<Inner>,
    account: &str,
    target: &TargetSpec,
    payload: &Value,
    hops: u32,
) -> Result<(), String> {
    let arn = Arn::parse(&target.arn).ok_or("INVALID_TARGET_ARN")?;
    if let Some(bus) = arn.bus() {
        if hops >= MOST_HOPS {
            return Err("TOO_MANY_HOPS".to_owned());
        }
        if let (Some(role), Some(roles)) = (&target.role_arn, inner.roles.get()) {
            roles(role, "events:PutEvents", &target.arn).map_err(|why| {
                note(inner, account, "refused", &why);
                "NO_PERMISSIONS".to_owned()
            })?;
        }
        let admitted = inner.with_bus(arn.account, bus, |bus| {
            bus.admits(arn.account, account, payload)
        });
        return match admitted {
            Some(true) => {
                route(inner, arn.account, bus, payload, hops + 1).await;
                Ok(())
            }
            Some(false) => Err("NO_PERMISSIONS".to_owned()),
            None => Err("RESOURCE_NOT_FOUND".to_owned()),
        };
    }
    if arn.account != account {
        return Err("NO_PERMISSIONS".to_owned());
    }
    if let Some(function) = arn.function() {
        let functions = inner.functions.get().ok_or("RESOURCE_NOT_FOUND")?;
        functions.invoke_async(function, payload.clone()).await;
        return Ok(());
    }
    if arn.service == "sqs" {
        return inner
            .queues
            .send(&target.arn, payload.to_string(), BTreeMap::new())
            .await;
    }
    Err("INVALID_TARGET_ARN".to_owned())
}

/// Sends what could not be handed over to the target's dead-letter queue, with the reasons.
async fn undeliverable(
    inner: &Inner,
    account: &str,
    rule: &str,
    target: &TargetSpec,
    payload: &Value,
    error: &str,
) {
    note(
        inner,
        account,
        "undeliverable",
        &format!("{}: {error}", target.arn),
    );
    let Some(queue) = &target.dead_letter_arn else {
        return;
    };
    let attributes = [
        ("RULE_ARN", rule),
        ("TARGET_ARN", &target.arn),
        ("ERROR_CODE", error),
        (
            "ERROR_MESSAGE",
            "The event could not be delivered to the target.",
        ),
    ];
    let attributes = attributes
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    if let Err(lost) = inner
        .queues
        .send(queue, payload.to_string(), attributes)
        .await
    {
        note(inner, account, "lost", &format!("{queue}: {lost}"));
    }
}

fn note(inner: &Inner, account: &str, operation: &str, note: &str) {
    inner.journal.record(Entry {
        service: "events".to_owned(),
        operation: operation.to_owned(),
        account: Some(account.to_owned()),
        principal: None,
        on_behalf_of: None,
        status: 200,
        note: note.to_owned(),
    });
}

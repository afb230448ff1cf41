//! One attempt to deliver: whether it is its turn, the request, and what that makes of the delivery.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tributary::{
    error::{Error, Result},
    outbox::LoggedEvent,
    store::Key,
    subscription::{
        DisabledReason, Endpoint, SigningKey, SigningSecret, Subscription, SubscriptionState,
        Target,
    },
    telemetry::{self, Metric},
    tenancy::TenantScope,
};

use crate::{
    App,
    claim::{self, Claim, End},
    message::Attempt,
    post::{Post, TIMEOUT},
    rules::{self, Answer, Verdict, chance},
    standing::{Turn, switch_off},
};

/// What a request and its record take at most.
const NEEDED: Duration = TIMEOUT.saturating_add(Duration::from_secs(10));
/// Waits up to this are spent in the queue; a tick finds what waits longer.
const QUEUED: SignedDuration = SignedDuration::from_secs(60);

pub(crate) async fn run(app: &App, attempt: Attempt, deadline: Timestamp) -> Result<()> {
    let now = Timestamp::now().max(attempt.at);
    let scope = app.scopes.of(attempt.tenant_id).await?;
    let (store, key) = (scope.store(), attempt.key());
    let subscription_key = Key::subscription(attempt.tenant_id, attempt.subscription_id);
    let subscription: Option<Subscription> = store.get(&subscription_key).await?;
    let Some((subscription, url)) = subscription.and_then(callable) else {
        claim::give_up(store, &key, attempt.due_at, "subscription_disabled").await?;
        return Ok(());
    };
    if deadline.duration_since(Timestamp::now())
        < SignedDuration::try_from(NEEDED).unwrap_or_default()
    {
        let soon = rules::later(now, rules::SCHEDULE[0]);
        claim::put_off(store, &key, attempt.due_at, soon).await?;
        return Ok(());
    }
    let Some(turn) = Turn::take(store, &subscription).await? else {
        let since = failing_since(&subscription).unwrap_or(now);
        let to = rules::aside(since, now, chance());
        claim::put_off(store, &key, attempt.due_at, to).await?;
        return Ok(());
    };
    let logged = LoggedEvent::load(store, attempt.tenant_id, &attempt.event_id).await?;
    let Some(logged) = logged else {
        claim::give_up(store, &key, attempt.due_at, "event_forgotten").await?;
        return turn.give_back().await;
    };
    let keys = keys(&scope, &subscription).await?;
    let body = serde_json::to_vec(&logged.event).map_err(|error| {
        Error::internal("event_unwritable", "an event could not be written").with_source(error)
    })?;
    let Some(claim) = Claim::acquire(store, key, attempt.due_at, now).await? else {
        return turn.give_back().await;
    };
    let answer = match Endpoint::parse(&url, &app.config.webhook_origins) {
        Err(fault) => Answer::None(fault.code()),
        Ok(endpoint) => {
            let post = Post {
                id: &attempt.event_id,
                body,
                keys: &keys,
            };
            app.poster.post(&endpoint, post).await
        }
    };
    conclude(app, &subscription, turn, claim, answer, now).await
}

/// A subscription that we deliver to, and where.
fn callable(subscription: Subscription) -> Option<(Subscription, String)> {
    match (&subscription.target, subscription.state) {
        (Target::Https { url }, SubscriptionState::Active) => {
            let url = url.clone();
            Some((subscription, url))
        }
        _ => None,
    }
}

fn failing_since(subscription: &Subscription) -> Option<Timestamp> {
    subscription
        .failing_since
        .and_then(|since| Timestamp::from_millisecond(since).ok())
}

/// The keys that sign now, opened.
async fn keys(scope: &TenantScope, subscription: &Subscription) -> Result<Vec<SigningSecret>> {
    let id = subscription.id.to_string();
    let now = Timestamp::now();
    let mut opened = Vec::new();
    for key in subscription.keys.iter().filter(|key| key.signs(now)) {
        let place = SigningKey::place(&id);
        let text = scope
            .vault()
            .open(scope.tenant(), &place, &key.sealed)
            .await?;
        let secret = SigningSecret::parse(text.expose()).map_err(|error| {
            Error::internal("bad_signing_key", "a stored signing key is none").with_source(error)
        })?;
        opened.push(secret);
    }
    if opened.is_empty() {
        // Unsigned, a delivery would teach its receiver not to look.
        return Err(Error::internal(
            "no_signing_key",
            "a subscription has no key that signs",
        ));
    }
    Ok(opened)
}

/// Writes what came of the request: at the endpoint's standing, then at the delivery, so that whoever
/// tries the delivery next finds the turn given back.
async fn conclude(
    app: &App,
    subscription: &Subscription,
    turn: Turn<'_>,
    claim: Claim<'_>,
    answer: Answer,
    now: Timestamp,
) -> Result<()> {
    let delivery = claim.delivery.clone();
    let number = delivery.attempts.saturating_sub(delivery.attempts_before);
    let verdict = rules::judge(answer, number, failing_since(subscription), now, chance());
    tracing::info!(
        tenant.id = %delivery.tenant_id,
        subscription.id = %delivery.subscription_id,
        event.id = delivery.event_id,
        attempt = number,
        status = answer.status(),
        failure = answer.failure(),
        verdict = ?verdict,
        "delivery tried"
    );
    let (status, failure) = (answer.status(), answer.failure());
    match verdict {
        Verdict::Delivered => {
            turn.works().await?;
            claim.end(End::Delivered, status, failure).await?;
            telemetry::count(Metric::NotificationPublished);
            Ok(())
        }
        Verdict::Again { at } => {
            turn.fails(now).await?;
            let kept = claim.end(End::Again { at }, status, failure).await?;
            let wait = at.duration_since(now);
            if kept && wait <= QUEUED {
                let next = Attempt {
                    tenant_id: delivery.tenant_id,
                    subscription_id: delivery.subscription_id,
                    event_time: delivery.event_time,
                    event_id: delivery.event_id,
                    due_at: at.as_millisecond(),
                    at,
                };
                let seconds = i32::try_from(wait.as_secs()).unwrap_or_default() + 1;
                app.enqueue(vec![next], seconds).await?;
            }
            Ok(())
        }
        Verdict::Dead | Verdict::Failing | Verdict::Gone => {
            let scope = app.scopes.of(delivery.tenant_id).await?;
            let off = match verdict {
                Verdict::Failing => Some(DisabledReason::Failing),
                Verdict::Gone => Some(DisabledReason::Gone),
                _ => None,
            };
            // A delivery that is over would not find this out again.
            match off {
                Some(reason) => {
                    switch_off(app, scope.store(), subscription, reason, now).await?;
                }
                None => turn.fails(now).await?,
            }
            claim.end(End::Dead, status, failure).await?;
            telemetry::count(Metric::NotificationFailed);
            Ok(())
        }
    }
}

//! The topic's side of a subscription.

use serde_json::{Value, json};
use tributary::{
    aws::Refusal,
    error::{Error, Fault, Kind},
    subscription::{DELIVER_TO, Subscription, SubscriptionState, Target},
};

use super::{check, guard, target::protocol};
use crate::TenantApp;

/// Stands where a subscription's id or [`tributary::subscription::TO_ALL`] would, and is nobody's.
const TO_NOBODY: &str = "nobody";

/// What the topic has of a subscription.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// Whether its target has confirmed.
    pub(super) is_confirmed: bool,
    /// Its filter policy; null when there is none.
    pub(super) policy: Value,
}

/// The filter policy that a subscription is to have. It begins with the tenant, whatever else it says.
pub(super) fn policy(subscription: &Subscription) -> Value {
    let (tenant, id) = (subscription.tenant_id, subscription.id);
    match subscription.state {
        SubscriptionState::Pending | SubscriptionState::Active => {
            subscription.filter.policy(tenant, id)
        }
        SubscriptionState::Disabled => json!({ "tenantId": [tenant], DELIVER_TO: [TO_NOBODY] }),
    }
}

/// Subscribes the target and answers the topic's name for it. For a target that the topic has with
/// the same attributes this changes nothing; one with others is somebody else's.
pub(super) async fn subscribe(
    app: &TenantApp,
    subscription: &Subscription,
) -> Result<String, Error> {
    let config = &app.config.notifications;
    let (protocol, endpoint) = protocol(&subscription.target).ok_or_else(|| {
        Error::internal(
            "no_protocol",
            "an HTTPS endpoint is not the topic's to call",
        )
    })?;
    let redrive = json!({ "deadLetterTargetArn": config.dead_letter_queue_arn });
    let mut call = app
        .topics
        .subscribe()
        .topic_arn(&config.topic_arn)
        .protocol(protocol)
        .endpoint(endpoint)
        .return_subscription_arn(true)
        .attributes("FilterPolicy", policy(subscription).to_string())
        .attributes("FilterPolicyScope", "MessageAttributes")
        .attributes("RedrivePolicy", redrive.to_string());
    if matches!(subscription.target, Target::Queue { .. }) {
        call = call.attributes("RawMessageDelivery", "true");
    }
    let answer = call.send().await.map_err(|error| {
        let refusal = Refusal::of(&error);
        let message = refusal.message.as_deref().unwrap_or_default();
        if !refusal.is("InvalidParameter") {
            return failed(refusal, "sns:Subscribe");
        }
        if message.contains("already exists with different attributes") {
            return guard::unavailable();
        }
        let fault = Fault::new(
            "/target",
            "refused_by_sns",
            "SNS does not take this target.",
        );
        check::invalid(vec![fault]).with_log(message.to_owned())
    })?;
    answer
        .subscription_arn
        .filter(|arn| arn.starts_with("arn:"))
        .ok_or_else(|| Error::internal("no_subscription_arn", "SNS named no subscription"))
}

/// What the topic has; nothing when it does not know the subscription.
pub(super) async fn look(app: &TenantApp, arn: &str) -> Result<Option<Seen>, Error> {
    let asked = app.topics.get_subscription_attributes();
    match asked.subscription_arn(arn).send().await {
        Ok(answer) => {
            let attributes = answer.attributes.unwrap_or_default();
            let policy = attributes.get("FilterPolicy");
            let policy = policy.and_then(|text| serde_json::from_str(text).ok());
            Ok(Some(Seen {
                is_confirmed: attributes.get("PendingConfirmation").map(String::as_str)
                    == Some("false"),
                policy: policy.unwrap_or_default(),
            }))
        }
        Err(error) => match Refusal::of(&error) {
            refusal if refusal.is("NotFound") => Ok(None),
            refusal => Err(failed(refusal, "sns:GetSubscriptionAttributes")),
        },
    }
}

/// Gives the subscription the filter policy that it is to have.
pub(super) async fn filter(
    app: &TenantApp,
    arn: &str,
    subscription: &Subscription,
) -> Result<(), Error> {
    app.topics
        .set_subscription_attributes()
        .subscription_arn(arn)
        .attribute_name("FilterPolicy")
        .attribute_value(policy(subscription).to_string())
        .send()
        .await
        .map_err(|error| failed(Refusal::of(&error), "sns:SetSubscriptionAttributes"))?;
    Ok(())
}

/// Confirms with a token, and answers which subscription it was for; nothing when SNS does not know it.
///
/// From then on nobody can end the subscription by a link in a message alone.
pub(super) async fn confirm(app: &TenantApp, token: &str) -> Result<Option<String>, Error> {
    let confirmed = app
        .topics
        .confirm_subscription()
        .topic_arn(&app.config.notifications.topic_arn)
        .token(token)
        .authenticate_on_unsubscribe("true")
        .send()
        .await;
    match confirmed {
        Ok(answer) => Ok(answer.subscription_arn),
        Err(error) => match Refusal::of(&error) {
            refusal if refusal.is("InvalidParameter") || refusal.is("NotFound") => Ok(None),
            refusal => Err(failed(refusal, "sns:ConfirmSubscription")),
        },
    }
}

/// Ends the subscription; one that is gone is fine. What was never confirmed SNS may refuse to end: it
/// forgets it by itself after two days, and nothing goes there until then.
pub(super) async fn unsubscribe(app: &TenantApp, arn: &str) -> Result<(), Error> {
    let ended = app.topics.unsubscribe().subscription_arn(arn).send().await;
    let Err(error) = ended else {
        return Ok(());
    };
    let refusal = Refusal::of(&error);
    if refusal.is("NotFound") {
        return Ok(());
    }
    let is_pending = || async {
        let seen = look(app, arn).await?;
        Ok::<_, Error>(seen.is_none_or(|seen| !seen.is_confirmed))
    };
    if refusal.is("InvalidParameter") && is_pending().await? {
        return Ok(());
    }
    Err(failed(refusal, "sns:Unsubscribe"))
}

/// SNS's own words for being asked too much, and for having no room.
fn failed(refusal: Refusal, call: &'static str) -> Error {
    let is_full = ["FilterPolicyLimitExceeded", "SubscriptionLimitExceeded"]
        .iter()
        .any(|code| refusal.is(code));
    if is_full {
        // The operator's to raise: a quota of the whole deployment.
        tracing::error!(
            error.code = refusal.code.as_deref().unwrap_or_default(),
            "SNS takes no more subscriptions: raise the quota"
        );
        return Error::unavailable("subscriptions_full", "a quota of SNS is used up");
    }
    if refusal.is("Throttled") {
        return Error::new(
            Kind::Throttled,
            "aws_throttled",
            "AWS asked us to slow down. Try again shortly.",
        )
        .with_retry_after(2);
    }
    refusal.into_error(call)
}

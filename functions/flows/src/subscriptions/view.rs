//! A subscription, as it is shown.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::Error,
    id::SubscriptionId,
    subscription::{DisabledReason, Filter, Subscription, SubscriptionState, Target},
};
use utoipa::ToSchema;

use super::target;
use crate::{
    config::NotificationsConfig,
    edge::{etag, json},
};

/// A subscription.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionView {
    pub(super) id: SubscriptionId,
    /// What people call it.
    name: String,
    /// Where notifications go.
    target: Target,
    /// Which notifications.
    filter: Filter,
    /// Whether it gets any.
    state: SubscriptionState,
    /// Why it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<DisabledReason>,
    /// The topic that sends to the target: a queue's or function's own policy must let it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic_arn: Option<String>,
    /// Since when every delivery to the endpoint has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// Keys with which deliveries to the endpoint are signed, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signing_keys: Vec<SigningKeyView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The subject that made it.
    #[schema(example = "00u1a2b3c4")]
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Counts changes; the number in the ETag.
    pub(super) version: u64,
}

/// A signing key, without the key.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SigningKeyView {
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Until when it signs besides its successor; absent for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl SubscriptionView {
    pub(super) fn of(subscription: &Subscription, config: &NotificationsConfig) -> Self {
        let now = Timestamp::now();
        let failing_since = subscription.failing_since;
        Self {
            id: subscription.id,
            name: subscription.name.clone(),
            target: subscription.target.clone(),
            filter: subscription.filter.clone(),
            state: subscription.state,
            disabled_reason: subscription.disabled_reason,
            topic_arn: target::is_native(&subscription.target).then(|| config.topic_arn.clone()),
            failing_since: failing_since.and_then(|at| Timestamp::from_millisecond(at).ok()),
            signing_keys: subscription
                .keys
                .iter()
                .filter(|key| key.signs(now))
                .map(|key| SigningKeyView {
                    created_at: key.created_at,
                    until: key.until,
                })
                .collect(),
            created_at: subscription.created_at,
            created_by: subscription.created_by.clone(),
            updated_at: subscription.updated_at,
            version: subscription.version,
        }
    }
}

/// A subscription with its entity tag.
pub(super) fn tagged(
    subscription: &Subscription,
    config: &NotificationsConfig,
) -> Result<Response, Error> {
    let view = SubscriptionView::of(subscription, config);
    with_tag(json(StatusCode::OK, &view)?, subscription.version)
}

/// Puts the entity tag on an answer.
pub(super) fn with_tag(mut response: Response, version: u64) -> Result<Response, Error> {
    let tag = HeaderValue::from_str(&etag(version))
        .map_err(|error| Error::internal("etag", "a tag is no header").with_source(error))?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

//! A predecessor called the token endpoint and never reported. The old refresh token is either
//! untouched or used up, and presenting a used one would revoke everything: so the provider is asked
//! first, after a time in which a late request must have arrived.

use jiff::Timestamp;
use tributary::{
    connection::{Connection, Intent},
    error::Result,
    oauth::Introspection,
};

use crate::{App, commit, lease::Lease, refresh, rules};

pub(crate) async fn run(
    app: &App,
    lease: Lease<'_>,
    mut record: Connection,
    intent: Intent,
    deadline: Timestamp,
) -> Result<()> {
    let bundle = refresh::open(app, &record).await?;
    let Some(refresh_token) = bundle
        .refresh_token
        .filter(|token| refresh::fingerprint(token) == intent.fingerprint)
    else {
        // The intent speaks of a token that is no longer the stored one: a consent replaced it.
        return commit::forget_intent(app, lease, &record, &intent).await;
    };
    let asked = app.link(&record)?.client.introspect(&refresh_token).await;
    tracing::info!(
        tenant.id = %record.tenant_id, connection.id = %record.id, answer = ?asked,
        "asked the provider what became of an unanswered refresh"
    );
    match asked {
        // It never arrived: the token is as good as before.
        Introspection::Active { .. } => {
            commit::clear_intent(app, &lease, &record, &intent).await?;
            record.intent = None;
            refresh::refresh(app, lease, record, deadline).await
        }
        // It arrived, and the answer with the new token is lost.
        Introspection::Inactive => {
            commit::reauth_required(app, lease, &record, Some(&intent), "rotation_lost").await
        }
        Introspection::Unknown => {
            let chance = commit::chance();
            let end = record
                .access_expires_at
                .and_then(|end| Timestamp::from_millisecond(end).ok());
            let due =
                rules::due_after_failure(Timestamp::now(), record.failures + 1, end, None, chance);
            commit::outcome_unknown(app, lease, &record, due).await
        }
    }
}

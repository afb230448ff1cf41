//! A predecessor called the token endpoint and never reported. The old refresh token is either
//! untouched or used up, and presenting a used one would revoke everything: so the provider is asked
//! first, after a time in which a late request must have arrived.

use jiff::Timestamp;
use tributary::{
    connection::{Connection, Intent},
    error::Result,
    oauth::Introspection,
};

use crate::{
    TenantApp, commit,
    lease::Lease,
    refresh::{self, Attempt, Work},
    rules::{self, Failure},
};

pub(crate) async fn run(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    mut record: Connection,
    intent: Intent,
    work: &Work<'_>,
) -> Result<()> {
    let tokens = refresh::open(app, &record).await?;
    let Some(refresh_token) = tokens
        .refresh_token()
        .filter(|token| refresh::fingerprint(token.secret()) == intent.fingerprint)
    else {
        // The intent speaks of a token that is no longer the stored one: a consent replaced it.
        return commit::forget_intent(app, lease, &record, &intent).await;
    };
    if let Some(reason) = refresh::removed_app(&record, work).await? {
        return commit::reauth_required(app, lease, &record, Some(&intent), reason).await;
    }
    let asked = work.link.client.introspect(refresh_token.secret()).await;
    tracing::info!(
        tenant.id = %record.tenant_id, connection.id = %record.id, answer = ?asked,
        "asked the provider what became of an unanswered refresh"
    );
    let now = Timestamp::now();
    match asked {
        // It never arrived: the token is as good as before.
        Introspection::Active { .. } => {
            commit::clear_intent(app, &lease, &record, &intent).await?;
            record.intent = None;
            refresh::refresh(app, lease, record, work, Attempt::Asked).await
        }
        // It arrived, and the answer with the new token is lost.
        Introspection::Inactive => {
            commit::reauth_required(app, lease, &record, Some(&intent), "rotation_lost").await
        }
        // Nobody can tell: the access token is used to its end before anything is presented.
        Introspection::Unknown => {
            let failure = Failure {
                number: record.failures + 1,
                calls: 1,
                told: None,
            };
            let due = rules::due_after_failure(now, failure, commit::chance());
            commit::outcome_unknown(app, lease, &record, due).await
        }
    }
}

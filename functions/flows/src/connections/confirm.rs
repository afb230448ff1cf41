//! `POST /v1/connections/{id}/confirm`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    connection::{
        Connection, TokenOwner,
        candidate::Candidate,
        deliver::Delivery,
        grantors::Grantors,
        keep::{Keeper, check_organisation},
        previous::revoke_previous,
    },
    error::{Error, Kind},
    http::{IdempotencyKey, Json, Problem},
    id::{CandidateId, ConnectionId},
    oauth::{Target, TokenBundle},
};
use utoipa::ToSchema;

use super::{candidate, find, view::ConnectionView};
use crate::{
    App, TenantApp,
    edge::{Editor, id_in_path, json},
};

/// The grant that is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Decision {
    /// Id of the candidate that the caller has looked at.
    pub(super) candidate: CandidateId,
}

/// Confirms the grant of somebody who was invited: it becomes the connection's. For the person who
/// asked only.
#[utoipa::path(post, path = "/v1/connections/{id}/confirm", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    IdempotencyKey,
), request_body = Decision, responses(
    (status = 200, body = ConnectionView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn confirm_candidate(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    Json { value, bytes }: Json<Decision>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let connection = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let operation = format!("confirm-{}", connection.id);
    let (scope, subject) = (editor.partition(), editor.subject());
    let work = async {
        let seen = candidate::seen(&app, &connection, value.candidate).await?;
        if seen.requested_by != subject {
            return Err(not_yours());
        }
        if !seen.is_open(Timestamp::now()) {
            candidate::end(&app, &connection, &seen).await?;
            return Err(candidate::gone());
        }
        let confirmed = confirm(&app, connection, &seen, subject).await?;
        json(StatusCode::OK, &ConnectionView::of(&confirmed))
    };
    key.once(&app.store, &scope, &operation, subject, &bytes, work)
        .await
}

/// The same way as after a consent: the grant is stored first, brought to AppFlow then, and the one
/// that it replaces ends last.
async fn confirm(
    app: &TenantApp,
    connection: Connection,
    seen: &Candidate,
    subject: &str,
) -> Result<Connection, Error> {
    let link = app.providers.link(Target::of(&connection))?;
    // What can refuse it is asked before it is taken: nothing puts it back.
    if !seen.allow_other_organisation {
        check_organisation(&connection, &seen.grantor)?;
    }
    let bundle = candidate::candidates(app).open(seen).await?;
    if !candidate::candidates(app).take(seen).await? {
        return Err(candidate::gone());
    }
    let (tenant, id) = (connection.tenant_id, connection.id);
    let owned = connection.clone();
    let grant = seen.grant(bundle, Timestamp::now());
    let delivery = Delivery {
        store: &app.store,
        grantors: Grantors {
            shared: &app.shared,
            scopes: &app.scopes,
        },
        roles: &app.sessions,
        stage: &app.config.stage,
        link: &link,
    };
    if connection.token_owner == TokenOwner::Appflow {
        let other = seen.allow_other_organisation;
        let handed = delivery.hand_over(subject, connection, &grant, other).await;
        if let Err(error) = handed {
            lost(app, &owned, &grant.bundle, &error).await;
            return Err(error);
        }
        return find(app, tenant, id).await;
    }
    let keeper = Keeper {
        store: &app.store,
        vault: &app.vault,
        due_shards: app.config.due_shards,
        allow_other_organisation: seen.allow_other_organisation,
    };
    let kept = match keeper.keep(connection, &grant).await {
        Ok(kept) => kept,
        Err(error) => {
            lost(app, &owned, &grant.bundle, &error).await;
            return Err(error);
        }
    };
    if let Err(error) = delivery.deliver(subject, &kept, &grant).await {
        // The grant is stored and due, and the connection says `push_pending`: the refresh brings it
        // to AppFlow.
        tracing::warn!(tenant.id = %tenant, connection.id = %id, error.code = error.code(), error.chain = error.chain(), "the delivery of a stored grant was not written down");
    }
    let shards = app.config.due_shards;
    revoke_previous(&app.revoker(), shards, &kept.before, &grant.bundle).await;
    find(app, tenant, id).await
}

/// What was stored in spite of an unclear answer must not be revoked; everything else must.
async fn lost(app: &TenantApp, connection: &Connection, bundle: &TokenBundle, error: &Error) {
    if !error.retryable() {
        candidate::give_back(app, connection, bundle).await;
    }
}

fn not_yours() -> Error {
    Error::new(
        Kind::Forbidden,
        "not_the_requester",
        "Only the person who asked for access confirms it.",
    )
}

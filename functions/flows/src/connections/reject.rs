//! `POST /v1/connections/{id}/reject`

use axum::{
    extract::{Path, State},
    response::Response,
};
use tributary::{
    error::Error,
    http::{IdempotencyKey, Json, Problem},
    id::ConnectionId,
};

use super::{candidate, confirm::Decision, find};
use crate::{
    App,
    edge::{Editor, id_in_path, no_content},
};

/// Rejects the grant of somebody who was invited, and ends it at the provider. The connection stays
/// as it is.
#[utoipa::path(post, path = "/v1/connections/{id}/reject", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    IdempotencyKey,
), request_body = Decision, responses(
    (status = 204),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn reject_candidate(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    Json { value, bytes }: Json<Decision>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let connection = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let operation = format!("reject-{}", connection.id);
    let (scope, subject) = (editor.partition(), editor.subject());
    let work = async {
        let seen = candidate::seen(&app, &connection, value.candidate).await?;
        candidate::end(&app, &connection, &seen).await?;
        tracing::info!(
            tenant.id = %editor.tenant, connection.id = %connection.id, user.subject = subject,
            provider.org = seen.grantor.org_id, provider.user = seen.grantor.user_id,
            "a grant that waited was rejected"
        );
        Ok(no_content())
    };
    key.once(&app.store, &scope, &operation, subject, &bytes, work)
        .await
}

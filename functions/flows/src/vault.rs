//! `GET /v1/vault`

use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tributary::{error::Error, http::Problem, vault::rewrap::Progress};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    edge::{Operator, json},
};

/// Routes of the vault.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_vault))
}

/// Under which key tokens are sealed, and how far the re-wrapping is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VaultView {
    /// The KMS key that wraps new data keys.
    #[schema(example = "arn:aws:kms:us-east-1:111111111111:key/0f1e2d3c")]
    current_key: String,
    /// Texts that were sealed anew.
    #[schema(example = 8_120)]
    done: u64,
    /// Texts under another key, or under a data key of more than 90 days; absent until they are
    /// counted. While there are any, no previous key may be taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1_880)]
    left: Option<u64>,
    /// Texts that do not open: of the ones left, those that nobody can help.
    #[schema(example = 0)]
    failed: u64,
    /// When the last walk ended; absent while one is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-20T09:30:00Z")]
    finished_at: Option<Timestamp>,
}

/// Shows how far the re-wrapping of sealed tokens is.
#[utoipa::path(get, path = "/v1/vault", tag = "tenants", responses(
    (status = 200, body = VaultView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_vault(State(app): State<App>, _: Operator) -> Result<Response, Error> {
    let current_key = app.config.vault_keys.current.as_str();
    let progress = Progress::load(&app.shared, app.config.due_shards, current_key).await?;
    let Progress {
        done,
        left,
        failed,
        finished_at,
    } = progress;
    let view = VaultView {
        current_key: current_key.to_owned(),
        done,
        left,
        failed,
        finished_at,
    };
    json(StatusCode::OK, &view)
}

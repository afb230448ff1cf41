//! `GET /v1/report-keys`

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Serialize;
use tributary::{error::Error, http::Problem};
use utoipa::ToSchema;

use super::signer::PublicKey;
use crate::{
    App,
    edge::{Viewer, json},
};

/// Keys with which signed reports are checked: a JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportKeys {
    keys: Vec<ReportKey>,
}

/// One key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportKey {
    /// `EC`.
    #[schema(example = "EC")]
    kty: &'static str,
    /// `P-256`.
    #[schema(example = "P-256")]
    crv: &'static str,
    /// `ES256`.
    #[schema(example = "ES256")]
    alg: &'static str,
    /// `sig`.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    usage: &'static str,
    /// The name that signatures say: the key's thumbprint (RFC 7638).
    #[schema(example = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")]
    kid: String,
    /// First coordinate.
    #[schema(example = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4")]
    x: String,
    /// Second coordinate.
    #[schema(example = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM")]
    y: String,
}

/// Shows the public keys with which reports of verifications are checked.
#[utoipa::path(get, path = "/v1/report-keys", tag = "accounts", responses(
    (status = 200, body = ReportKeys),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_report_keys(State(app): State<App>, _: Viewer) -> Result<Response, Error> {
    let PublicKey { kid, x, y } = app.reports.public().await?.clone();
    let key = ReportKey {
        kty: "EC",
        crv: "P-256",
        alg: "ES256",
        usage: "sig",
        kid,
        x,
        y,
    };
    json(StatusCode::OK, &ReportKeys { keys: vec![key] })
}

//! `PUT /v1/oauth-apps/{provider}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tributary::{
    error::{Error, Fault},
    http::{Json, Problem},
    oauth::registry::tenant_app_secret,
    secret::Secret,
    store::Key,
};
use utoipa::ToSchema;

use super::{OwnApp, find, view::OauthAppView};
use crate::{
    App, credentials,
    edge::{self, Admin},
};

/// Longest client id and client secret.
const LENGTH: usize = 512;

/// A tenant's own app.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OauthAppInput {
    /// Client id at the provider.
    #[schema(min_length = 1, max_length = 512, example = "3MVG9pRzvMkjMb6lExample")]
    client_id: String,
    /// Client secret at the provider. Never shown again.
    #[schema(value_type = String, min_length = 1, max_length = 512, write_only, format = Password)]
    client_secret: Secret,
}

/// Sets the tenant's own app at a provider. Connections that are made from now on use it, for this
/// tenant only. A new secret of the same client reaches the connections that use it within minutes.
#[utoipa::path(put, path = "/v1/oauth-apps/{provider}", tag = "connections", params(
    ("provider" = String, Path, description = "Key of the provider", example = "salesforce"),
), request_body = OauthAppInput, responses(
    (status = 200, body = OauthAppView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn put_app(
    State(app): State<App>,
    admin: Admin,
    Path(provider): Path<String>,
    Json { value, .. }: Json<OauthAppInput>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let row = super::provider(&app, &provider)?;
    let faults = faults(&value);
    if !faults.is_empty() {
        return Err(Error::unprocessable(
            "invalid_oauth_app",
            "The app breaks rules.",
            faults,
        ));
    }
    let OauthAppInput {
        client_id,
        client_secret,
    } = value;
    let before = find(&app, admin.tenant, row.key).await?;
    let text = json!({ "clientId": client_id, "clientSecret": client_secret.expose() });
    let name = tenant_app_secret(admin.tenant, row.key);
    credentials::keep(&app.secrets, &name, &Secret::new(text.to_string())).await?;
    let now = Timestamp::now();
    let own = OwnApp {
        provider: row.key.to_owned(),
        client_id,
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: now,
    };
    app.store
        .put(&Key::oauth_app(admin.tenant, row.key), &own)
        .await?;
    tracing::info!(tenant.id = %admin.tenant, provider = row.key, user.subject = admin.subject(), "the tenant brought an app of its own");
    edge::json(StatusCode::OK, &OauthAppView::of(&app, own))
}

fn faults(input: &OauthAppInput) -> Vec<Fault> {
    let sound = |text: &str| {
        (1..=LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    [
        ("/clientId", sound(&input.client_id)),
        ("/clientSecret", sound(input.client_secret.expose())),
    ]
    .into_iter()
    .filter(|(_, sound)| !sound)
    .map(|(at, _)| {
        let detail = format!("1 to {LENGTH} printable ASCII characters without blanks.");
        Fault::new(at, "invalid", detail)
    })
    .collect()
}

//! Revocation of a grant at its provider (RFC 7009).

use tributary::{
    connection::Connection,
    error::Error,
    oauth::{
        self, Endpoint, Revocation, TokenBundle, TokenClient,
        http::{HostOrigin, TokenHttp},
    },
    vault::Vault,
};

use super::row;
use crate::App;

/// Ends the connection's grant, in one attempt. The log says when it is left to the provider.
pub(super) async fn revoke(app: &App, connection: &Connection) -> Revocation {
    match attempt(app, connection).await {
        Ok(revocation) => revocation,
        Err(error) => {
            tracing::warn!(
                tenant.id = %connection.tenant_id, connection.id = %connection.id,
                error.chain = error.chain(), "grant not revoked"
            );
            Revocation::Unknown
        }
    }
}

async fn attempt(app: &App, connection: &Connection) -> Result<Revocation, Error> {
    let (Some(sealed), Some(provider)) = (&connection.bundle, row(connection)?.oauth_provider())
    else {
        return Ok(Revocation::NotOffered);
    };
    let kms = aws_sdk_kms::Client::new(&app.aws);
    let vault = Vault::new(kms, app.config.data_key_arn.clone());
    let place = Connection::vault_place(connection.id, connection.generation);
    let place = place.each_ref().map(String::as_str);
    let opened = vault.open(connection.tenant_id, &place, sealed).await?;
    let bundle = TokenBundle::from_json(&opened)
        .ok_or_else(|| Error::internal("bundle_shape", "a token bundle cannot be read"))?;
    let host: Endpoint = app.config.salesforce_login_url.parse().map_err(|error| {
        Error::internal("login_url", "the login host is no base URL").with_source(error)
    })?;
    let http = TokenHttp::new(HostOrigin::Configured).map_err(|error| {
        Error::internal("http_client", "no HTTP client could be made").with_source(error)
    })?;
    let secrets = aws_sdk_secretsmanager::Client::new(&app.aws);
    let registration = oauth::App::stored(secrets, app.config.salesforce_client_secret_arn.clone());
    let client = TokenClient::new(provider, provider.endpoints(&host), registration, http);
    // The refresh token stands for the whole grant.
    let token = bundle
        .refresh_token
        .as_ref()
        .unwrap_or(&bundle.access_token);
    Ok(client.revoke(token).await)
}

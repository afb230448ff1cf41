//! The beginning of a consent, whatever brought the browser here.

use axum::response::Response;
use jiff::Timestamp;
use tributary::{
    error::{Error, Result},
    oauth::{Pkce, Provider, ProviderLink, StartLink, random_token},
    secret::Secret,
    store::{Key, key::sha256_hex},
};
use url::Url;

use super::{Binding, Consent, KIND, TRANSACTION_SECONDS};
use crate::{app::TenantApp, cookie, edge::see_other, return_to::ReturnTo};

/// Keeps what must be the same when the browser comes back, binds it to this browser, and sends it to
/// the provider.
pub(super) async fn begin(
    app: &TenantApp,
    provider: &ProviderLink,
    client_id: &str,
    link: StartLink,
    binding: Binding,
) -> Result<Response> {
    let (pkce, state, cookie) = (Pkce::new()?, random_token()?, random_token()?);
    let hash = sha256_hex(state.expose());
    let verifier = app
        .vault
        .seal(link.tenant_id, &[KIND, &hash], &pkce.verifier)
        .await?;
    let consent = Consent {
        tenant_id: link.tenant_id,
        connection_id: link.connection_id,
        subject: link.subject,
        provider: link.provider,
        issuer: provider.login.origin(),
        verifier,
        cookie_hash: sha256_hex(cookie.expose()),
        binding,
        // Checked when the link was made; checked again, because here is where it is used.
        return_to: link
            .return_to
            .as_deref()
            .map(|to| ReturnTo::parse(to, &app.config.app_origins))
            .transpose()?,
        attempt_id: link.attempt_id,
        allow_other_organisation: link.allow_other_organisation,
        expires_at: Timestamp::now().as_second() + TRANSACTION_SECONDS,
    };
    app.shared
        .insert(&Key::consent(state.expose()), &consent)
        .await?;
    tracing::info!(tenant.id = %consent.tenant_id, connection.id = %consent.connection_id, provider = consent.provider, reconnect = link.reconnect, allow_other_organisation = link.allow_other_organisation, ?binding, "consent begun");
    let to = authorize_url(
        provider.provider(),
        provider.client.endpoints().authorize.clone(),
        &provider.scopes,
        client_id,
        &app.redirect_uri(provider.provider()),
        &state,
        &pkce.challenge,
    );
    let name = cookie::transaction(KIND, &state);
    let cookie = cookie::set(&name, &cookie, TRANSACTION_SECONDS)?;
    see_other(to.as_str(), [cookie])
}

/// Our id at the provider. Asked for before a link is used up: without an app nothing begins, and
/// nobody else's app is taken instead (scenario C12).
pub(super) async fn client_id(provider: &ProviderLink) -> Result<String> {
    let credentials = provider.client.app().credentials().await.map_err(|error| {
        Error::internal(
            "provider_misconfigured",
            "the app's credentials cannot be had",
        )
        .with_source(error)
    })?;
    Ok(credentials.client_id)
}

fn authorize_url(
    provider: &Provider,
    mut url: Url,
    scopes: &[String],
    client_id: &str,
    redirect_uri: &str,
    state: &Secret,
    challenge: &str,
) -> Url {
    let mut pairs = url.query_pairs_mut();
    pairs
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("state", state.expose());
    if !scopes.is_empty() {
        pairs.append_pair(provider.scope_parameter, &provider.scope_text(scopes));
    }
    // None at all where the provider does not take it: there is no weaker method than S256.
    if provider.pkce {
        pairs
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256");
    }
    pairs.extend_pairs(provider.authorize_extra);
    drop(pairs);
    url
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tributary::oauth::provider::{PROVIDERS, provider};

    use super::*;

    fn asked(row: &Provider) -> (Url, HashMap<String, String>) {
        let base = "https://acme.example".parse().unwrap();
        let scopes: Vec<String> = row.scopes.iter().map(ToString::to_string).collect();
        let url = authorize_url(
            row,
            row.endpoints(&base).authorize,
            &scopes,
            "3MVG",
            "https://api.example/connect/callback/x",
            &Secret::new("s".repeat(43)),
            "challenge",
        );
        let pairs: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs.len(), url.query_pairs().count(), "each once: {url}");
        (url, pairs)
    }

    /// Rules A1, A2, A4, A5, A10 for every provider.
    #[test]
    fn c4_the_authorization_url_has_pkce_state_the_registered_uri_and_no_secret() {
        for row in PROVIDERS {
            let (url, mut pairs) = asked(row);
            let mut take = |name: &str| pairs.remove(name).unwrap_or_default();
            assert_eq!(url.path(), row.authorize_path.split('?').next().unwrap());
            assert_eq!(take("response_type"), "code", "{}", row.key);
            assert_eq!(take("client_id"), "3MVG");
            assert_eq!(
                take("redirect_uri"),
                "https://api.example/connect/callback/x"
            );
            assert_eq!(take("state").len(), 43);
            assert_eq!(take(row.scope_parameter), row.scope_text(row.scopes));
            let (method, challenge) = (take("code_challenge_method"), take("code_challenge"));
            let expected = if row.pkce {
                ("S256", "challenge")
            } else {
                ("", "")
            };
            assert_eq!(
                (method.as_str(), challenge.as_str()),
                expected,
                "{}",
                row.key
            );
            for (name, value) in row.authorize_extra {
                assert_eq!(take(name), *value, "{}", row.key);
            }
            assert!(
                pairs.is_empty(),
                "{}: nothing else travels: {pairs:?}",
                row.key
            );
        }
    }

    /// With `scope` Slack would give a bot's token; without `access_type` Google gives no refresh token.
    #[test]
    fn slack_is_asked_for_a_persons_scopes_and_google_for_lasting_access() {
        let of = |key| asked(provider(key).unwrap()).1;
        let slack = of("slack");
        assert!(slack["user_scope"].contains("channels:history"));
        assert!(!slack.contains_key("scope"));
        let google = of("google");
        assert_eq!(google["access_type"], "offline");
        assert_eq!(google["prompt"], "consent");
    }
}

//! `GET /connect/start`: opens a start link and sends the browser to the provider.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::HeaderMap;
use jiff::Timestamp;
use tributary::{
    error::{Error, Kind, Result},
    http::Problem,
    oauth::{Pkce, Provider, ProviderLink, StartLink, random_token},
    secret::Secret,
    store::{Key, key::sha256_hex},
};
use url::Url;

use super::{Consent, KIND, TRANSACTION_SECONDS, connection};
use crate::{
    app::App, cookie, edge::see_other, query::once, return_to::ReturnTo, session::Session,
};

/// Begins a consent. The link opens once, in the browser of the person who asked for it.
#[utoipa::path(get, path = "/connect/start", tag = "connect",
    params(("token" = String, Query, description = "Token of the start link.")),
    responses(
        (status = 303, description = "To the provider, with a transaction cookie."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn start(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let token = once(query.as_deref().unwrap_or_default(), "token")?
        .filter(|token| cookie::is_ours(token))
        .ok_or_else(not_valid)?;
    let (_, session) = Session::of(&app, &headers)
        .await?
        .ok_or_else(sign_in_first)?;
    let key = Key::start_link(&token);
    // Looked at before it is taken: a stranger who has the link cannot use it up.
    let link: StartLink = app.store.get(&key).await?.ok_or_else(not_valid)?;
    if !opens_for(&link, &session, Timestamp::now()) {
        return Err(not_valid().with_log("the link has expired or belongs to somebody else"));
    }
    let connection = connection(&app, link.tenant_id, link.connection_id, &link.provider).await?;
    let provider = app.link(&connection)?;
    if app.store.take::<StartLink>(&key).await?.is_none() {
        return Err(not_valid().with_log("the link was used a moment ago"));
    }
    begin(&app, &provider, link).await
}

fn opens_for(link: &StartLink, session: &Session, now: Timestamp) -> bool {
    link.expires_at > now.as_second() && session.is_of(&link.subject, link.tenant_id)
}

async fn begin(app: &App, provider: &ProviderLink, link: StartLink) -> Result<Response> {
    let (pkce, state, binding) = (Pkce::new()?, random_token()?, random_token()?);
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
        cookie_hash: sha256_hex(binding.expose()),
        return_to: link
            .return_to
            .map(|unverified| ReturnTo::parse(&unverified, &app.config.app_origins))
            .transpose()?,
        expires_at: Timestamp::now().as_second() + TRANSACTION_SECONDS,
    };
    app.store
        .insert(&Key::consent(state.expose()), &consent)
        .await?;
    tracing::info!(tenant.id = %consent.tenant_id, connection.id = %consent.connection_id, provider = consent.provider, reconnect = link.reconnect, "consent begun");
    let client_id = app_client_id(provider).await?;
    let to = authorize_url(
        provider.provider(),
        provider.client.endpoints().authorize.clone(),
        &provider.scopes,
        &client_id,
        &app.redirect_uri(provider.provider()),
        &state,
        &pkce.challenge,
    );
    let cookie = cookie::set(
        &cookie::transaction(KIND, &state),
        &binding,
        TRANSACTION_SECONDS,
    )?;
    see_other(to.as_str(), [cookie])
}

async fn app_client_id(provider: &ProviderLink) -> Result<String> {
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
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", &provider.scope_text(scopes))
        .append_pair("state", state.expose())
        .append_pair("code_challenge", challenge)
        .append_pair("code_challenge_method", "S256");
    url
}

fn sign_in_first() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "sign_in_required",
        "Sign in to the application in this browser, then open the link again.",
    )
}

/// One answer for links that never existed, were used, have expired or are somebody else's.
fn not_valid() -> Error {
    Error::new(
        Kind::NotFound,
        "link_not_valid",
        "This link is not valid any more. Start again from the application.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tributary::{
        id::{ConnectionId, TenantId},
        oauth::provider::provider,
    };

    use super::*;

    #[test]
    fn c4_the_authorization_url_has_pkce_state_the_registered_uri_and_no_secret() {
        let row = provider("salesforce").unwrap();
        let endpoints = row.endpoints(&"https://login.salesforce.com".parse().unwrap());
        let url = authorize_url(
            row,
            endpoints.authorize,
            &row.scopes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            "3MVG",
            "https://api.example/connect/callback/salesforce",
            &Secret::new("s".repeat(43)),
            "challenge",
        );
        assert!(url.as_str().starts_with(
            "https://login.salesforce.com/services/oauth2/authorize?response_type=code&"
        ));
        let pairs: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs["code_challenge_method"], "S256");
        assert_eq!(
            pairs["redirect_uri"],
            "https://api.example/connect/callback/salesforce"
        );
        assert_eq!(pairs["scope"], "api refresh_token id");
        assert_eq!(pairs["state"].len(), 43);
        assert_eq!(pairs.len(), 7, "nothing else travels: {url}");
    }

    #[test]
    fn a_link_opens_for_who_asked_and_in_time() {
        let tenant = TenantId::new();
        let link = StartLink {
            tenant_id: tenant,
            connection_id: ConnectionId::new(),
            subject: "frank".into(),
            provider: "salesforce".into(),
            return_to: None,
            expires_at: 1000,
            reconnect: false,
        };
        let session = |subject: &str, tenant: TenantId| -> Session {
            serde_json::from_value(json!({"subject": subject, "tenant_id": tenant, "generation": 1, "tokens": {"v": 1, "k": "", "c": ""}, "usable_until": 0, "expires_at": 0})).unwrap()
        };
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(opens_for(&link, &session("frank", tenant), at(999)));
        assert!(!opens_for(&link, &session("frank", tenant), at(1000)));
        assert!(!opens_for(&link, &session("alex", tenant), at(999)));
        assert!(!opens_for(
            &link,
            &session("frank", TenantId::new()),
            at(999)
        ));
    }
}

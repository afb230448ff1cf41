//! Our client at the identity provider.

use tributary::{
    error::{Error, Kind, Result},
    id::TenantId,
    identity::Role,
    jwt::{IdClaims, IdTokenVerifier},
    oauth::{
        App as OauthApp, TokenClient, TokenFailure, TokenOutcome,
        http::TokenHttp,
        metadata::{Discovery, Metadata},
        provider::SIGN_IN,
    },
    secret::Secret,
};
use url::Url;

use crate::config::Config;

/// Claims that the token-claims trigger writes.
const TENANT_CLAIM: &str = "tenant_id";
const ROLES_CLAIM: &str = "tenant_roles";

/// Our client at the identity provider. Its endpoints come from the configured issuer's metadata.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    discovery: Discovery,
    verifier: IdTokenVerifier,
    app: OauthApp,
    http: TokenHttp,
    client_id: String,
    redirect_uri: String,
}

/// Who signed in. The tenant may be absent: such a person sees nothing of any tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) roles: Vec<Role>,
    /// Id of the sign-in, where every token of it carries the same.
    pub(crate) login_id: Option<String>,
}

impl From<&IdClaims> for Person {
    fn from(claims: &IdClaims) -> Self {
        Self {
            subject: claims.subject.clone(),
            tenant_id: claims
                .text(TENANT_CLAIM)
                .and_then(|tenant| tenant.parse().ok()),
            roles: claims
                .text(ROLES_CLAIM)
                .map(Role::parse_words)
                .unwrap_or_default(),
            // Cognito's, which access tokens carry too. Of a `sid` in an ID token that is not known.
            login_id: claims.text("origin_jti").map(str::to_owned),
        }
    }
}

impl SignIn {
    pub(crate) fn new(
        config: &Config,
        secrets: aws_sdk_secretsmanager::Client,
        http: TokenHttp,
    ) -> Self {
        let discovery = Discovery::with_http(config.oidc_issuer.clone(), http.clone());
        let client_id = config.oidc_client_id.clone();
        let app = match &config.oidc_client_secret_arn {
            Some(arn) => OauthApp::stored_secret(secrets, arn.clone(), client_id.clone()),
            None => OauthApp::public(client_id.clone()),
        };
        Self {
            verifier: IdTokenVerifier::with_discovery(discovery.clone(), client_id.clone()),
            discovery,
            app,
            http,
            client_id,
            redirect_uri: config.public_base_url.join("/auth/callback").to_string(),
        }
    }

    /// Who vouches.
    pub(crate) fn issuer(&self) -> &str {
        self.discovery.issuer().as_str()
    }

    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Verifies an ID token and says who it is.
    pub(crate) async fn identify(
        &self,
        unverified_token: &Secret,
        nonce: Option<&str>,
    ) -> Result<(Person, IdClaims)> {
        let claims = self.verifier.verify(unverified_token, nonce).await?;
        Ok((Person::from(&claims), claims))
    }

    pub(crate) async fn metadata(&self) -> Result<Metadata> {
        self.discovery
            .metadata()
            .await
            .map_err(|error| unavailable("no metadata of the identity provider").with_source(error))
    }

    pub(crate) fn client(&self, metadata: &Metadata) -> TokenClient {
        TokenClient::new(
            &SIGN_IN,
            metadata.endpoints.clone(),
            self.app.clone(),
            self.http.clone(),
        )
    }

    /// Where a browser goes to sign in.
    pub(crate) fn authorize_url(
        &self,
        metadata: &Metadata,
        state: &Secret,
        nonce: &Secret,
        challenge: &str,
    ) -> Url {
        let mut url = metadata.endpoints.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &SIGN_IN.scope_text(SIGN_IN.scopes))
            .append_pair("state", state.expose())
            .append_pair("nonce", nonce.expose())
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256");
        url
    }

    /// Rule C6: whoever says who answers must be who was asked (RFC 9207 section 2.4).
    pub(crate) fn issuer_is_right(&self, metadata: &Metadata, issuer: Option<&str>) -> bool {
        match issuer {
            Some(issuer) => issuer == self.discovery.issuer().as_str(),
            None => !metadata.sends_issuer,
        }
    }
}

/// The identity provider does not answer as it should; the same can work later.
pub(crate) fn unavailable(log: impl Into<String>) -> Error {
    Error::new(
        Kind::Unavailable,
        "sign_in_unavailable",
        "The identity provider did not answer. Try again shortly.",
    )
    .with_log(log)
    .with_retry_after(2)
}

/// The error for a token call that brought no tokens, where the code or token is not to blame.
pub(crate) fn failed(outcome: &TokenOutcome) -> Error {
    match outcome {
        TokenOutcome::Refused(
            failure @ (TokenFailure::OurCredentials(_) | TokenFailure::OurConfiguration(_)),
        ) => Error::internal("sign_in_misconfigured", failure.reason()),
        TokenOutcome::Refused(failure) => unavailable(failure.reason()),
        TokenOutcome::NotSent { cause } | TokenOutcome::Unknown { cause, .. } => {
            unavailable(cause.clone())
        }
        TokenOutcome::Answered(_) => unavailable("the answer is not usable"),
    }
}

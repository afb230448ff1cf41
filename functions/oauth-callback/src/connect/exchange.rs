//! One exchange of the code, and everything that is checked before the tokens are believed.

use tributary::{
    connection::{
        Connection,
        keep::{Grant, Grantor},
    },
    error::{Error, Kind, Result},
    oauth::{
        InstanceUrl, Provider, ProviderLink, RotationClass, TokenAnswer, TokenBundle, TokenFailure,
        TokenOutcome, answer::Oddity, grantor::grantor,
    },
    secret::Secret,
    store::key::sha256_hex,
};

use super::{Consent, KIND};
use crate::app::TenantApp;

/// Exchanges the code, once, and checks what comes. Tokens that are not believed are given back.
pub(super) async fn exchange(
    app: &TenantApp,
    link: &ProviderLink,
    consent: &Consent,
    connection: &Connection,
    state: &Secret,
    code: &Secret,
) -> Result<Grant> {
    let place = [KIND, &sha256_hex(state.expose())];
    let verifier = app
        .vault
        .open(consent.tenant_id, &place, &consent.verifier)
        .await?;
    let outcome = link
        .client
        .exchange(code, &verifier, &app.redirect_uri(link.provider()))
        .await;
    let TokenOutcome::Answered(answer) = outcome else {
        return Err(failed(&outcome));
    };
    let bundle = TokenBundle {
        access_token: answer.access_token.clone(),
        refresh_token: answer.refresh_token.clone(),
    };
    match believe(link, &answer, connection.instance.as_deref()).await {
        Ok((grantor, instance, scopes)) => Ok(Grant {
            missing_scopes: link.provider().missing_scopes(&link.scopes, &scopes),
            life: answer.access_life(link.client.provider()),
            bundle,
            grantor,
            instance: Some(instance),
            scopes,
        }),
        Err(error) => {
            give_back(app, connection, &bundle).await;
            Err(error)
        }
    }
}

async fn believe(
    link: &ProviderLink,
    answer: &TokenAnswer,
    label: Option<&str>,
) -> Result<(Grantor, InstanceUrl, Vec<String>)> {
    let provider = link.client.provider();
    let usable = answer.is_bearer() && !answer.oddities.contains(&Oddity::TooLong);
    if !usable {
        return Err(refused(
            "token_not_usable",
            "The provider's token cannot be used.",
        ));
    }
    // Before the application is asked anything: an address that is not the provider's is not called.
    let instance = instance(link, answer)?;
    let grantor = grantor(link, answer, label).await.map_err(|error| {
        refused(
            "grantor_not_proven",
            "The provider did not prove who granted access.",
        )
        .with_source(error)
    })?;
    let scopes = answer.granted_scopes(&link.scopes);
    if !provider.has_mandatory_scopes(&scopes) {
        return Err(refused(
            "missing_scopes",
            "A right without which the connection cannot work was not granted.",
        ));
    }
    check_lasting(provider, answer)?;
    Ok((grantor, instance, scopes))
}

/// Access ends with the first access token where a provider that has refresh tokens gave none.
fn check_lasting(provider: &Provider, answer: &TokenAnswer) -> Result<()> {
    let lasting =
        provider.rotation == RotationClass::NoRefreshToken || answer.refresh_token.is_some();
    lasting.then_some(()).ok_or_else(|| {
        refused(
            "no_refresh_token",
            "The provider did not allow lasting access.",
        )
    })
}

/// Where the tokens are used: what Salesforce names, checked; elsewhere what follows from the label,
/// or the provider's own host.
fn instance(link: &ProviderLink, answer: &TokenAnswer) -> Result<InstanceUrl> {
    if let Some(instance) = &link.instance {
        return Ok(instance.clone());
    }
    let provider = link.provider();
    if provider.instance_suffixes.is_empty() {
        return Ok(InstanceUrl::of_base(&link.login));
    }
    let unverified = answer.unverified_instance_url.as_deref();
    InstanceUrl::parse(unverified.unwrap_or_default(), provider, &link.login).map_err(|error| {
        refused(
            "instance_refused",
            "The provider named an address that is not its own.",
        )
        .with_source(error)
    })
}

/// Ends a grant that we do not keep: it would count against the person's limit for ever. What the
/// provider does not settle now is tried again until it does.
pub(super) async fn give_back(app: &TenantApp, connection: &Connection, bundle: &TokenBundle) {
    let shards = app.config.due_shards;
    match app.revoker().give_back(connection, bundle, shards).await {
        Ok(outcome) => tracing::info!(
            tenant.id = %connection.tenant_id, connection.id = %connection.id,
            revocation = ?outcome, "a grant that is not kept was given back"
        ),
        Err(error) => tracing::error!(
            tenant.id = %connection.tenant_id, connection.id = %connection.id,
            error.code = error.code(), error.chain = error.chain(),
            "a grant that is not kept is alive, and its end was not written down"
        ),
    }
}

fn refused(code: &'static str, caller: &str) -> Error {
    Error::new(Kind::Conflict, code, caller)
}

/// The code is spent or in doubt: whatever happened, the way on is a new consent.
fn failed(outcome: &TokenOutcome) -> Error {
    let unavailable = |log: &str| {
        Error::new(
            Kind::Upstream,
            "provider_unavailable",
            "The provider did not answer. Start again from the application.",
        )
        .with_log(log)
    };
    match outcome {
        TokenOutcome::Refused(
            TokenFailure::FlowFailed(reason) | TokenFailure::ReauthRequired(reason),
        ) => refused(
            "code_not_accepted",
            "The provider did not accept the answer. Start again from the application.",
        )
        .with_log(*reason),
        TokenOutcome::Refused(
            failure @ (TokenFailure::OurCredentials(_) | TokenFailure::OurConfiguration(_)),
        ) => Error::internal("provider_misconfigured", failure.reason()),
        TokenOutcome::Refused(failure @ TokenFailure::Retryable { .. }) => {
            unavailable(failure.reason())
        }
        TokenOutcome::NotSent { cause } | TokenOutcome::Unknown { cause, .. } => unavailable(cause),
        TokenOutcome::Answered(_) => unavailable("the answer is not usable"),
    }
}

#[cfg(test)]
mod tests {
    use tributary::oauth::provider::provider;

    use super::*;

    #[test]
    fn only_providers_that_have_refresh_tokens_must_give_one() {
        let person = r#"{"ok":true,"authed_user":{"id":"U1","scope":"channels:read","access_token":"xoxp","token_type":"user"}}"#;
        let plain = r#"{"access_token":"a","token_type":"bearer"}"#;
        let whole = r#"{"access_token":"a","refresh_token":"r","token_type":"bearer"}"#;
        for (key, body, expected) in [
            ("slack", person, None),
            ("github", plain, None),
            ("salesforce", plain, Some("no_refresh_token")),
            ("google", plain, Some("no_refresh_token")),
            ("google", whole, None),
        ] {
            let row = provider(key).unwrap();
            let answer = TokenAnswer::read(row, &Secret::new(body)).unwrap();
            let checked = check_lasting(row, &answer);
            assert_eq!(checked.err().map(|e| e.code()), expected, "{key}");
        }
    }

    #[test]
    fn c11_every_lost_or_refused_exchange_ends_in_starting_again() {
        let unknown = || TokenOutcome::Unknown {
            cause: "timeout".to_owned(),
            body: None,
        };
        let cases = [
            (
                TokenOutcome::Refused(TokenFailure::FlowFailed("code_not_accepted")),
                "code_not_accepted",
            ),
            (
                TokenOutcome::Refused(TokenFailure::ReauthRequired("revoked")),
                "code_not_accepted",
            ),
            (
                TokenOutcome::Refused(TokenFailure::OurCredentials("invalid_client")),
                "provider_misconfigured",
            ),
            (
                TokenOutcome::Refused(TokenFailure::retryable("rate_limited")),
                "provider_unavailable",
            ),
            (
                TokenOutcome::NotSent {
                    cause: "connect".to_owned(),
                },
                "provider_unavailable",
            ),
            (unknown(), "provider_unavailable"),
        ];
        for (outcome, code) in cases {
            let error = failed(&outcome);
            assert_eq!(error.code(), code);
            assert!(!error.retryable(), "a code is never presented twice");
        }
    }
}

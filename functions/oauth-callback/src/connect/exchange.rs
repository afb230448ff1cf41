//! One exchange of the code, and everything that is checked before the tokens are believed.

use tributary::{
    connection::keep::{Grant, Grantor},
    error::{Error, Kind, Result},
    oauth::{
        InstanceUrl, ProviderLink, RotationClass, TokenAnswer, TokenBundle, TokenFailure,
        TokenOutcome, answer::Oddity, grantor::grantor,
    },
    secret::Secret,
    store::key::sha256_hex,
};

use super::{Consent, KIND};
use crate::app::App;

/// Exchanges the code, once, and checks what comes. Tokens that are not believed are given back.
pub(super) async fn exchange(
    app: &App,
    link: &ProviderLink,
    consent: &Consent,
    label: Option<&str>,
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
    match believe(link, &answer, label).await {
        Ok((grantor, instance, scopes)) => Ok(Grant {
            missing_scopes: link.provider().missing_scopes(&link.scopes, &scopes),
            life: answer.access_life(link.client.provider()),
            bundle,
            grantor,
            instance: Some(instance),
            scopes,
        }),
        Err(error) => {
            give_back(link, &bundle).await;
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
    let lasting = provider.rotation != RotationClass::NoRefreshToken;
    if lasting && answer.refresh_token.is_none() {
        return Err(refused(
            "no_refresh_token",
            "The provider did not allow lasting access.",
        ));
    }
    Ok((grantor, instance, scopes))
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

/// Ends a grant that we do not keep: it would count against the person's limit for ever.
pub(super) async fn give_back(link: &ProviderLink, bundle: &TokenBundle) {
    let outcome = link.client.end_grant(bundle).await;
    tracing::info!(provider = link.client.provider().key, revocation = ?outcome, "a grant that is not kept was given back");
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
    use super::*;

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

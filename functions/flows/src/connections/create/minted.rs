//! Tokens for credentials that the user gave: the token call is the live check.

use jiff::Timestamp;
use tributary::{
    connection::{
        Connection, ConnectionState,
        keep::{Grant, Grantor, Keeper},
    },
    connector::profile::{AccessToken, Credentials, push_tokens},
    error::{Error, Kind},
    oauth::{
        InstanceUrl, MintCredentials, ProviderLink, Target, TokenAnswer, TokenBundle, TokenFailure,
        TokenOutcome,
        answer::{Oddity, refresh_due},
        salesforce,
    },
    store::{Key, StoreError, Update},
};

use super::live::{Failed, application_unavailable, invalid_credentials};
use crate::TenantApp;

/// Gets a token with credentials that are not kept yet.
pub(in crate::connections) async fn mint(
    app: &TenantApp,
    connection: &Connection,
    given: &Credentials,
) -> Result<Grant, Failed> {
    let definite = |error| Failed {
        error,
        definite: true,
    };
    let link = app
        .providers
        .link(Target::of(connection))
        .map_err(definite)?;
    let credentials = MintCredentials::read(connection.auth, &given.to_secret())
        .ok_or_else(|| definite(invalid_credentials()))?;
    match link.client.mint(&credentials).await {
        TokenOutcome::Answered(answer) => believe(&link, &answer).map_err(definite),
        outcome => Err(refused(&outcome)),
    }
}

/// Keeps the grant and gives AppFlow the access token. What of this fails after the grant is kept is
/// the refresh's to finish.
pub(in crate::connections) async fn settle(
    app: &TenantApp,
    appflow: &aws_sdk_appflow::Client,
    before: Connection,
    grant: &Grant,
) -> Result<Connection, Error> {
    let keeper = Keeper {
        store: &app.store,
        vault: &app.vault,
        due_shards: app.config.due_shards,
        allow_other_organisation: false,
    };
    let kept = keeper.keep(before, grant).await?.now;
    let token = AccessToken::from(&grant.bundle);
    if let Err(error) = push_tokens(appflow, &kept, grant.instance.as_ref(), token).await {
        tracing::warn!(tenant.id = %kept.tenant_id, connection.id = %kept.id, error.code = error.reason(), "the token is stored and did not reach AppFlow; the refresh will push it");
        return Ok(kept);
    }
    let now = Timestamp::now();
    let due = refresh_due(now, grant.life, spread(&kept));
    let update = Update::new()
        .set("state", ConnectionState::Active)
        .set("pushed_generation", kept.generation)
        .set("due_at", due.as_millisecond())
        .set("updated_at", now)
        .remove("reason")
        .remove("reauth_told")
        .when_equal("generation", kept.generation);
    let key = Key::connection(kept.tenant_id, kept.id);
    let written = if kept.reauth_told {
        // X5: who was told that new credentials were needed is told that they came.
        let told = kept.recovered(&app.config.stage, now).items(now);
        match app.store.update_with(&key, update, &told).await {
            Ok(()) => app.store.get(&key).await,
            Err(error) => Err(error),
        }
    } else {
        app.store.update(&key, update).await.map(Some)
    };
    match written {
        Ok(connection) => connection.ok_or_else(Error::not_found),
        Err(StoreError::Condition {
            current: Some(current),
        }) => Ok(tributary::store::from_item(*current)?),
        Err(error) => Err(error.into()),
    }
}

/// A number from 0 to 1 that differs from connection to connection.
fn spread(connection: &Connection) -> f64 {
    let low = connection.id.as_uuid().as_u128() & 0xffff;
    f64::from(u16::try_from(low).unwrap_or(0)) / f64::from(u16::MAX)
}

fn believe(link: &ProviderLink, answer: &TokenAnswer) -> Result<Grant, Error> {
    let unusable = || {
        Error::new(
            Kind::Conflict,
            "token_not_usable",
            "The provider's token cannot be used.",
        )
    };
    if !answer.is_bearer() || answer.oddities.contains(&Oddity::TooLong) {
        return Err(unusable());
    }
    let instance = InstanceUrl::parse(
        answer
            .unverified_instance_url
            .as_deref()
            .unwrap_or_default(),
        link.provider(),
        &link.login,
    )
    .map_err(|error| {
        Error::new(
            Kind::Conflict,
            "instance_refused",
            "The provider named an address that is not its own.",
        )
        .with_source(error)
    })?;
    let grantor: Grantor =
        salesforce::identity(answer).map_err(|error| unusable().with_source(error))?;
    let scopes = answer.granted_scopes(&[]);
    Ok(Grant {
        life: answer.access_life(link.provider()),
        bundle: TokenBundle {
            access_token: answer.access_token.clone(),
            // What nobody asked for is not kept: credentials are presented again instead.
            refresh_token: None,
        },
        grantor,
        instance: Some(instance),
        scopes,
        missing_scopes: Vec::new(),
    })
}

fn refused(outcome: &TokenOutcome) -> Failed {
    let definite = |error| Failed {
        error,
        definite: true,
    };
    match outcome {
        TokenOutcome::Refused(
            TokenFailure::ReauthRequired(_)
            | TokenFailure::FlowFailed(_)
            | TokenFailure::OurCredentials(_),
        ) => definite(invalid_credentials()),
        TokenOutcome::Refused(TokenFailure::OurConfiguration(reason)) => definite(
            Error::new(
                Kind::Conflict,
                "grant_not_allowed",
                "The provider does not allow this way to connect for this app.",
            )
            .with_log(*reason),
        ),
        TokenOutcome::Refused(TokenFailure::Retryable { .. })
        | TokenOutcome::NotSent { .. }
        | TokenOutcome::Unknown { .. }
        | TokenOutcome::Answered(_) => Failed {
            error: application_unavailable(),
            definite: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c13_a_refusal_is_final_and_silence_is_not() {
        let unknown = TokenOutcome::Unknown {
            cause: "timeout".to_owned(),
            body: None,
        };
        for (outcome, code, certain) in [
            (
                TokenOutcome::Refused(TokenFailure::ReauthRequired("invalid_credentials")),
                "invalid_credentials",
                true,
            ),
            (
                TokenOutcome::Refused(TokenFailure::OurConfiguration("unsupported_grant_type")),
                "grant_not_allowed",
                true,
            ),
            (
                TokenOutcome::Refused(TokenFailure::retryable("rate_limited")),
                "application_unavailable",
                false,
            ),
            (unknown, "application_unavailable", false),
        ] {
            let failed = refused(&outcome);
            assert_eq!((failed.error.code(), failed.definite), (code, certain));
            assert_eq!(failed.error.retryable(), !certain);
        }
    }
}

//! One refresh, step by step. Each step leaves the record in a state from which the next worker can
//! tell what happened.

use jiff::Timestamp;
use tributary::{
    connection::{AppOwner, Connection, Intent},
    error::{Error, Result},
    oauth::{
        AppError, OurTokens, ProviderLink, TokenBundle, TokenFailure, TokenOutcome,
        gate::Report,
        mint::{CREDENTIALS_MISSING, MintCredentials},
    },
    secret::Secret,
    store::{StoreError, key::sha256_hex},
    telemetry::{self, Metric},
};

use crate::{
    TenantApp,
    commit::{self, Call},
    gate::{self, Way},
    lease::Lease,
    message::Message,
    push,
    rules::{self, NEEDED, Practice, Source, Step},
    settle,
};

/// Reasons that mean that we ask too often.
const SLOW_DOWN: [&str; 2] = ["rate_limited", "rate_limit_exceeded"];

/// Why a token is presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// No question is open about it.
    First,
    /// Its provider said that a call before never arrived.
    Asked,
    /// A call before was not answered, and calling again does no harm.
    Again(Intent),
    /// The same, and nothing is left to lose.
    Last(Intent),
}

pub(crate) async fn run(app: &TenantApp<'_>, message: &Message, deadline: Timestamp) -> Result<()> {
    let (tenant, id) = (message.tenant_id, message.connection_id);
    let Some((lease, record)) =
        Lease::acquire(&app.store, tenant, id, deadline, app.config.lease_skew).await?
    else {
        tracing::info!(tenant.id = %tenant, connection.id = %id, "somebody else is at it, or it is gone, or not ours");
        return Ok(());
    };
    if rules::was_worked_on(record.due_at, message.due_at) {
        tracing::info!(tenant.id = %tenant, connection.id = %id, "it was worked on since it was found due");
        return lease.release(None).await;
    }
    let work = Work {
        link: app.link(&record)?,
        message,
        deadline,
    };
    let practice = work.practice(&record);
    let step = rules::next_step(&record, practice, message.generation, Timestamp::now());
    match (step, record.intent.clone()) {
        (Step::Leave(why), _) => {
            tracing::info!(tenant.id = %tenant, connection.id = %id, why, "nothing to do");
            lease.release(None).await
        }
        (Step::Push, _) => push::current(app, lease, &record, None).await,
        (Step::Wait { until }, _) => lease.release(Some(until)).await,
        (Step::Hold { until }, Some(_)) => commit::hold(app, lease, &record, until).await,
        (Step::Settle, Some(intent)) => settle::run(app, lease, record, intent, &work).await,
        (Step::Lost, Some(intent)) => {
            commit::reauth_required(app, lease, &record, Some(&intent), "rotation_lost").await
        }
        (Step::Resend, Some(intent)) => {
            refresh(app, lease, record, &work, Attempt::Again(intent)).await
        }
        (Step::Gamble, Some(intent)) => {
            refresh(app, lease, record, &work, Attempt::Last(intent)).await
        }
        (_, _) => refresh(app, lease, record, &work, Attempt::First).await,
    }
}

/// What one message is worked on with.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) link: ProviderLink,
    pub(crate) message: &'a Message,
    pub(crate) deadline: Timestamp,
}

impl Work<'_> {
    pub(crate) fn practice(&self, record: &Connection) -> Practice {
        Practice::of(record, self.link.provider())
    }
}

/// What is presented.
enum Presented {
    /// The refresh token of these tokens.
    Tokens(OurTokens),
    /// The connection's own credentials.
    Credentials(OurTokens, MintCredentials),
}

/// Refreshes under a lease.
pub(crate) async fn refresh(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    record: Connection,
    work: &Work<'_>,
    attempt: Attempt,
) -> Result<()> {
    if work.deadline.duration_since(Timestamp::now()) < NEEDED {
        lease.release(None).await?;
        return Err(Error::unavailable(
            "too_late",
            "not enough time is left for a token call",
        ));
    }
    let practice = work.practice(&record);
    if practice.source == Source::Nothing {
        return commit::nothing_to_refresh(lease).await;
    }
    // Everything that can fail before the call fails here: the app's credentials, the old token, and
    // the data key under which the answer will be sealed.
    let tokens = open(app, &record).await?;
    let presented = match presented(app, &record, work, tokens, practice.source).await? {
        Ok(presented) => presented,
        Err(Ended(reason)) => {
            // With an open question the intent is kept: its answer may still wait on the queue.
            let open = record.intent.as_ref();
            return commit::reauth_required(app, lease, &record, open, reason).await;
        }
    };
    let fingerprint = presented.fingerprint();
    let earlier = match &attempt {
        Attempt::First | Attempt::Asked => None,
        Attempt::Again(intent) | Attempt::Last(intent) => Some(intent.clone()),
    };
    if let Some(intent) = earlier
        .as_ref()
        .filter(|intent| intent.fingerprint != fingerprint)
    {
        // The intent speaks of a token that is no longer the stored one: a consent replaced it.
        return commit::forget_intent(app, lease, &record, intent).await;
    }
    app.vault
        .seal(record.tenant_id, &["preflight"], presented.secret())
        .await?;
    let place = gate::place(&record, &work.link);
    let way = match gate::way(app, &place, work).await {
        Ok(way) => way,
        Err(error) => {
            // Nothing was begun: the message comes again, and must not find a lease in its way.
            lease.release(None).await?;
            return Err(error);
        }
    };
    match way {
        Way::Free => {}
        Way::Closed { until } => {
            tracing::info!(tenant.id = %record.tenant_id, connection.id = %record.id, provider.host = place.host, "the provider's gate is closed; nobody is to blame");
            return lease.release(Some(until)).await;
        }
        Way::Reserved { slot } => return gate::come_back(app, lease, work.message, slot).await,
    }
    let intent = intent(&lease, fingerprint, &attempt);
    if !write_intent(app, &lease, &record, &intent, earlier.as_ref()).await? {
        return Ok(());
    }
    let began = Timestamp::now().as_millisecond();
    let used = work.link.client.app().version();
    // One call. What it did is known from here on only by its answer, or by asking later.
    let mut outcome = presented.present(&work.link).await;
    if refuses_our_app(&outcome) && has_rotated(work, used.as_deref()).await {
        // T4: refused for a secret that is no longer the newest, before the token was looked at.
        outcome = presented.present(&work.link).await;
    }
    let mut report = Report::of(&outcome, began, &record.tenant_id.to_string());
    if matches!(outcome, TokenOutcome::Answered(_)) {
        report.secret_version = work.link.client.app().version();
    }
    let call = Call {
        record: &record,
        intent,
        earlier,
        calls: if attempt == Attempt::Asked { 2 } else { 1 },
        practice,
        deadline: work.deadline,
    };
    let done = conclude(app, lease, &call, presented, work, outcome).await;
    gate::tell(app, &place, report).await;
    done
}

/// Only a person can help, and this is why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ended(&'static str);

/// What is presented, with everything loaded that presenting takes.
async fn presented(
    app: &TenantApp<'_>,
    record: &Connection,
    work: &Work<'_>,
    tokens: OurTokens,
    source: Source,
) -> Result<std::result::Result<Presented, Ended>> {
    if source == Source::Credentials {
        let loaded = MintCredentials::load(&app.secrets, record).await;
        return match loaded {
            Ok(credentials) => Ok(Ok(Presented::Credentials(tokens, credentials))),
            Err(error) => ended_by_credentials(&error).map(Err).ok_or(error),
        };
    }
    if tokens.refresh_token().is_none() {
        return Ok(Err(Ended("no_refresh_token")));
    }
    Ok(match removed_app(record, work).await? {
        Some(reason) => Err(Ended(reason)),
        None => Ok(Presented::Tokens(tokens)),
    })
}

fn ended_by_credentials(error: &Error) -> Option<Ended> {
    (error.code() == CREDENTIALS_MISSING).then_some(Ended(CREDENTIALS_MISSING))
}

/// Loads the app's credentials. Answers why the connection has ended if they are gone and were the
/// tenant's own (scenario C12): the vendor's app never takes their place.
pub(crate) async fn removed_app(
    record: &Connection,
    work: &Work<'_>,
) -> Result<Option<&'static str>> {
    let Err(error) = work.link.client.app().credentials().await else {
        return Ok(None);
    };
    if let Some(Ended(reason)) = ended_by_app(record.app, &error) {
        return Ok(Some(reason));
    }
    tracing::error!(tenant.id = %record.tenant_id, connection.id = %record.id, provider.key = work.link.provider().key, error.code = "app_unavailable", cause = %error, "an OAuth app's credentials cannot be read; no connection is to blame");
    Err(Error::unavailable(
        "app_unavailable",
        "our OAuth app's credentials cannot be read",
    )
    .with_source(error))
}

/// A tenant's own app is the tenant's to remove; a missing app of the vendor is our fault, and time
/// mends it.
fn ended_by_app(owner: AppOwner, error: &AppError) -> Option<Ended> {
    let is_removed = owner == AppOwner::Tenant && matches!(error, AppError::Gone);
    is_removed.then_some(Ended("app_removed"))
}

impl Presented {
    fn tokens(&self) -> &OurTokens {
        let (Self::Tokens(tokens) | Self::Credentials(tokens, _)) = self;
        tokens
    }

    /// Names what is presented; credentials use nothing up, so they need no name of their own.
    fn fingerprint(&self) -> String {
        match self {
            Self::Tokens(_) => fingerprint(self.secret()),
            Self::Credentials(..) => "credentials".to_owned(),
        }
    }

    fn secret(&self) -> &Secret {
        self.tokens()
            .refresh_token()
            .map_or(self.tokens().access_secret(), |token| token.secret())
    }

    async fn present(&self, link: &ProviderLink) -> TokenOutcome {
        match self {
            Self::Credentials(_, credentials) => link.client.mint(credentials).await,
            Self::Tokens(tokens) => match tokens.refresh_token() {
                Some(token) => link.client.refresh(token).await,
                None => TokenOutcome::NotSent {
                    cause: "there is no refresh token".to_owned(),
                },
            },
        }
    }

    fn into_bundle(self) -> TokenBundle {
        let (Self::Tokens(tokens) | Self::Credentials(tokens, _)) = self;
        tokens.into_bundle()
    }
}

fn refuses_our_app(outcome: &TokenOutcome) -> bool {
    matches!(
        outcome,
        TokenOutcome::Refused(TokenFailure::OurCredentials(_))
    )
}

async fn has_rotated(work: &Work<'_>, used: Option<&str>) -> bool {
    let app = work.link.client.app();
    app.has_another_version(used).await.unwrap_or(false)
}

/// Writes what came of a call.
async fn conclude(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    call: &Call<'_>,
    presented: Presented,
    work: &Work<'_>,
    outcome: TokenOutcome,
) -> Result<()> {
    let (tenant, id) = (call.record.tenant_id, call.record.id);
    match &outcome {
        TokenOutcome::Refused(TokenFailure::Retryable { reason, .. })
            if SLOW_DOWN.contains(reason) =>
        {
            telemetry::count(Metric::UpstreamThrottled);
        }
        TokenOutcome::NotSent { .. } | TokenOutcome::Unknown { .. } => {
            telemetry::count(Metric::UpstreamFailed);
        }
        TokenOutcome::Answered(_) | TokenOutcome::Refused(_) => {}
    }
    match outcome {
        TokenOutcome::Answered(answer) => {
            commit::answered(
                app,
                lease,
                call,
                &work.link,
                presented.into_bundle(),
                &answer,
            )
            .await
        }
        TokenOutcome::NotSent { cause } => {
            tracing::warn!(tenant.id = %tenant, connection.id = %id, cause, "the token endpoint was not reached");
            commit::untouched(app, lease, call, None, "not_sent").await
        }
        TokenOutcome::Refused(refusal) => commit::refused(app, lease, call, refusal).await,
        TokenOutcome::Unknown { cause, body } => {
            tracing::warn!(tenant.id = %tenant, connection.id = %id, cause, "a token call was not answered");
            commit::unanswered(app, lease, call, body).await
        }
    }
}

fn intent(lease: &Lease<'_>, fingerprint: String, attempt: &Attempt) -> Intent {
    Intent {
        fence: lease.fence,
        fingerprint,
        at: Timestamp::now().as_millisecond(),
        resent: matches!(attempt, Attempt::Again(_)),
        last: matches!(attempt, Attempt::Last(_)),
        rescue_until: None,
    }
}

/// Writes the intent: a write-ahead record, and the proof that the table can be written before
/// anything irreversible. False when the lease is no longer ours.
async fn write_intent(
    app: &TenantApp<'_>,
    lease: &Lease<'_>,
    record: &Connection,
    intent: &Intent,
    earlier: Option<&Intent>,
) -> Result<bool> {
    let update = lease.fenced(record.generation).set("intent", intent);
    let update = match earlier {
        None => update.when_absent("intent"),
        Some(earlier) => update.when_member_equal("intent", "fingerprint", &earlier.fingerprint),
    };
    match app
        .store
        .update::<serde::de::IgnoredAny>(lease.key(), update)
        .await
    {
        Ok(_) => Ok(true),
        Err(StoreError::Condition { .. }) => Ok(false),
        Err(error) if error.is_unknown() => {
            let written: Option<Connection> = app.store.get(lease.key()).await?;
            Ok(written
                .and_then(|record| record.intent)
                .is_some_and(|found| found == *intent))
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the tokens of the record's generation, if they are ours.
pub(crate) async fn open(app: &TenantApp<'_>, record: &Connection) -> Result<OurTokens> {
    let sealed = record
        .bundle
        .as_ref()
        .ok_or_else(|| Error::internal("no_tokens", "a connection in use has no tokens"))?;
    let place = Connection::vault_place(record.id, record.generation);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let opened = app.vault.open(record.tenant_id, &place, sealed).await?;
    let bundle = TokenBundle::from_json(&opened)
        .ok_or_else(|| Error::internal("tokens_unreadable", "sealed tokens cannot be read"))?;
    OurTokens::of(record, bundle)
        .ok_or_else(|| Error::internal("not_ours", "another party owns these tokens"))
}

/// What tells refresh tokens apart without holding one.
pub(crate) fn fingerprint(token: &Secret) -> String {
    sha256_hex(token.expose())[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use tributary::aws::Refusal;

    use super::*;

    #[test]
    fn c12_only_a_tenants_own_app_that_is_gone_ends_a_connection() {
        let failed = || {
            AppError::SecretsManager(Refusal {
                code: Some("AccessDeniedException".to_owned()),
                message: None,
                status: Some(400),
                request_id: None,
            })
        };
        for (owner, error, ended) in [
            (AppOwner::Tenant, AppError::Gone, Some(Ended("app_removed"))),
            (AppOwner::Tenant, failed(), None),
            (AppOwner::Tenant, AppError::Shape, None),
            (AppOwner::Vendor, AppError::Gone, None),
            (AppOwner::Vendor, failed(), None),
            (AppOwner::Vendor, AppError::Shape, None),
        ] {
            assert_eq!(ended_by_app(owner, &error), ended, "{owner:?} {error}");
        }
    }

    #[test]
    fn c13_credentials_that_are_gone_end_a_connection_and_an_outage_does_not() {
        let missing = Error::internal(CREDENTIALS_MISSING, "gone");
        let ended = Some(Ended("credentials_missing"));
        assert_eq!(ended_by_credentials(&missing), ended);
        let outage = Error::unavailable("aws_unavailable", "no answer");
        assert_eq!(ended_by_credentials(&outage), None);
    }
}

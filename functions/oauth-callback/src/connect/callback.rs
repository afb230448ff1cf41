//! `GET /connect/callback/{provider}`: the provider sends the browser back.

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use http::HeaderMap;
use jiff::Timestamp;
use tributary::{
    connection::{
        Connection, TokenOwner,
        deliver::{Delivered, Delivery},
        grantors::Grantors,
        keep::{Grant, Keeper},
        previous::revoke_previous,
    },
    error::{Error, Kind, Result},
    http::{Problem, Trail},
    oauth::{Provider, ProviderLink},
    secret::Secret,
    store::Key,
};

use super::{Binding, Consent, KIND, candidate, checks, connection, exchange, finish};
use crate::{
    app::{App, TenantApp},
    cookie,
    query::{CallbackQuery, Decision},
    session::Session,
};

/// How a consent ended well enough to say so.
pub(super) enum Ending {
    /// It works.
    Connected,
    /// It works in part; the code says what is missing.
    Limited(&'static str),
    /// The person said no.
    Denied,
    /// Somebody who was invited said yes, and the person who asked has to confirm it.
    Unconfirmed,
}

impl From<Delivered> for Ending {
    fn from(delivered: Delivered) -> Self {
        match delivered {
            Delivered::Connected => Self::Connected,
            Delivered::Limited(code) => Self::Limited(code),
        }
    }
}

/// Finishes a consent.
#[utoipa::path(get, path = "/connect/callback/{provider}", tag = "connect", operation_id = "finish_consent",
    params(
        ("provider" = String, Path, description = "Key of the provider."),
        ("code" = Option<String>, Query, description = "Authorization code."),
        ("state" = String, Query, description = "State of the consent."),
        ("iss" = Option<String>, Query, description = "Who answers (RFC 9207)."),
        ("error" = Option<String>, Query, description = "Why there is no code."),
    ),
    responses(
        (status = 303, description = "To where the consent was to end, with `connection`, `attempt`, `result` (`connected`, `limited`, `unconfirmed`, `denied`, `failed`) and `code`."),
        (status = 200, description = "A page, when there is nowhere to go.", content_type = "text/html"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn callback(
    State(app): State<App>,
    trail: Trail,
    Path(provider): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let query = CallbackQuery::parse(query.as_deref().unwrap_or_default())?;
    let row = app.providers.row(&provider).ok_or_else(Error::not_found)?;
    let consent = take(&app, row, &headers, &query).await?;
    trail.acts(consent.actor(&app));
    trail.touches("connection", &consent.connection_id);
    let app = app.within(consent.tenant_id).await?;
    let ending = match &query.decision {
        Decision::Granted(code) => connect(&app, &consent, &query.state, code).await,
        Decision::Denied => Ok(Ending::Denied),
        Decision::Refused(error) => Err(Error::new(
            Kind::Conflict,
            error,
            "The provider did not grant access. Try again from the application.",
        )),
    };
    finish::record(&app, &consent, &ending).await;
    trail.ended(finish::words(&ending).1);
    finish::finish(&consent, &query.state, ending)
}

/// Takes the consent of this state, once, if the browser and the person are those that began it.
async fn take(
    app: &App,
    provider: &Provider,
    headers: &HeaderMap,
    query: &CallbackQuery,
) -> Result<Consent> {
    // Without the cookie nothing is taken: a link scanner cannot use a consent up.
    let cookie = cookie::get(headers, &cookie::transaction(KIND, &query.state))
        .ok_or_else(|| refused("no transaction cookie"))?;
    let key = Key::consent(query.state.expose());
    let taken: Option<Consent> = app.shared.take(&key).await?;
    let consent = taken.ok_or_else(|| refused("the state is unknown or was used"))?;
    let session = match consent.binding {
        Binding::Session => Session::of(app, headers).await?,
        Binding::ConnectToken | Binding::Invitation => None,
    };
    let seen = checks::Seen {
        provider: provider.key,
        cookie: &cookie,
        session: session.as_ref().map(|(_, session)| session),
        issuer: query.issuer.as_deref(),
        now: Timestamp::now().as_second(),
    };
    checks::check(&consent, &seen).map_err(|mismatch| refused(mismatch.log()))?;
    Ok(consent)
}

/// Exchange, verify, store, and only then push.
async fn connect(
    app: &TenantApp,
    consent: &Consent,
    state: &Secret,
    code: &Secret,
) -> Result<Ending> {
    let before = connection(
        app,
        consent.tenant_id,
        consent.connection_id,
        &consent.provider,
    )
    .await?;
    let link = &app.link(&before)?;
    let grant = exchange::exchange(app, link, consent, &before, state, code).await?;
    let owned = before.clone();
    let ending = match (consent.binding, before.token_owner) {
        (Binding::Invitation, _) => candidate::wait(app, consent, &before, &grant).await,
        (_, TokenOwner::Appflow) => {
            let other = consent.allow_other_organisation;
            let delivery = delivery(app, link);
            let handed = delivery.hand_over(&consent.subject, before, &grant, other);
            handed.await.map(Ending::from)
        }
        _ => store(app, link, consent, before, &grant).await,
    };
    if let Err(error) = &ending {
        // What was stored in spite of an unclear answer must not be revoked.
        if !error.retryable() {
            exchange::give_back(app, &owned, &grant.bundle).await;
        }
    }
    ending
}

/// Stores the grant, brings it to AppFlow, and only then ends the one that it replaces.
async fn store(
    app: &TenantApp,
    link: &ProviderLink,
    consent: &Consent,
    before: Connection,
    grant: &Grant,
) -> Result<Ending> {
    let keeper = Keeper {
        store: &app.store,
        vault: &app.vault,
        due_shards: app.config.due_shards,
        allow_other_organisation: consent.allow_other_organisation,
    };
    let kept = keeper.keep(before, grant).await?;
    let delivered = match delivery(app, link)
        .deliver(&consent.subject, &kept, grant)
        .await
    {
        Ok(delivered) => delivered,
        Err(error) => {
            // The grant is stored and due: the refresh brings it to AppFlow.
            tracing::warn!(tenant.id = %kept.now.tenant_id, connection.id = %kept.now.id, error.code = error.code(), error.chain = error.chain(), "the delivery of a stored grant was not written down");
            Delivered::Limited("push_pending")
        }
    };
    let shards = app.config.due_shards;
    revoke_previous(&app.revoker(), shards, &kept.before, &grant.bundle).await;
    Ok(delivered.into())
}

fn delivery<'a>(app: &'a TenantApp, link: &'a ProviderLink) -> Delivery<'a> {
    Delivery {
        store: &app.store,
        grantors: Grantors {
            shared: &app.shared,
            scopes: &app.scopes,
        },
        roles: &app.roles,
        stage: &app.config.stage,
        link,
    }
}

/// One answer to whatever does not fit together; the log says which it was.
fn refused(log: &str) -> Error {
    Error::new(
        Kind::Forbidden,
        "consent_refused",
        "This consent cannot be finished here. Start again from the application.",
    )
    .with_log(log)
}

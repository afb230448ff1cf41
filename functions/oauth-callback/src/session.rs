//! Sign-in sessions: the tokens stay here, sealed; the browser has a cookie, and we its hash.

use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tributary::{
    error::{Error, Kind, Result},
    id::TenantId,
    identity::Role,
    oauth::random_token,
    secret::Secret,
    sign_off,
    store::{Key, StoreError, Update, key::sha256_hex},
    vault::{NO_TENANT, Sealed},
};

use crate::{app::App, cookie, sign_in::Person};

/// How long a person stays signed in at most.
const LIFE: SignedDuration = SignedDuration::from_hours(12);
/// How long one refresh may take: longer than the platform lets a caller live.
const LEASE: SignedDuration = SignedDuration::from_secs(35);
/// Tokens this close to their end are not handed out from the cache.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// A session, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_id: Option<TenantId>,
    #[serde(default)]
    pub(crate) roles: Vec<Role>,
    /// Id of the sign-in in every token of it; absent where tokens have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) login_id: Option<String>,
    /// When its tokens were asked for, epoch seconds: they are not older than that.
    #[serde(default)]
    asked_at: i64,
    /// Counts token sets; part of the place that they are sealed for.
    pub(crate) generation: u64,
    tokens: Sealed,
    /// When the tokens are not handed out any more, epoch milliseconds.
    usable_until: i64,
    /// When the session ends, epoch seconds.
    expires_at: i64,
    #[serde(default)]
    fence: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_until: Option<i64>,
}

/// The tokens of a session.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SessionTokens {
    pub(crate) access: Secret,
    pub(crate) id: Option<Secret>,
    pub(crate) refresh: Option<Secret>,
}

/// When tokens were asked for, and when they are of no use any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) asked: Timestamp,
    pub(crate) ends: Timestamp,
}

/// What came of asking for the right to refresh.
pub(crate) enum Lease {
    /// It is ours; the session as it is now.
    Ours(Box<Session>),
    /// Somebody else is refreshing.
    Busy,
    /// The session is gone.
    Gone,
}

impl SessionTokens {
    fn to_json(&self) -> Secret {
        Secret::new(
            json!({
                "access": self.access.expose(),
                "id": self.id.as_ref().map(Secret::expose),
                "refresh": self.refresh.as_ref().map(Secret::expose),
            })
            .to_string(),
        )
    }
}

impl Session {
    /// Begins a session and answers the value of its cookie.
    pub(crate) async fn begin(
        app: &App,
        person: Person,
        tokens: &SessionTokens,
        times: Times,
    ) -> Result<Secret> {
        let cookie = random_token()?;
        let sealed = seal(app, &cookie, 1, tokens).await?;
        let session = Self {
            subject: person.subject,
            tenant_id: person.tenant_id,
            roles: person.roles,
            login_id: person.login_id,
            asked_at: times.asked.as_second(),
            generation: 1,
            tokens: sealed,
            usable_until: times.ends.as_millisecond(),
            expires_at: after(Timestamp::now(), LIFE).as_second(),
            fence: 0,
            lease_until: None,
        };
        let key = Key::session(cookie.expose());
        app.shared.insert(&key, &session).await?;
        Ok(cookie)
    }

    /// The session of a browser, with its cookie.
    pub(crate) async fn of(app: &App, headers: &HeaderMap) -> Result<Option<(Secret, Self)>> {
        let Some(cookie) = cookie::get(headers, cookie::SESSION) else {
            return Ok(None);
        };
        let Some(session) = Self::load(app, &cookie).await? else {
            return Ok(None);
        };
        // Who was taken out of the tenant meanwhile, or has other roles there, asks for tokens first.
        if session.is_outdated(app).await? {
            return Ok(None);
        }
        Ok(Some((cookie, session)))
    }

    /// Whether its tokens were ended since they were made (A7).
    pub(crate) async fn is_outdated(&self, app: &App) -> Result<bool> {
        let asked = Timestamp::from_second(self.asked_at).unwrap_or(Timestamp::UNIX_EPOCH);
        let issuer = app.sign_in.issuer();
        sign_off::person_ended(&app.shared, issuer, &self.subject, asked).await
    }

    /// Ends every token of this sign-in; of the person, where tokens do not say which sign-in they
    /// are of.
    pub(crate) async fn end_tokens(&self, app: &App) -> Result<()> {
        let issuer = app.sign_in.issuer();
        match &self.login_id {
            Some(login_id) => sign_off::end_sign_in(&app.shared, issuer, login_id).await,
            None => sign_off::end_person(&app.shared, issuer, &self.subject).await,
        }
    }

    /// The session of a cookie, unless it has ended.
    pub(crate) async fn load(app: &App, cookie: &Secret) -> Result<Option<Self>> {
        let found: Option<Self> = app.shared.get(&Key::session(cookie.expose())).await?;
        Ok(found.filter(|session| session.expires_at > Timestamp::now().as_second()))
    }

    /// Ends a session and answers it as it was.
    pub(crate) async fn end(app: &App, cookie: &Secret) -> Result<Option<Self>> {
        Ok(app.shared.take(&Key::session(cookie.expose())).await?)
    }

    /// Whether its tokens can still be handed out as they are.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.usable_until > after(now, MARGIN).as_millisecond()
    }

    /// For how many seconds its tokens are good.
    pub(crate) fn seconds_left(&self, now: Timestamp) -> i64 {
        (self.usable_until - now.as_millisecond()).max(0) / 1000
    }

    /// Opens its tokens.
    pub(crate) async fn tokens(&self, app: &App, cookie: &Secret) -> Result<SessionTokens> {
        let place = place(cookie, self.generation);
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let opened = app
            .sign_ins
            .open_for(NO_TENANT, &place, &self.tokens)
            .await?;
        serde_json::from_str(opened.expose())
            .map_err(|_| Error::internal("session_shape", "a session holds no tokens"))
    }

    /// Asks for the right to refresh this session's tokens.
    pub(crate) async fn lease(app: &App, cookie: &Secret, now: Timestamp) -> Result<Lease> {
        let update = Update::new()
            .add("fence", 1)
            .set("lease_until", after(now, LEASE).as_millisecond())
            .when_absent_or_less("lease_until", now.as_millisecond());
        match app
            .shared
            .update(&Key::session(cookie.expose()), update)
            .await
        {
            Ok(session) => Ok(Lease::Ours(Box::new(session))),
            Err(StoreError::Condition { current: Some(_) }) => Ok(Lease::Busy),
            Err(StoreError::Condition { current: None }) => Ok(Lease::Gone),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the right back without new tokens.
    pub(crate) async fn release(&self, app: &App, cookie: &Secret) -> Result<()> {
        let update = Update::new()
            .remove("lease_until")
            .when_equal("fence", self.fence);
        let released = app
            .shared
            .update::<Self>(&Key::session(cookie.expose()), update)
            .await;
        match released {
            Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores new tokens and gives the right back; none if the session ended meanwhile.
    pub(crate) async fn renew(
        &self,
        app: &App,
        cookie: &Secret,
        person: Option<&Person>,
        tokens: &SessionTokens,
        times: Times,
    ) -> Result<Option<Self>> {
        let generation = self.generation + 1;
        let sealed = seal(app, cookie, generation, tokens).await?;
        let mut update = Update::new()
            .set("tokens", sealed)
            .set("generation", generation)
            .set("usable_until", times.ends.as_millisecond())
            .set("asked_at", times.asked.as_second())
            .remove("lease_until")
            .when_equal("generation", self.generation)
            .when_equal("fence", self.fence);
        if let Some(person) = person {
            update = update
                .set_or_remove("tenant_id", person.tenant_id)
                .set("roles", &person.roles);
        }
        match app
            .shared
            .update(&Key::session(cookie.expose()), update)
            .await
        {
            Ok(session) => Ok(Some(session)),
            Err(StoreError::Condition { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether this is the session of that person in that tenant.
    pub(crate) fn is_of(&self, subject: &str, tenant: TenantId) -> bool {
        self.subject == subject && self.tenant_id == Some(tenant)
    }
}

/// The cookie for a session that begins now.
pub(crate) fn cookie_for(value: &Secret) -> Result<HeaderValue> {
    cookie::set(cookie::SESSION, value, LIFE.as_secs())
}

/// There is no session, or not any more.
pub(crate) fn ended() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "session_ended",
        "You are not signed in any more. Sign in again.",
    )
}

async fn seal(
    app: &App,
    cookie: &Secret,
    generation: u64,
    tokens: &SessionTokens,
) -> Result<Sealed> {
    let place = place(cookie, generation);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    Ok(app
        .sign_ins
        .seal_for(NO_TENANT, &place, &tokens.to_json())
        .await?)
}

fn place(cookie: &Secret, generation: u64) -> [String; 3] {
    [
        "session".to_owned(),
        sha256_hex(cookie.expose()),
        generation.to_string(),
    ]
}

fn after(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

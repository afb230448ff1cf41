//! Guesses: links, states, connect tokens and sessions that were presented and are not ours, counted
//! by where they come from (scenario A3).
//!
//! What is presented is looked up by its hash or compared in constant time; this is about how often
//! somebody may try. The address is kept as a keyed hash, and never logged. Without the table or the
//! key nobody is held up: 256 bits are not guessed anyway, and an alarm is what this is for.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use aws_sdk_secretsmanager::Client;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use tokio::sync::OnceCell;
use tributary::{
    error::{Error, Kind},
    http::problem::FailedWith,
    limit::{Class, Limited, Limiter, Party},
    seal::Sealer,
    secret::Secret,
    telemetry::{self, Metric},
};

use crate::cookie;

/// Refusals of something that was presented, on the routes where it is presented.
const GUESSES: [&str; 4] = [
    "link_not_valid",
    "consent_refused",
    "sign_in_refused",
    "session_ended",
];

/// Seconds in which the log is told once.
const SILENCE: i64 = 300;

/// Counts guesses.
#[derive(Debug, Clone)]
pub(crate) struct Guesses {
    limiter: Limiter,
    secrets: Client,
    sealing_key: String,
    sealer: Arc<OnceCell<Sealer>>,
    /// When the log was last told, in seconds of the epoch.
    told: Arc<AtomicI64>,
}

impl Guesses {
    pub(crate) fn new(limiter: Limiter, secrets: Client, sealing_key: String) -> Self {
        Self {
            limiter,
            secrets,
            sealing_key,
            sealer: Arc::default(),
            told: Arc::default(),
        }
    }

    /// How long somebody has to wait who is known to have guessed too often.
    fn wait(&self, from: IpAddr) -> Option<u32> {
        let party = party(self.sealer.get()?, from);
        self.limiter.wait(&party, Class::Guess)
    }

    /// Counts a guess; how long to wait if it was one too many.
    async fn count(&self, from: IpAddr) -> Option<u32> {
        let sealer = self.sealer.get_or_try_init(|| self.fetch()).await;
        let sealer = sealer
            .inspect_err(|error| {
                tracing::warn!(
                    error.code = error.code(),
                    error.chain = error.chain(),
                    "guesses are not counted"
                );
            })
            .ok()?;
        match self.limiter.take(party(sealer, from), Class::Guess).await {
            Err(Limited::Reached { seconds }) => Some(seconds),
            Ok(()) | Err(Limited::Unknown) => None,
        }
    }

    /// The answer, counted; the log is told once in a while.
    fn refuse(&self, seconds: u32) -> Response {
        telemetry::count(Metric::GuessesRefused);
        let now = Timestamp::now().as_second();
        let told = self.told.swap(now, Ordering::Relaxed);
        if now - told >= SILENCE {
            tracing::error!(
                security.event = "guessing",
                "somebody presents links, states or sessions that are not ours, again and again"
            );
        } else {
            self.told.store(told, Ordering::Relaxed);
        }
        too_many(seconds).into_response()
    }

    async fn fetch(&self) -> Result<Sealer, Error> {
        let material = self
            .secrets
            .get_secret_value()
            .secret_id(&self.sealing_key)
            .send()
            .await
            .map_err(|error| tributary::aws::Refusal::of(&error).into_error("GetSecretValue"))?
            .secret_string
            .map(Secret::new)
            .unwrap_or_default();
        Sealer::new(&material).map_err(|error| {
            Error::internal("sealing_key", "the sealing key is too short").with_source(error)
        })
    }
}

/// Lets nobody go on who has guessed too often, and counts what was a guess.
pub(crate) async fn watch(
    State(guesses): State<Guesses>,
    request: Request,
    next: Next,
) -> Response {
    let Some(from) = source(&request) else {
        return next.run(request).await;
    };
    if let Some(seconds) = guesses.wait(from) {
        return guesses.refuse(seconds);
    }
    let presented = presents(&request);
    let response = next.run(request).await;
    let failed = response.extensions().get::<FailedWith>();
    if !presented || !failed.is_some_and(|failed| is_guess(&failed.problem.code)) {
        return response;
    }
    match guesses.count(from).await {
        Some(seconds) => guesses.refuse(seconds),
        None => response,
    }
}

fn is_guess(code: &str) -> bool {
    GUESSES.contains(&code)
}

/// Whether a request presents anything: a page that only asks whether there is a session does not.
fn presents(request: &Request) -> bool {
    request.uri().path() != "/auth/token" || has_session(request.headers())
}

fn has_session(headers: &HeaderMap) -> bool {
    headers.get_all(http::header::COOKIE).iter().any(|line| {
        line.to_str()
            .is_ok_and(|line| line.contains(cookie::SESSION))
    })
}

/// Where the gateway says that a request comes from.
fn source(request: &Request) -> Option<IpAddr> {
    match request.extensions().get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_ref()?.parse().ok(),
        _ => None,
    }
}

/// The bucket of an address. An IPv6 network of 64 bits is one caller's.
fn party(sealer: &Sealer, from: IpAddr) -> Party {
    let bytes = match from.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    };
    let mut text = b"guesses:".to_vec();
    text.extend(bytes);
    let mark = sealer.fingerprint(&text);
    Party::Source(mark.iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

fn too_many(seconds: u32) -> Error {
    Error::new(
        Kind::Throttled,
        "rate_limited",
        "Too many attempts. Wait as long as Retry-After says.",
    )
    .with_log("guesses from one address")
    .with_retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a3_an_address_is_one_bucket_and_cannot_be_read_from_it() {
        let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
        let of = |text: &str| party(&sealer, text.parse().unwrap()).to_string();
        assert_eq!(of("203.0.113.7"), of("::ffff:203.0.113.7"));
        assert_ne!(of("203.0.113.7"), of("203.0.113.8"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert!(!of("203.0.113.7").contains("203"), "{}", of("203.0.113.7"));
        let other = Sealer::new(&Secret::new("fedcba9876543210fedcba9876543210")).unwrap();
        let elsewhere = party(&other, "203.0.113.7".parse().unwrap()).to_string();
        assert_ne!(of("203.0.113.7"), elsewhere);
    }

    #[test]
    fn a3_asking_whether_there_is_a_session_is_no_guess() {
        let request = |path: &str, cookie: &str| {
            Request::post(path)
                .header("cookie", cookie)
                .body(Body::empty())
                .unwrap()
        };
        assert!(!presents(&request("/auth/token", "other=1")));
        let session = format!("{}=x", cookie::SESSION);
        assert!(presents(&request("/auth/token", &session)));
        assert!(presents(&request("/connect/start", "")));
    }
}

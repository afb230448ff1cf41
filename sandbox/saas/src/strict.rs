//! OAuth providers on loopback that forgive nothing: ServiceNow, HubSpot, Zendesk and Microsoft (with
//! Dynamics 365 behind it), and Marketo's client credentials. One listener serves all of them:
//!
//! | provider | base | application |
//! |---|---|---|
//! | ServiceNow | `/service-now/{instance}` | the same |
//! | HubSpot | `/hubspot` | the same |
//! | Zendesk | `/zendesk/{instance}` | the same |
//! | Microsoft | `/microsoft/{directory}`, `common` for any | `/dynamics/{org}` |
//! | Marketo | `/marketo/{munchkin}` | |
//!
//! What differs between them is one row of a table. What they share: exact redirect URIs, PKCE with
//! S256, codes that are good once and end their grant when they come again, clients that authenticate
//! in the body, no unknown and no repeated parameter. Tokens are good at their instance alone.
//!
//! Two orgs exist, `acme` (Olivia, Otto) and `globex` (Oscar, Olga); [`Providers::add_org`] makes more.
//! Each is an instance, a HubSpot account, a directory and a Dynamics org. A person signs in as
//! `olivia@acme.example` with the password `olivia-password-local`.
//!
//! Scripts walk the consent without a browser: `GET` of the authorization endpoint shows a form whose
//! hidden field `transaction` goes back by `POST` to the same path with `username`, `password` and
//! `decision=allow` (or `deny`), in one step or in two.

mod admin;
mod api;
mod authorize;
mod counters;
mod error;
mod flavour;
mod grants;
mod marketo;
mod options;
mod request;
mod token;
mod trouble;
mod users;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use http::{Method, Request, StatusCode};
use tokio::net::TcpListener;

pub use admin::{TokenPair, hosts};
pub use counters::ProviderCounters;
pub use options::{ProviderApp, ProvidersOptions, RateLimit};
pub use trouble::{Endpoint, Trouble, TroubleRule};
pub use users::ProviderUser;

use crate::server::Server;
use counters::Pace;
use flavour::{FLAVOURS, Flavour, Realm, flavour};
use grants::Grants;

/// The providers.
pub struct Providers {
    options: ProvidersOptions,
    base_url: OnceLock<String>,
    state: Mutex<State>,
}

/// What changes while they serve.
#[derive(Default)]
struct State {
    users: Vec<ProviderUser>,
    books: BTreeMap<&'static str, Book>,
    troubles: Vec<TroubleRule>,
    marketo: HashMap<String, marketo::SharedToken>,
    /// Every secret that was issued, with its label.
    issued: Vec<(String, String)>,
}

/// What one provider keeps.
#[derive(Default)]
struct Book {
    apps: Vec<ProviderApp>,
    secret_uses: BTreeMap<String, u64>,
    grants: Grants,
    transactions: HashMap<String, authorize::Transaction>,
    counters: ProviderCounters,
    pace: Pace,
    rate_limit: Option<RateLimit>,
    calls_of: BTreeMap<String, VecDeque<i64>>,
    scope_limit: Option<Vec<String>>,
    /// Authorization requests without a challenge are taken.
    pkce_optional: bool,
    issues: i64,
}

/// Where a request goes.
#[derive(Clone, Copy)]
struct Place<'a> {
    flavour: &'static Flavour,
    /// Second segment of the path; empty where there is none.
    instance: &'a str,
    /// The rest of the path.
    rest: &'a str,
}

impl Place<'_> {
    /// The instance whose tokens are good here; empty where tokens are good everywhere.
    fn bound_to(&self) -> &str {
        match self.flavour.realm {
            Realm::Instance => self.instance,
            Realm::None | Realm::Directory => "",
        }
    }

    /// Whether a user may sign in here.
    fn admits(&self, user: &ProviderUser) -> bool {
        match self.flavour.realm {
            Realm::None => true,
            Realm::Instance => user.org == self.instance,
            Realm::Directory => {
                matches!(self.instance, "common" | "organizations") || user.org == self.instance
            }
        }
    }
}

impl Providers {
    /// Providers with two orgs, where no app is registered yet.
    pub fn new(options: ProvidersOptions) -> Self {
        let mut state = State::default();
        state
            .users
            .extend(users::of_org("acme", ["olivia", "otto"]));
        state
            .users
            .extend(users::of_org("globex", ["oscar", "olga"]));
        Self {
            options,
            base_url: OnceLock::new(),
            state: Mutex::new(state),
        }
    }

    /// Serves on the listener until the future is dropped. The base URL is known as soon as this returns.
    pub fn serve(self: Arc<Self>, listener: TcpListener) -> impl Future<Output = ()> + Send {
        if let Ok(address) = listener.local_addr() {
            // A second listener keeps the first one's address.
            let _ = self.base_url.set(format!("http://{address}"));
        }
        Server {
            service: "providers",
            faults: self.options.faults.clone(),
            journal: self.options.journal.clone(),
            router: Router::new().fallback(dispatch).with_state(self),
        }
        .run(listener)
    }

    /// The base of all of them; empty before [`Providers::serve`].
    pub fn base_url(&self) -> &str {
        self.base_url.get().map_or("", String::as_str)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with what a provider keeps.
    fn book<T>(&self, flavour: &'static Flavour, work: impl FnOnce(&mut Book) -> T) -> T {
        work(self.state().books.entry(flavour.key).or_default())
    }

    /// Now, in epoch milliseconds of the sandbox's clock.
    fn now(&self) -> i64 {
        self.options.clock.now().as_millisecond()
    }

    fn user(&self, username: &str) -> Option<ProviderUser> {
        let state = self.state();
        state.users.iter().find(|u| u.username == username).cloned()
    }

    fn has_org(&self, org: &str) -> bool {
        self.state().users.iter().any(|user| user.org == org)
    }

    /// Remembers a secret that goes out.
    fn seed(&self, label: &str, secret: &str) {
        self.options.canaries.seed(label, secret);
        let pair = (label.to_owned(), secret.to_owned());
        self.state().issued.push(pair);
    }

    /// Remembers the tokens of an answer.
    fn seed_issued(&self, row: &Flavour, issued: &grants::Issued) {
        self.seed(&format!("{} access token", row.label), &issued.access_token);
        if let Some(token) = &issued.refresh_token {
            self.seed(&format!("{} refresh token", row.label), token);
        }
    }

    /// Takes the trouble that hits this request, if any, and counts it down.
    fn trouble_at(&self, place: Place<'_>, endpoint: Endpoint) -> Option<Trouble> {
        let mut state = self.state();
        let rules = &mut state.troubles;
        let at = rules
            .iter()
            .position(|rule| rule.hits(place.flavour.key, place.instance, endpoint))?;
        let trouble = rules[at].trouble.clone();
        rules[at].times = rules[at].times.saturating_sub(1);
        if rules[at].times == 0 {
            rules.remove(at);
        }
        Some(trouble)
    }

    /// Where a path leads; `None` if there is no such provider or instance.
    fn place<'a>(&self, path: &'a str) -> Option<Place<'a>> {
        let (key, rest) = path.strip_prefix('/')?.split_once('/')?;
        let flavour = flavour(key)?;
        if flavour.realm == Realm::None {
            return Some(Place {
                flavour,
                instance: "",
                rest: &path[1 + key.len()..],
            });
        }
        let (instance, _) = rest.split_once('/')?;
        let common =
            flavour.realm == Realm::Directory && matches!(instance, "common" | "organizations");
        (common || self.has_org(instance)).then(|| Place {
            flavour,
            instance,
            rest: &rest[instance.len()..],
        })
    }
}

async fn dispatch(Shared(providers): Shared<Arc<Providers>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if let Some(rest) = path.strip_prefix("/dynamics/") {
        return api::dynamics(&providers, rest, &parts).await;
    }
    if let Some(rest) = path.strip_prefix("/marketo/") {
        return marketo::answer(&providers, rest, &parts, body).await;
    }
    let Some(place) = providers.place(&path) else {
        return (StatusCode::NOT_FOUND, "there is nothing here").into_response();
    };
    let row = place.flavour;
    match (&parts.method, place.rest) {
        (&Method::GET, rest) if rest == row.authorize_path => {
            authorize::show(&providers, place, parts.uri.query().unwrap_or_default())
        }
        (&Method::POST, rest) if rest == row.authorize_path => {
            authorize::decide(&providers, place, &parts, body).await
        }
        (&Method::POST, rest) if row.token_paths.contains(&rest) => {
            token::token(&providers, place, &parts, body).await
        }
        (&Method::DELETE, rest) if row.revoke_path == Some(rest) => {
            api::revoke(&providers, place, &parts.headers).await
        }
        (&Method::GET, _) => api::read(&providers, place, &parts.headers).await,
        _ => (StatusCode::NOT_FOUND, "there is nothing here").into_response(),
    }
}

/// The keys of the providers that people consent at.
pub fn provider_keys() -> impl Iterator<Item = &'static str> {
    FLAVOURS.iter().map(|flavour| flavour.key)
}

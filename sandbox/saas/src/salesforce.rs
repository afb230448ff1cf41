//! Salesforce on loopback: one host that is the login server and the instance.
//!
//! OAuth as Salesforce asks of an app in many customers' orgs since May 2026: PKCE for confidential
//! clients too, rotation of refresh tokens, reuse that ends the grant, an idle limit, five approvals a
//! user. The REST API reads sales per city, generated from `world-cities.csv`, and writes accounts.
//! Changes of both are told to subscribers as Change Data Capture does.
//!
//! All users share one set of records, whatever their org. A request writes records of one object.
//!
//! Scripts walk the consent without a browser: `GET /services/oauth2/authorize` shows a form whose
//! hidden field `transaction` goes back in `POST /services/oauth2/authorize` with `decision=allow`
//! (or `deny`) and, if another person shall grant, `username`.

mod admin;
mod api;
mod authorize;
mod city_sale;
mod collections;
mod event;
mod grants;
mod grown;
mod identity;
mod introspect;
mod metadata;
mod minted;
mod options;
mod org;
mod query;
mod records;
mod revoke;
mod sobjects;
mod soql;
mod table;
mod token;
mod write;

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, atomic::AtomicU64},
};

use axum::{
    Router,
    routing::{get, patch, post},
};
use tokio::{net::TcpListener, sync::Notify};

pub use admin::{MetadataCounters, TokenCounters};
pub use city_sale::{CitySale, city_sales, sales_by_city, total_sales};
pub use event::ChangeEvent;
pub use minted::OwnApp;
pub use options::{OrgUser, SalesforceOptions};

use crate::server::Server;
use grants::{Grants, Policy};
use org::Org;
use query::Cursor;
use write::{Refused, Transaction, Written};

/// The REST API version that is served.
const API_VERSION: &str = "v58.0";

/// The Salesforce stand-in.
pub struct Salesforce {
    options: SalesforceOptions,
    base_url: OnceLock<String>,
    state: Mutex<State>,
    sales: RwLock<Arc<Vec<CitySale>>>,
    org: Mutex<Org>,
    /// Events wait to be taken.
    published: Notify,
    counters: Counters,
}

/// What changes while it serves.
struct State {
    grants: Grants,
    transactions: HashMap<String, authorize::Transaction>,
    cursors: VecDeque<(String, Arc<Cursor>)>,
    redirect_uris: Vec<String>,
    client_secrets: Vec<String>,
    scope_limit: Option<Vec<String>>,
    own_apps: Vec<OwnApp>,
}

#[derive(Default)]
struct Counters {
    exchanges: AtomicU64,
    refreshes: AtomicU64,
    refreshes_granted: AtomicU64,
    reuse_detected: AtomicU64,
    secret_in_url: AtomicU64,
    introspections: AtomicU64,
    object_lists: AtomicU64,
    describes: AtomicU64,
}

impl Salesforce {
    /// A Salesforce that nobody has approved yet.
    pub fn new(options: SalesforceOptions) -> Self {
        options
            .canaries
            .seed("salesforce client secret", &options.client_secret);
        let policy = Policy {
            access_life: millis(options.token_life),
            refresh_idle: millis(options.refresh_idle),
            ..Policy::default()
        };
        let state = State {
            grants: Grants::new(policy),
            transactions: HashMap::new(),
            cursors: VecDeque::new(),
            redirect_uris: options.redirect_uris.clone(),
            client_secrets: vec![options.client_secret.clone()],
            scope_limit: None,
            own_apps: Vec::new(),
        };
        Self {
            options,
            base_url: OnceLock::new(),
            state: Mutex::new(state),
            sales: RwLock::new(Arc::new(city_sales())),
            org: Mutex::default(),
            published: Notify::new(),
            counters: Counters::default(),
        }
    }

    /// Serves on the listener until the future is dropped. The base URL is known as soon as this returns.
    pub fn serve(self: Arc<Self>, listener: TcpListener) -> impl Future<Output = ()> + Send {
        if let Ok(address) = listener.local_addr() {
            // A second listener keeps the first one's address: one instance has one name.
            let _ = self.base_url.set(format!("http://{address}"));
        }
        Server {
            service: "salesforce",
            faults: self.options.faults.clone(),
            journal: self.options.journal.clone(),
            router: self.router(),
        }
        .run(listener)
    }

    /// Login host and instance URL; empty before [`Salesforce::serve`].
    pub fn base_url(&self) -> &str {
        self.base_url.get().map_or("", String::as_str)
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route(
                "/services/oauth2/authorize",
                get(authorize::show).post(authorize::decide),
            )
            .route("/services/oauth2/token", post(token::token))
            .route("/services/oauth2/revoke", post(revoke::revoke))
            .route("/services/oauth2/introspect", post(introspect::introspect))
            .route("/services/oauth2/userinfo", get(identity::user_info))
            .route("/id/{org}/{user}", get(identity::identity))
            .route(
                "/.well-known/openid-configuration",
                get(metadata::openid_configuration),
            )
            .route("/services/data", get(api::versions))
            .route("/services/data/{version}/limits", get(api::limits))
            .route("/services/data/{version}/sobjects", get(sobjects::list))
            .route(
                "/services/data/{version}/sobjects/{name}/describe",
                get(sobjects::describe),
            )
            .route(
                "/services/data/{version}/sobjects/{name}",
                post(records::create),
            )
            .route(
                "/services/data/{version}/sobjects/{name}/{id}",
                get(records::read)
                    .patch(records::update)
                    .delete(records::delete),
            )
            .route(
                "/services/data/{version}/sobjects/{name}/{id}/{value}",
                patch(records::upsert),
            )
            .route(
                "/services/data/{version}/composite/sobjects",
                post(collections::create)
                    .patch(collections::update)
                    .delete(collections::delete),
            )
            .route(
                "/services/data/{version}/composite/sobjects/{object}/{field}",
                patch(collections::upsert),
            )
            .route("/services/data/{version}/query", get(query::query))
            .route("/services/data/{version}/queryAll", get(query::query_all))
            .route("/services/data/{version}/query/{locator}", get(query::more))
            .fallback(api::not_found)
            .with_state(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn org(&self) -> MutexGuard<'_, Org> {
        self.org.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object whose ids begin as this one does.
    fn object_of(&self, id: &str) -> Option<String> {
        let org = self.org();
        let mut objects = org.objects().iter().filter(|o| !o.prefix.is_empty());
        objects
            .find(|o| id.starts_with(o.prefix))
            .map(|o| o.name.to_string())
    }

    /// Does something to records of an object in one transaction, which with `all_or_none` one
    /// refused record undoes.
    fn transact(
        &self,
        username: &str,
        object: &str,
        all_or_none: bool,
        work: impl FnOnce(&mut Org, &mut Transaction) -> Vec<Result<Written, Refused>>,
    ) -> Result<Vec<Result<Written, Refused>>, api::ApiError> {
        let sales = self.sales();
        let mut org = self.org();
        let object = org.object(object).ok_or_else(api::ApiError::not_found)?;
        let user_id = self.user(username).map_or("", |user| &user.user_id);
        let rows = org.rows(&object, &sales);
        let mut transaction = Transaction::new(object, rows, user_id, self.options.clock.now());
        let outcomes = work(&mut org, &mut transaction);
        if !(all_or_none && outcomes.iter().any(Result::is_err)) {
            transaction.commit(&mut org);
            self.published.notify_one();
            return Ok(outcomes);
        }
        let undone = || Refused::undone();
        Ok(outcomes
            .into_iter()
            .map(|o| o.and_then(|_| Err(undone())))
            .collect())
    }

    /// Now, in epoch milliseconds of the sandbox's clock.
    fn now(&self) -> i64 {
        self.options.clock.now().as_millisecond()
    }

    fn user(&self, username: &str) -> Option<&OrgUser> {
        self.options.users.iter().find(|u| u.username == username)
    }

    /// The identity URL of a user: the `id` of the token answer.
    fn identity_url(&self, user: &OrgUser) -> String {
        format!("{}/id/{}/{}", self.base_url(), user.org_id, user.user_id)
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

//! An OpenID Connect provider on loopback, in the shape of an Amazon Cognito user pool.
//!
//! Authorization code with mandatory PKCE (S256), refresh tokens, client credentials for the operator;
//! RS256 with separate keys for ID and access tokens; groups and a pre-token-generation trigger
//! (version 2) that is asked at every code exchange and refresh and whose error refuses the login.
//! There is no cookie session: every authorization asks for the password.
//!
//! Scripts sign in without a browser: `GET /oauth2/authorize` shows a form whose hidden field
//! `transaction` goes back in `POST /login` with `username` and `password`.

mod admin;
mod authorize;
mod claims;
mod discovery;
mod jwt;
mod keys;
mod login;
mod logout;
mod options;
mod revoke;
mod sessions;
mod token;
mod trigger;
mod user_info;

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
    routing::{get, post},
};
use http::{HeaderValue, header};
use tokio::net::TcpListener;

pub use admin::{Signature, TokenUse};
pub use options::{OidcOptions, OidcUser};
pub use token::Tokens;
pub use trigger::Trigger;

use crate::server::Server;
use keys::{Keyring, KeysUnavailable};
use sessions::Sessions;

/// The identity provider stand-in.
pub struct Oidc {
    options: OidcOptions,
    issuer: OnceLock<String>,
    state: Mutex<State>,
}

/// What changes while it serves.
struct State {
    keys: Keyring,
    sessions: Sessions,
    transactions: HashMap<String, authorize::Transaction>,
    disabled: Vec<String>,
    redirect_uris: Vec<String>,
    logout_uris: Vec<String>,
    trigger: Option<Trigger>,
}

impl Oidc {
    /// A pool with its users and fresh keys.
    pub fn new(options: OidcOptions) -> Result<Self, KeysUnavailable> {
        let canaries = &options.canaries;
        canaries.seed("oidc operator secret", &options.operator_secret);
        if let Some(secret) = &options.client_secret {
            canaries.seed("oidc client secret", secret);
        }
        let state = State {
            keys: Keyring::generate()?,
            sessions: Sessions::new(options.rotate_refresh_tokens),
            transactions: HashMap::new(),
            disabled: Vec::new(),
            redirect_uris: options.redirect_uris.clone(),
            logout_uris: options.logout_uris.clone(),
            trigger: None,
        };
        Ok(Self {
            options,
            issuer: OnceLock::new(),
            state: Mutex::new(state),
        })
    }

    /// Serves on the listener until the future is dropped. The issuer is known as soon as this returns.
    pub fn serve(self: Arc<Self>, listener: TcpListener) -> impl Future<Output = ()> + Send {
        if let Ok(address) = listener.local_addr() {
            // A second listener keeps the first one's address: one pool has one issuer.
            let _ = self.issuer.set(format!("http://{address}"));
        }
        Server {
            service: "oidc",
            faults: self.options.faults.clone(),
            journal: self.options.journal.clone(),
            router: self.router(),
        }
        .run(listener)
    }

    /// The issuer; empty before [`Oidc::serve`].
    pub fn issuer(&self) -> &str {
        self.issuer.get().map_or("", String::as_str)
    }

    fn router(self: Arc<Self>) -> Router {
        // What single-page applications may read from another origin, as in Cognito.
        let open = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(discovery::openid_configuration),
            )
            .route("/.well-known/jwks.json", get(discovery::jwks))
            .route("/oauth2/token", post(token::token))
            .route("/oauth2/revoke", post(revoke::revoke))
            .route("/oauth2/userInfo", get(user_info::user_info))
            .layer(from_fn(any_origin));
        Router::new()
            .merge(open)
            .route("/oauth2/authorize", get(authorize::authorize))
            .route("/login", post(login::login))
            .route("/logout", get(logout::logout))
            .with_state(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lives of codes and sessions follow the sandbox's clock; times in tokens do not.
    fn now(&self) -> i64 {
        self.options.clock.now().as_millisecond()
    }

    /// A user who may sign in.
    fn enabled_user(&self, name: &str) -> Option<&OidcUser> {
        let user = self.options.users.iter().find(|u| u.name == name)?;
        (!self.state().disabled.contains(&user.name)).then_some(user)
    }
}

async fn any_origin(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    response
}

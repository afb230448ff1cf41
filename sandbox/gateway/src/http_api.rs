//! API Gateway's HTTP API on loopback, payload format 2.0.
//!
//! The order of checks is the gateway's: size of the headers, CORS preflight, route, authorizer,
//! size of the body, integration. The function sees nothing of what is refused before it.

mod access_log;
mod answer;
mod authorizer;
mod claims;
mod cors;
mod event;
mod jwks;
mod routing;
mod server;

use std::{fmt, net::SocketAddr, sync::Arc};

use sandbox_core::Functions;
use tokio::{net::TcpListener, task::AbortHandle};

use crate::{runtime::LogSink, template::Api};
use server::Gateway;

/// What the API is served with.
pub struct HttpApiOptions {
    /// The API of the template.
    pub api: Api,
    /// Account of `requestContext.accountId`.
    pub account: String,
    /// The functions behind the routes.
    pub functions: Arc<dyn Functions>,
    /// Where the access log goes, under the source `gateway`.
    pub logs: LogSink,
}

/// A served HTTP API. Dropping it stops listening.
#[derive(Debug)]
pub struct HttpApi {
    address: SocketAddr,
    server: AbortHandle,
}

/// Why the API cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HttpApiError {
    /// The listener has no address.
    #[error("the listener has no address")]
    Listener(#[source] std::io::Error),
    /// No HTTP client for discovery documents and keys.
    #[error("no HTTP client for the issuers' keys")]
    Client(#[source] reqwest::Error),
}

impl HttpApi {
    /// Serves the API on a listener, bound before because its address is a template parameter.
    pub fn serve(listener: TcpListener, options: HttpApiOptions) -> Result<Self, HttpApiError> {
        let address = listener.local_addr().map_err(HttpApiError::Listener)?;
        let gateway = Gateway::new(options, address.port()).map_err(HttpApiError::Client)?;
        let app = server::service(Arc::new(gateway));
        let server = tokio::spawn(async move {
            // Serving ends only with the task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            address,
            server: server.abort_handle(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Base URL, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for HttpApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for HttpApiOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpApiOptions")
            .field("api", &self.api)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

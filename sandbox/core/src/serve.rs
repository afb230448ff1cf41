//! Listening on loopback.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

/// A port that somebody else has.
#[derive(Debug, thiserror::Error)]
#[error("port {port} on 127.0.0.1 is taken; choose another first port with --port")]
pub struct PortTaken {
    /// The port asked for.
    pub port: u16,
    /// What the operating system said.
    #[source]
    pub source: std::io::Error,
}

/// Binds a port on loopback; port 0 lets the system choose.
pub async fn bind(port: u16) -> Result<(TcpListener, SocketAddr), PortTaken> {
    let taken = |source| PortTaken { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    Ok((listener, address))
}

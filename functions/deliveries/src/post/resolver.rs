//! Names are resolved here, so that no connection goes to an address that was not looked at.

use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tributary::oauth::http::only_public;

/// What a lookup comes to.
type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
/// How names are looked up.
pub(super) type Lookup = Arc<dyn Fn(String) -> Found + Send + Sync>;

/// The system's resolver.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 443)).await?.collect()) })
    })
}

/// Answers public addresses only; a name with a single other address is refused altogether.
pub(super) struct PublicOnly(pub(super) Lookup);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let addresses: Addrs = Box::new(only_public(found.await?)?.into_iter());
            Ok(addresses)
        })
    }
}

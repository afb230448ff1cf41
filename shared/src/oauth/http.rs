//! The HTTP client for token calls and key fetches: one fresh connection, one attempt, no surprises.
//!
//! No redirects: a 307 would carry refresh token and client secret to another host. No proxy from
//! the environment. No pool: a pooled connection that died while the process was frozen turns "not
//! sent" into "maybe sent".

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{
    Client, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
    redirect::Policy,
};
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Largest body that is read.
pub const BODY_CAP: usize = 64 * 1024;
/// Longest that reaching a host may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest that a token call may take.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait that a provider can impose with `Retry-After`.
const RETRY_AFTER_CAP: Duration = Duration::from_hours(1);

/// An answer, whatever its status.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// When the server wants to be asked again, capped at an hour.
    pub retry_after: Option<Duration>,
    /// The body: may hold tokens, so it prints nothing.
    pub body: Secret,
}

/// Why there is no whole answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpFailure {
    /// Nothing left this machine: name, connection or TLS failed.
    #[error("the request was not sent")]
    NotSent(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request may have been worked off.
    #[error("the request may have been sent, and no whole answer came")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The body is larger than we read.
    #[error("the answer has more than {BODY_CAP} bytes")]
    TooLarge,
}

/// Where the host of a call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostOrigin {
    /// From the operator's configuration.
    Configured,
    /// From outside, and checked as text: its addresses are checked when connecting, because a
    /// check before and a connection later is DNS rebinding.
    Foreign,
}

/// Sends token calls.
#[derive(Debug, Clone)]
pub struct TokenHttp {
    client: Client,
    origin: HostOrigin,
}

impl TokenHttp {
    /// A client for hosts of this origin.
    pub fn new(origin: HostOrigin) -> Result<Self, reqwest::Error> {
        let builder = Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .user_agent(concat!("tributary/", env!("CARGO_PKG_VERSION")));
        let builder = match origin {
            HostOrigin::Configured => builder,
            HostOrigin::Foreign => builder.https_only(true).dns_resolver(PublicOnly),
        };
        Ok(Self {
            client: builder.build()?,
            origin,
        })
    }

    /// Posts a form, once.
    pub async fn post_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Result<HttpAnswer, HttpFailure> {
        let mut request = self.client.post(url.clone()).form(form);
        if let Some((user, password)) = basic {
            request = request.basic_auth(user, Some(password));
        }
        self.send(url, request).await
    }

    /// Sends a `DELETE` with a bearer token, once.
    pub async fn delete(&self, url: &Url, bearer: &Secret) -> Result<HttpAnswer, HttpFailure> {
        let request = self.client.delete(url.clone()).bearer_auth(bearer.expose());
        self.send(url, request).await
    }

    /// Gets a document, within a shorter time than a token call.
    pub async fn get(&self, url: &Url, within: Duration) -> Result<HttpAnswer, HttpFailure> {
        let request = self.client.get(url.clone()).timeout(within);
        self.send(url, request).await
    }

    /// Gets a document as the owner of an access token, which travels in the header only.
    pub async fn get_as(
        &self,
        url: &Url,
        access_token: &Secret,
        within: Duration,
    ) -> Result<HttpAnswer, HttpFailure> {
        let request = self.client.get(url.clone()).timeout(within);
        self.send(url, request.bearer_auth(access_token.expose()))
            .await
    }

    async fn send(
        &self,
        url: &Url,
        request: reqwest::RequestBuilder,
    ) -> Result<HttpAnswer, HttpFailure> {
        // Resolvers are not asked about literal addresses.
        if self.origin == HostOrigin::Foreign && !matches!(url.host(), Some(Host::Domain(_))) {
            return Err(HttpFailure::NotSent(
                "a literal address is not a provider's host".into(),
            ));
        }
        let mut response = request
            .header(header::ACCEPT, "application/json")
            .send()
            .await
            .map_err(|error| {
                let before_sending = error.is_connect() || error.is_builder();
                let error = Box::new(error.without_url());
                if before_sending {
                    HttpFailure::NotSent(error)
                } else {
                    HttpFailure::Unknown(error)
                }
            })?;
        let status = response.status();
        let retry_after = retry_after(&response, Timestamp::now());
        // Whole from the start: a buffer that grows would leave tokens behind.
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_CAP));
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| HttpFailure::Unknown(Box::new(error.without_url())))?
        {
            if body.len() + chunk.len() > BODY_CAP {
                return Err(HttpFailure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer {
            status: StatusCode::as_u16(&status),
            retry_after,
            body: Secret::from_utf8_lossy(std::mem::take(&mut *body)),
        })
    }
}

fn retry_after(response: &reqwest::Response, now: Timestamp) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    parse_retry_after(value, now)
}

/// Reads `Retry-After`, an hour at most.
fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    wished_wait(value, now).map(|wait| wait.min(RETRY_AFTER_CAP))
}

/// Reads `Retry-After`: seconds or a date (RFC 9110 section 10.2.3), however long.
pub fn wished_wait(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

/// Answers public addresses only; a name with a single other address is refused altogether.
#[derive(Debug, Clone, Copy)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), 443))
                .await?
                .collect();
            let addresses: Addrs = Box::new(only_public(addresses)?.into_iter());
            Ok(addresses)
        })
    }
}

/// A name leads to an address that is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name leads to a non-public {0} address")]
pub struct NotPublic(&'static str);

/// The addresses of a name, if all of them are public.
pub fn only_public(addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    match addresses.iter().find(|address| !is_public(address.ip())) {
        None => Ok(addresses),
        Some(refused) if refused.is_ipv4() => Err(NotPublic("IPv4")),
        Some(_) => Err(NotPublic("IPv6")),
    }
}

/// Whether an address is global unicast (IANA special-purpose registries).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let special = v4.is_unspecified()
                || a == 0
                || v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (18..20).contains(&b));
            !special
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            // 2000::/3 is all that is allocated as global unicast; within it, what tunnels or documents.
            let global = segments[0] & 0xe000 == 0x2000;
            let special = (segments[0] == 0x2001
                && (segments[1] < 0x0200 || segments[1] == 0x0db8))
                || segments[0] == 0x2002
                || (segments[0] == 0x3fff && segments[1] < 0x1000);
            global && !special
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c14_addresses_that_are_not_public_are_refused() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.170.2",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2002:a00:1::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["136.146.0.1", "8.8.8.8", "2600:1f18::1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[tokio::test]
    async fn c14_a_name_that_leads_to_loopback_is_refused_when_connecting() {
        let http = TokenHttp::new(HostOrigin::Foreign).unwrap();
        for text in [
            "https://localhost/",
            "https://127.0.0.1/",
            "http://salesforce.com/",
        ] {
            let url = Url::parse(text).unwrap();
            let answer = http.get(&url, Duration::from_secs(2)).await;
            assert!(
                matches!(answer, Err(HttpFailure::NotSent(_))),
                "{text}: {answer:?}"
            );
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date_and_capped() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(parse_retry_after("120", now), seconds(120));
        assert_eq!(parse_retry_after("86400", now), seconds(3600));
        assert_eq!(
            parse_retry_after("Thu, 01 Jan 2026 00:01:00 GMT", now),
            seconds(60)
        );
        assert_eq!(
            parse_retry_after("Wed, 01 Jan 2025 00:01:00 GMT", now),
            seconds(0)
        );
        assert_eq!(parse_retry_after("soon", now), None);
    }
}

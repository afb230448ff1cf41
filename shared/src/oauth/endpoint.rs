//! Base addresses that the operator configures: identity provider, login hosts, our own.

use std::{fmt, net::IpAddr, str::FromStr};

use url::{Host, Url};

/// A base URL from configuration: `https`, or `http` where the host is a loopback address, because
/// such traffic leaves no machine.
///
/// Keeps the text as it was configured: an issuer is compared as a string, not as a URL (RFC 9207
/// section 2.4).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    text: String,
    url: Url,
}

/// Why a text is not a usable base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// Not an absolute URL with a host.
    #[error("not an absolute URL with a host")]
    Malformed,
    /// Plain `http` to another machine, or another scheme.
    #[error("the scheme must be https")]
    Scheme,
    /// User name, password, query or fragment.
    #[error("user names, queries and fragments have no place in a base URL")]
    Extras,
}

impl Endpoint {
    /// The base URL as it was configured.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address of a fixed path under this base.
    ///
    /// `path` begins with a slash and is a constant of ours, never a value from outside.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = self.url.path().trim_end_matches('/');
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// Scheme, host and port, as browsers send them in `Origin`.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether the base is `https`.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether a URL that this party names is as safe to call as the party itself: its scheme is no
    /// weaker, and it carries no credentials.
    pub fn vouches_for(&self, url: &Url) -> bool {
        let scheme_holds = url.scheme() == "https" || (!self.is_https() && is_loopback_http(url));
        scheme_holds && url.has_host() && url.username().is_empty() && url.password().is_none()
    }
}

fn is_loopback_http(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    url.scheme() == "http" && loopback
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let url = Url::parse(text).map_err(|_| InvalidEndpoint::Malformed)?;
        if url.scheme() != "https" && !is_loopback_http(&url) {
            return Err(InvalidEndpoint::Scheme);
        }
        let extras = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        if extras {
            return Err(InvalidEndpoint::Extras);
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_addresses_only() {
        let cases = [
            ("https://login.salesforce.com", Ok(())),
            ("https://idp.example/pool/1", Ok(())),
            ("http://127.0.0.1:8080", Ok(())),
            ("http://[::1]:8080", Ok(())),
            ("http://localhost:8080", Err(InvalidEndpoint::Scheme)),
            ("http://login.salesforce.com", Err(InvalidEndpoint::Scheme)),
            (
                "http://127.0.0.1.evil.example",
                Err(InvalidEndpoint::Scheme),
            ),
            ("file:///etc/passwd", Err(InvalidEndpoint::Scheme)),
            ("https://user@idp.example", Err(InvalidEndpoint::Extras)),
            ("https://idp.example/?a=1", Err(InvalidEndpoint::Extras)),
            ("idp.example", Err(InvalidEndpoint::Malformed)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Endpoint>().map(|_| ()), expected, "{text}");
        }
    }

    #[test]
    fn fixed_paths_go_below_the_path_of_the_base() {
        let issuer: Endpoint = "https://idp.example/pool/".parse().unwrap();
        assert_eq!(
            issuer.join("/.well-known/openid-configuration").as_str(),
            "https://idp.example/pool/.well-known/openid-configuration"
        );
        assert_eq!(issuer.as_str(), "https://idp.example/pool/");
        assert_eq!(issuer.origin(), "https://idp.example");
    }

    #[test]
    fn a_party_on_https_cannot_send_us_to_plain_http() {
        let secure: Endpoint = "https://idp.example".parse().unwrap();
        let local: Endpoint = "http://127.0.0.1:9".parse().unwrap();
        let plain = Url::parse("http://127.0.0.1:1/token").unwrap();
        assert!(!secure.vouches_for(&plain));
        assert!(local.vouches_for(&plain));
        assert!(!local.vouches_for(&Url::parse("http://10.0.0.1/token").unwrap()));
        assert!(!secure.vouches_for(&Url::parse("https://u:p@idp.example/t").unwrap()));
    }
}

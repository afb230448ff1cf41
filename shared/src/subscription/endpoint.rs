//! Addresses that tenants name and we call.
//!
//! Whoever may write a subscription chooses where our requests go. So an address is read once, here,
//! as text: what names a machine of our own network, or may, is refused. A name that looks public can
//! still lead inside; the client that calls it looks at the addresses each time it connects.

use std::{fmt, net::IpAddr};

use url::{Host, Url};

use crate::oauth::{self, endpoint::InvalidEndpoint, http::is_public};

/// Longest address, in bytes.
const URL_CAP: usize = 2048;

/// Last labels of names that are no public names: what they lead to depends on who asks (RFC 6761,
/// RFC 6762, RFC 8375, RFC 9476, and the top-level domains that networks use for themselves).
const OWN_NAMES: &[&str] = &[
    "alt",
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "test",
];

/// Origins inside the operator's own network that may be called nevertheless. The operator names
/// them, one by one; a tenant cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Reads a list that is separated by commas; an empty text is an empty list.
    pub fn parse(text: &str) -> Result<Self, InvalidEndpoint> {
        let origins = text
            .split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(|origin| origin.parse().map(|base: oauth::Endpoint| base.origin()))
            .collect::<Result<_, _>>()?;
        Ok(Self(origins))
    }

    fn include(&self, url: &Url) -> bool {
        self.0.contains(&url.origin().ascii_serialization())
    }
}

/// Why an address cannot be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointFault {
    /// Not an absolute URL, or one that readers do not agree on.
    #[error("not an absolute URL without spaces and backslashes")]
    Malformed,
    /// More than 2,048 bytes.
    #[error("longer than {URL_CAP} bytes")]
    TooLong,
    /// Not `https`.
    #[error("the scheme must be https")]
    Scheme,
    /// With user name or password.
    #[error("user names and passwords have no place in the address")]
    UserInfo,
    /// With a fragment.
    #[error("a fragment is never sent")]
    Fragment,
    /// A port of another service.
    #[error("the port must be 443, or 1024 and above")]
    Port,
    /// The host is a name of one machine's or one network's own, or not a public address.
    #[error("the host must be a public DNS name or a public address")]
    Host,
}

impl EndpointFault {
    /// A stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_url",
            Self::TooLong => "url_too_long",
            Self::Scheme => "scheme_not_https",
            Self::UserInfo => "user_info_in_url",
            Self::Fragment => "fragment_in_url",
            Self::Port => "port_refused",
            Self::Host => "host_not_public",
        }
    }
}

/// How far the addresses behind an endpoint are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It must lead to public addresses, each time.
    Public,
    /// It is one of the operator's [`Origins`].
    Named,
}

/// An address that may be called, as far as its text tells.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    reach: Reach,
}

impl Endpoint {
    /// Reads an address that somebody gave us.
    pub fn parse(unverified_url: &str, allowed: &Origins) -> Result<Self, EndpointFault> {
        if unverified_url.len() > URL_CAP {
            return Err(EndpointFault::TooLong);
        }
        // Parsers drop or turn these; what we judged should be what everybody reads.
        let ambiguous = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if unverified_url.contains(ambiguous) {
            return Err(EndpointFault::Malformed);
        }
        let url = Url::parse(unverified_url).map_err(|_| EndpointFault::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointFault::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(EndpointFault::Fragment);
        }
        if allowed.include(&url) {
            let reach = Reach::Named;
            return Ok(Self { url, reach });
        }
        if url.scheme() != "https" {
            return Err(EndpointFault::Scheme);
        }
        if url.port().is_some_and(|port| port < 1024) {
            return Err(EndpointFault::Port);
        }
        let public = match url.host() {
            Some(Host::Domain(name)) => is_public_name(name),
            Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
            None => return Err(EndpointFault::Malformed),
        };
        if !public {
            return Err(EndpointFault::Host);
        }
        let reach = Reach::Public;
        Ok(Self { url, reach })
    }

    /// The address to call.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How far the addresses behind it are trusted.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Scheme, host and port: what may stand in a log, where path and query may hold a secret.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/..", self.origin())
    }
}

/// Whether a name, as URLs have it after parsing, can be one of the public DNS.
fn is_public_name(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let plain = |label: &&str| {
        let letters = label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        letters && (1..=63).contains(&label.len()) && !label.starts_with('-')
    };
    let own = labels.last().is_none_or(|last| OWN_NAMES.contains(last));
    // A trailing dot leaves an empty last label.
    name.len() <= 253 && labels.len() >= 2 && labels.iter().all(plain) && !own
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> Option<EndpointFault> {
        Endpoint::parse(text, &Origins::default()).err()
    }

    #[test]
    fn public_endpoints_are_taken() {
        for text in [
            "https://hooks.example.com",
            "https://hooks.example.com/in?tenant=1",
            "https://hooks.example.com:443/",
            "https://hooks.example.com:8443/",
            "https://hooks_1.example.com/",
            "https://xn--bcher-kva.example/",
            "https://b\u{fc}cher.example/",
            "https://8.8.8.8/hook",
            "https://[2600:1f18::1]/hook",
            "https://localhost.example.com/",
            "https://metadata.example.com/",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    /// N6, as far as the text tells.
    #[test]
    fn n6_endpoints_that_lead_inside_are_refused() {
        use EndpointFault::{Fragment, Host, Malformed, Port, Scheme, UserInfo};
        for (text, expected) in [
            // loopback and its spellings
            ("https://127.0.0.1/", Host),
            ("https://127.1/", Host),
            ("https://2130706433/", Host),
            ("https://0x7f000001/", Host),
            ("https://0x7f.1/", Host),
            ("https://017700000001/", Host),
            ("https://0177.0.0.1/", Host),
            ("https://127.0.0.1./", Host),
            ("https://%31%32%37.0.0.1/", Host),
            ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", Host),
            ("https://127\u{3002}0\u{3002}0\u{3002}1/", Host),
            ("https://0/", Host),
            ("https://0.0.0.0/", Host),
            ("https://[::]/", Host),
            ("https://[::1]/", Host),
            ("https://[0:0:0:0:0:0:0:1]/", Host),
            // IPv4 in IPv6
            ("https://[::ffff:127.0.0.1]/", Host),
            ("https://[::ffff:7f00:1]/", Host),
            ("https://[::ffff:8.8.8.8]/", Host),
            ("https://[::127.0.0.1]/", Host),
            ("https://[64:ff9b::a9fe:a9fe]/", Host),
            ("https://[2002:7f00:1::]/", Host),
            // private networks, metadata of machines and containers
            ("https://10.0.0.1/", Host),
            ("https://172.31.255.255/", Host),
            ("https://192.168.0.1/", Host),
            ("https://100.64.0.1/", Host),
            ("https://169.254.169.254/latest/meta-data/", Host),
            ("https://169.254.170.2/", Host),
            ("https://2852039166/", Host),
            ("https://[fd00:ec2::254]/", Host),
            ("https://[fe80::1]/", Host),
            ("https://224.0.0.1/", Host),
            ("https://[ff02::1]/", Host),
            ("https://255.255.255.255/", Host),
            // names of one's own
            ("https://localhost/", Host),
            ("https://LOCALHOST/", Host),
            ("https://localhost./", Host),
            ("https://\u{24db}ocalhost/", Host),
            ("https://app.localhost/", Host),
            ("https://metadata/", Host),
            ("https://metadata.google.internal/", Host),
            ("https://instance-data.ec2.internal/", Host),
            ("https://ip-10-0-0-1.eu-central-1.compute.internal/", Host),
            ("https://printer.local/", Host),
            ("https://router.home.arpa/", Host),
            ("https://1.0.0.127.in-addr.arpa/", Host),
            ("https://intranet/", Host),
            ("https://hooks.example.com./", Host),
            ("https://hooks..example.com/", Host),
            // who else is meant
            ("https://user@hooks.example.com/", UserInfo),
            ("https://user:pass@hooks.example.com/", UserInfo),
            ("https://hooks.example.com@127.0.0.1/", UserInfo),
            ("https://hooks.example.com\\@127.0.0.1/", Malformed),
            ("https://hooks.example.com /", Malformed),
            ("https://hooks.exam\tple.com/", Malformed),
            ("https://hooks.example.com/a\r\nx: y", Malformed),
            ("https://hooks.example.com/#127.0.0.1", Fragment),
            // other services, other schemes
            ("https://hooks.example.com:22/", Port),
            ("https://hooks.example.com:0/", Port),
            ("https://hooks.example.com:1023/", Port),
            ("https://hooks.example.com:65536/", Malformed),
            ("http://hooks.example.com/", Scheme),
            ("http://127.0.0.1:8080/", Scheme),
            ("ftp://hooks.example.com/", Scheme),
            ("file:///etc/passwd", Scheme),
            ("gopher://hooks.example.com/", Scheme),
            ("data:text/plain,x", Scheme),
            ("hooks.example.com/in", Malformed),
            ("//hooks.example.com/in", Malformed),
            ("https://", Malformed),
            ("", Malformed),
        ] {
            assert_eq!(fault(text), Some(expected), "{text}");
        }
        let long = format!("https://hooks.example.com/{}", "a".repeat(URL_CAP));
        assert_eq!(fault(&long), Some(EndpointFault::TooLong));
    }

    #[test]
    fn the_operators_origins_are_taken_exactly() {
        let allowed = Origins::parse("https://10.0.0.5:8443, http://127.0.0.1:9000,").unwrap();
        for (text, expected) in [
            ("https://10.0.0.5:8443/in", Ok(Reach::Named)),
            ("http://127.0.0.1:9000/in?x=1", Ok(Reach::Named)),
            ("https://hooks.example.com/in", Ok(Reach::Public)),
            ("https://10.0.0.5/in", Err(EndpointFault::Host)),
            ("http://10.0.0.5:8443/in", Err(EndpointFault::Scheme)),
            ("http://127.0.0.1:9001/in", Err(EndpointFault::Scheme)),
            ("http://u@127.0.0.1:9000/", Err(EndpointFault::UserInfo)),
        ] {
            let read = Endpoint::parse(text, &allowed).map(|endpoint| endpoint.reach());
            assert_eq!(read, expected, "{text}");
        }
        assert_eq!(Origins::parse(" "), Ok(Origins::default()));
        assert!(Origins::parse("http://10.0.0.5").is_err());
    }

    #[test]
    fn path_and_query_are_not_printed() {
        let url = "https://hooks.example.com/secret-path?key=secret";
        let endpoint = Endpoint::parse(url, &Origins::default()).unwrap();
        assert_eq!(format!("{endpoint:?}"), "https://hooks.example.com/..");
    }

    proptest! {
        /// N6: however an address is written, it is judged by where it leads.
        #[test]
        fn n6_addresses_are_judged_in_every_spelling(bits: u32) {
            let address = std::net::Ipv4Addr::from(bits);
            let [a, b, c, d] = address.octets();
            let public = is_public(IpAddr::V4(address));
            for host in [
                format!("{a}.{b}.{c}.{d}"),
                format!("{bits}"),
                format!("{bits:#x}"),
                format!("0{bits:o}"),
                format!("{a:#x}.{b}.{}", (u32::from(c) << 8) | u32::from(d)),
            ] {
                prop_assert_eq!(fault(&format!("https://{host}/")).is_none(), public, "{}", host);
            }
            let mapped = fault(&format!("https://[::ffff:{address}]/"));
            prop_assert_eq!(mapped, Some(EndpointFault::Host));
        }
    }
}

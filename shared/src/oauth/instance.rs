//! Instance URLs: they arrive from outside and receive bearer tokens.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{Endpoint, Provider};

/// Longest URL that is looked at.
const LENGTH_CAP: usize = 255;

/// The origin of an application instance, checked: `https`, a host under one of the provider's
/// suffixes at a label boundary, nothing else; or the origin of the configured login host itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceUrl(String);

/// Why an instance URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInstance {
    /// Bytes that a host name does not have, or too many of them. URL parsers strip some of these,
    /// which is why the text is looked at first.
    #[error("the instance URL has bytes that do not belong there")]
    Bytes,
    /// Not `https://<host>` alone.
    #[error("the instance URL is not https and a host alone")]
    Shape,
    /// A host that is not under an allowed suffix.
    #[error("the instance URL leads to a host that does not belong to the provider")]
    Host,
}

impl InstanceUrl {
    /// Checks what a provider answered.
    pub fn parse(
        unverified: &str,
        provider: &Provider,
        login: &Endpoint,
    ) -> Result<Self, InvalidInstance> {
        let bytes_are_fine = unverified.len() <= LENGTH_CAP
            && unverified
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'@' | b'%'));
        if !bytes_are_fine {
            return Err(InvalidInstance::Bytes);
        }
        if unverified.strip_suffix('/').unwrap_or(unverified) == login.origin() {
            return Ok(Self(login.origin()));
        }
        let host = host_alone(unverified).ok_or(InvalidInstance::Shape)?;
        let allowed = provider
            .instance_suffixes
            .iter()
            .any(|entry| is_below(host, entry.suffix, entry.labels))
            // A suffix stands for what is below it, never for itself, also not by way of another.
            && !provider
                .instance_suffixes
                .iter()
                .any(|entry| host == &entry.suffix[1..]);
        if !allowed {
            return Err(InvalidInstance::Host);
        }
        Ok(Self(format!("https://{host}")))
    }

    /// The instance at a base that we made ourselves, from configuration or a table and a checked
    /// label.
    pub fn of_base(base: &Endpoint) -> Self {
        Self(base.as_str().trim_end_matches('/').to_owned())
    }

    /// Scheme and host, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host of `https://<host>` or `https://<host>/`; nothing else has one.
fn host_alone(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("https://")?;
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let labels_are_fine = host.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    });
    // The parser has the last word on what is an address in some notation.
    let url = Url::parse(text).ok()?;
    let is_name = matches!(url.host(), Some(Host::Domain(name)) if name == host);
    (labels_are_fine && is_name).then_some(host)
}

fn is_below(host: &str, suffix: &str, labels: usize) -> bool {
    host.strip_suffix(suffix)
        .is_some_and(|rest| !rest.is_empty() && rest.split('.').count() <= labels)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oauth::provider::provider;

    fn parse(text: &str) -> Result<InstanceUrl, InvalidInstance> {
        let login = "https://login.salesforce.com".parse().unwrap();
        InstanceUrl::parse(text, provider("salesforce").unwrap(), &login)
    }

    #[test]
    fn my_domains_and_legacy_instances_pass() {
        for text in [
            "https://acme.my.salesforce.com",
            "https://acme.my.salesforce.com/",
            "https://acme--uat.sandbox.my.salesforce.com",
            "https://agency.my.salesforce.mil",
            "https://na139.salesforce.com",
            "https://login.salesforce.com",
        ] {
            assert_eq!(
                parse(text).map(|url| url.as_str().to_owned()),
                Ok(text.trim_end_matches('/').to_owned())
            );
        }
    }

    #[test]
    fn c14_everything_else_is_refused() {
        let refused = [
            "",
            "https://",
            "acme.my.salesforce.com",
            "http://acme.my.salesforce.com",
            "HTTPS://acme.my.salesforce.com",
            "ftp://acme.my.salesforce.com",
            "//acme.my.salesforce.com",
            "https:acme.my.salesforce.com",
            "https:///acme.my.salesforce.com",
            "https://acme.my.salesforce.com.evil.example",
            "https://evil.example/acme.my.salesforce.com",
            "https://evil.example?.my.salesforce.com",
            "https://evil.example#.my.salesforce.com",
            "https://acme.my.salesforce.com@evil.example",
            "https://user:pw@acme.my.salesforce.com",
            "https://evilmy.salesforce.com.evil",
            "https://xmy-salesforce.com",
            "https://notsalesforce.com",
            "https://evilsalesforce.com",
            "https://my.salesforce.com",
            "https://salesforce.com",
            "https://.my.salesforce.com",
            "https://a.b.c.my.salesforce.com",
            "https://a.b.salesforce.com",
            "https://acme.my.salesforce.com.",
            "https://acme.my.salesforce.com:8443",
            "https://acme.my.salesforce.com:443",
            "https://acme.my.salesforce.com/services",
            "https://acme.my.salesforce.com//",
            "https://acme.my.salesforce.com?a=b",
            "https://ACME.my.salesforce.com",
            "https://ac_me.my.salesforce.com",
            "https://-acme.my.salesforce.com",
            "https://acme-.my.salesforce.com",
            "https://acme..my.salesforce.com",
            "https://ac\tme.my.salesforce.com",
            "https://ac\nme.my.salesforce.com",
            " https://acme.my.salesforce.com",
            "https://acme.my.salesforce.com ",
            "https://acme.my.salesforce.com\\@evil.example",
            "https:\\\\acme.my.salesforce.com",
            "https://acme%2emy.salesforce.com",
            "https://ａcme.my.salesforce.com",
            "https://acme。my.salesforce.com",
            "https://127.0.0.1",
            "https://2130706433",
            "https://0x7f.1",
            "https://[::1]",
            "https://169.254.169.254",
            "https://localhost",
            "http://127.0.0.1:9001",
            "http://login.salesforce.com",
            "https://login.salesforce.com:444",
        ];
        for text in refused {
            assert!(parse(text).is_err(), "{text:?}");
        }
        let long = format!("https://{}.my.salesforce.com", "a".repeat(300));
        assert_eq!(parse(&long), Err(InvalidInstance::Bytes));
    }

    #[test]
    fn the_configured_login_host_counts_with_its_exact_origin_only() {
        let login: Endpoint = "http://127.0.0.1:8090".parse().unwrap();
        let salesforce = provider("salesforce").unwrap();
        assert!(InstanceUrl::parse("http://127.0.0.1:8090", salesforce, &login).is_ok());
        for text in [
            "http://127.0.0.1:8091",
            "https://127.0.0.1:8090",
            "http://127.0.0.1",
            "http://127.0.0.1:8090/x",
        ] {
            assert!(
                InstanceUrl::parse(text, salesforce, &login).is_err(),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_passes_is_below_salesforce(text in "(https://)?[a-zA-Z0-9.@:/%\\\\ -]{0,40}(\\.my\\.salesforce\\.com)?.{0,3}") {
            if let Ok(url) = parse(&text) {
                let parsed = Url::parse(url.as_str()).unwrap();
                prop_assert!(parsed.host_str().unwrap().ends_with(".salesforce.com"));
                prop_assert_eq!(parsed.scheme(), "https");
            }
        }
    }
}

//! What values of fields look like. The pattern is for forms; the check is here.

use url::{Host, Url};

use crate::tenancy::RoleArn;

/// What the value of a field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Anything without blanks.
    Word,
    /// Anything without control characters.
    Text,
    /// Several lines: a private key in PEM.
    Pem,
    /// `https://` and the name of a public host, with nothing behind it.
    Origin,
    /// An `https` address at a public host.
    Address,
    /// Path of a service.
    Path,
    /// 1 to 65535.
    Port,
    /// The three digits of an SAP client.
    SapClient,
    /// Two letters of a language.
    Language,
    /// A business unit of Account Engagement: `0Uv` and fifteen more.
    BusinessUnit,
    /// An IAM role.
    Role,
    /// One of these.
    OneOf(&'static [&'static str]),
}

impl Form {
    /// A regular expression for the whole value, for forms.
    pub const fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Word => Some(r"^\S+$"),
            Self::Text | Self::Pem | Self::OneOf(_) => None,
            Self::Origin => Some(r"^https://[a-z0-9.-]+$"),
            Self::Address => Some(r"^https://[a-z0-9.-]+/\S*$"),
            Self::Path => Some(r"^/\S*$"),
            Self::Port => Some(r"^[1-9][0-9]{0,4}$"),
            Self::SapClient => Some(r"^[0-9]{3}$"),
            Self::Language => Some(r"^[A-Za-z]{1,2}$"),
            Self::BusinessUnit => Some(r"^0Uv[A-Za-z0-9]{15}$"),
            Self::Role => Some(r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$"),
        }
    }

    /// The values there are, where they can be listed.
    pub const fn values(self) -> &'static [&'static str] {
        match self {
            Self::OneOf(values) => values,
            _ => &[],
        }
    }

    /// What is wrong with a value, in words that do not repeat it.
    pub fn fault(self, value: &str) -> Option<String> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (sound, right) = match self {
            Self::Word => (
                !value.contains(|c: char| c.is_whitespace() || c.is_control()),
                "No blanks.",
            ),
            Self::Text => (!value.contains(char::is_control), "One line of text."),
            Self::Pem => (
                value.starts_with("-----BEGIN ") && value.trim_end().ends_with("-----"),
                "A key in PEM.",
            ),
            Self::Origin => (
                public(value).is_some_and(|url| url.path() == "/" && !value.ends_with('/')),
                "https:// and the name of a public host, without a port, a path or a user.",
            ),
            Self::Address => (
                public(value).is_some(),
                "An https address at the name of a public host, without a port, a query or a user.",
            ),
            Self::Path => (
                value.starts_with('/') && !value.contains(char::is_whitespace),
                "A path that begins with /.",
            ),
            Self::Port => (
                digits(value) && value.parse::<u16>().is_ok_and(|port| port > 0),
                "A number from 1 to 65535.",
            ),
            Self::SapClient => (value.len() == 3 && digits(value), "Three digits."),
            Self::Language => (
                (1..=2).contains(&value.len())
                    && value.bytes().all(|byte| byte.is_ascii_alphabetic()),
                "Up to two letters.",
            ),
            Self::BusinessUnit => (
                value.len() == 18
                    && value.starts_with("0Uv")
                    && value.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "0Uv and fifteen letters and digits.",
            ),
            Self::Role => {
                return value
                    .parse::<RoleArn>()
                    .err()
                    .map(|error| error.to_string());
            }
            Self::OneOf(values) => {
                let listed = || format!("One of {}.", values.join(", "));
                return (!values.contains(&value)).then(listed);
            }
        };
        (!sound).then(|| right.to_owned())
    }
}

/// The address, if it is `https` at a name that can be public: no address literals in any notation,
/// no names without a dot, no names of private zones. Whether the name leads to a private address is
/// for AppFlow to see, which is who calls it.
fn public(value: &str) -> Option<Url> {
    let plain = value
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'@' | b'%' | b'?' | b'#'));
    let rest = value.strip_prefix("https://").filter(|_| plain)?;
    let url = Url::parse(value).ok()?;
    let Some(Host::Domain(name)) = url.host() else {
        return None;
    };
    let written = rest.split('/').next()?;
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let private = [
        "local",
        "localhost",
        "internal",
        "localdomain",
        "home",
        "lan",
        "arpa",
    ];
    let last = name.rsplit('.').next()?;
    let sound = written == name
        && name.contains('.')
        && name.len() <= 253
        && name.split('.').all(label)
        && !private.contains(&last)
        && !last.bytes().all(|byte| byte.is_ascii_digit());
    sound.then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c14_instance_addresses_are_https_at_public_names_alone() {
        for bad in [
            "http://acme.example.com",
            "https://127.0.0.1",
            "https://169.254.169.254",
            "https://[::1]",
            "https://2130706433",
            "https://0x7f.1",
            "https://localhost",
            "https://instance-data.ec2.internal",
            "https://printer.local",
            "https://user:pw@acme.example.com",
            "https://acme.example.com@evil.com",
            "https://acme.example.com:8443",
            "https://acme.example.com?x=1",
            "https://acme.example.com#x",
            "https://acme.example.com\\.evil.com",
            "https://ac\tme.example.com",
            "https://ACME.example.com",
            "https://acme.example.com.",
            "https://-a.example.com",
            "https://ex\u{e4}mple.com",
            "//acme.example.com",
            "ftp://acme.example.com",
            "https://",
            "",
        ] {
            for form in [Form::Origin, Form::Address] {
                assert!(form.fault(bad).is_some(), "{bad:?} {form:?}");
            }
        }
        assert_eq!(Form::Origin.fault("https://api.datadoghq.com"), None);
        assert!(Form::Origin.fault("https://api.datadoghq.com/x").is_some());
        assert_eq!(Form::Address.fault("https://acme.example.com/token"), None);
    }

    #[test]
    fn values_are_checked_and_never_repeated() {
        for (form, good, bad) in [
            (Form::Word, "a-b", "canary 1"),
            (Form::Text, "a b", "canary\n"),
            (Form::Path, "/sap/x;v=2", "canary"),
            (Form::Port, "443", "65536canary"),
            (Form::Port, "65535", "0"),
            (Form::SapClient, "100", "canary"),
            (Form::Language, "EN", "canary"),
            (Form::BusinessUnit, "0Uv000000000001AAA", "canary"),
            (Form::OneOf(&["mysql"]), "mysql", "canary"),
            (Form::Role, "arn:aws:iam::111111111111:role/x", "canary"),
        ] {
            assert_eq!(form.fault(good), None, "{form:?}");
            let fault = form.fault(bad).unwrap();
            assert!(!fault.contains("canary"), "{fault}");
        }
    }
}

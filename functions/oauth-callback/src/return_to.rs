//! Where browsers may be sent afterwards, and from where they may post.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tributary::error::{Error, Fault};
use url::Url;

/// Longest address that is looked at.
const LENGTH_CAP: usize = 2048;
/// Stands for our own origin while a path is parsed; nothing ever goes there.
const OWN: &str = "https://own.invalid";
/// Parameters of ours; what a caller put there under these names is dropped.
const OWN_PARAMETERS: [&str; 6] = ["connection", "attempt", "result", "code", "state", "iss"];

/// Origins of the applications that may call us and that browsers may be returned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppOrigins(Vec<String>);

/// A text that is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an origin such as https://app.example")]
pub struct InvalidOrigin(String);

impl FromStr for AppOrigins {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        text.split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(|origin| {
                let is_origin = Url::parse(origin).is_ok_and(|url| {
                    matches!(url.scheme(), "https" | "http")
                        && url.origin().ascii_serialization() == origin
                });
                is_origin
                    .then(|| origin.to_owned())
                    .ok_or_else(|| InvalidOrigin(origin.to_owned()))
            })
            .collect::<Result<Vec<_>, _>>()
            .and_then(|origins| {
                if origins.is_empty() {
                    return Err(InvalidOrigin(text.to_owned()));
                }
                Ok(Self(origins))
            })
    }
}

impl AppOrigins {
    /// Whether this is one of the origins, character by character.
    pub fn contains(&self, origin: &str) -> bool {
        self.0.iter().any(|known| known == origin)
    }

    /// Where a browser goes that was told nothing: the start page of the first application.
    pub fn home(&self) -> ReturnTo {
        ReturnTo(format!("{}/", self.0[0]))
    }
}

/// An address to which a browser may be returned: a path of ours, or a URL on one of the
/// applications' origins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Checks what somebody asked for.
    pub fn parse(unverified: &str, origins: &AppOrigins) -> Result<Self, Error> {
        let plain = unverified.len() <= LENGTH_CAP
            && unverified
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if !plain {
            return Err(refused());
        }
        let allowed = if unverified.starts_with('/') {
            // `//evil.example` is an address of another host.
            !unverified.starts_with("//")
                && own(unverified).is_some_and(|url| url.as_str().starts_with(OWN))
        } else {
            Url::parse(unverified).is_ok_and(|url| {
                let origin = url.origin().ascii_serialization();
                let rest = unverified.strip_prefix(origin.as_str());
                origins.contains(&origin)
                    && url.username().is_empty()
                    && url.password().is_none()
                    && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
            })
        };
        if allowed {
            Ok(Self(unverified.to_owned()))
        } else {
            Err(refused())
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with parameters of ours; none of the caller's has the same name.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let is_path = self.0.starts_with('/');
        let parsed = if is_path {
            own(&self.0)
        } else {
            Url::parse(&self.0).ok()
        };
        let Some(mut url) = parsed else {
            return self.0.clone();
        };
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !OWN_PARAMETERS.contains(&name.as_ref()))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(kept)
            .extend_pairs(parameters);
        let text = url.to_string();
        match text.strip_prefix(OWN) {
            Some(path) if is_path => path.to_owned(),
            _ => text,
        }
    }
}

fn own(path: &str) -> Option<Url> {
    let url = Url::parse(OWN).ok()?.join(path).ok()?;
    (url.origin().ascii_serialization() == OWN).then_some(url)
}

fn refused() -> Error {
    Error::malformed(
        "return_to_refused",
        "The address to return to is not one of the applications'.",
        vec![Fault::new(
            "query:return_to",
            "not_allowed",
            "A path, or a URL on one of the configured origins.",
        )],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> AppOrigins {
        "https://app.example, http://localhost:5173"
            .parse()
            .unwrap()
    }

    #[test]
    fn c3_origins_are_equal_or_they_are_not() {
        assert!(origins().contains("https://app.example"));
        for origin in [
            "https://app.example.evil.com",
            "http://app.example",
            "https://app.example:8443",
            "https://app.example/",
            "https://APP.example",
            "https://sub.app.example",
            "null",
            "",
        ] {
            assert!(!origins().contains(origin), "{origin}");
        }
    }

    #[test]
    fn configured_origins_have_no_path_and_are_written_as_browsers_send_them() {
        for text in [
            "",
            " , ",
            "app.example",
            "https://app.example/",
            "https://App.example",
            "https://app.example:443",
            "null",
            "ftp://app.example",
        ] {
            assert!(text.parse::<AppOrigins>().is_err(), "{text}");
        }
    }

    #[test]
    fn paths_and_urls_of_applications_are_returned_to() {
        for text in [
            "/",
            "/flows?tab=1#top",
            "/a//b",
            "https://app.example",
            "https://app.example/",
            "https://app.example?x=1",
            "http://localhost:5173/x",
        ] {
            assert!(ReturnTo::parse(text, &origins()).is_ok(), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\tevil",
            "/\n/evil.example",
            "https:evil.example",
            "https:/app.example",
            "https:///app.example",
            "https://app.example.evil.com",
            "https://app.example@evil.com",
            "https://user@app.example/",
            "https://evil.com/https://app.example",
            "https://evil.com?https://app.example",
            "http://app.example",
            "https://app.example:8443",
            "HTTPS://app.example/",
            "https://APP.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "app.example",
            "https://app.example\\.evil.com",
            " https://app.example",
            "https://app.example%2eevil.com",
        ] {
            assert!(ReturnTo::parse(text, &origins()).is_err(), "{text:?}");
        }
        let long = format!("/{}", "a".repeat(LENGTH_CAP));
        assert!(ReturnTo::parse(&long, &origins()).is_err());
    }

    #[test]
    fn our_parameters_replace_those_of_the_same_name() {
        let to = |text: &str| ReturnTo::parse(text, &origins()).unwrap();
        let parameters = [("connection", "con_1"), ("result", "connected")];
        assert_eq!(
            to("https://app.example/done?tab=2&result=failed&state=x#s").with(&parameters),
            "https://app.example/done?tab=2&connection=con_1&result=connected#s"
        );
        assert_eq!(
            to("/done").with(&parameters),
            "/done?connection=con_1&result=connected"
        );
    }
}

//! What a token endpoint answered, read leniently: a rotated token inside an odd answer must not be lost.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Provider;
use crate::secret::{Secret, SecretJson};

/// Lives beyond this are not believed.
const LONGEST_LIFE_SECONDS: f64 = 10.0 * 365.0 * 86_400.0;
/// AppFlow takes tokens up to this length.
pub const TOKEN_LENGTH_CAP: usize = 4096;

/// What is odd about an answer that nevertheless holds an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// No `token_type` where the provider should send one.
    TokenTypeMissing,
    /// `token_type` is not `Bearer`.
    NotBearer,
    /// The access token is longer than AppFlow takes.
    TooLong,
    /// `expires_in` is not a believable number of seconds.
    UnreadableLife,
}

/// How long an access token lives, as far as the answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// So long.
    Known(SignedDuration),
    /// Not said, or not believable.
    Unknown,
    /// It does not end.
    Forever,
}

/// Tokens, and what came with them. What is `unverified_` must not be used before it is checked.
#[derive(Debug)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: Secret,
    /// A new refresh token; none (or an empty one) means that the old one stays (scenario T2).
    pub refresh_token: Option<Secret>,
    /// An ID token, not verified.
    pub unverified_id_token: Option<Secret>,
    /// How long the access token lives.
    pub expires_in: Life,
    /// Scopes that were granted; none means as asked (RFC 6749 section 5.1).
    pub scopes: Option<Vec<String>>,
    /// Salesforce: where the organisation's API is.
    pub unverified_instance_url: Option<String>,
    /// Salesforce: whose grant it is, signed.
    pub unverified_identity_url: Option<String>,
    /// Salesforce: milliseconds, as text, signed.
    pub unverified_issued_at: Option<String>,
    /// Salesforce: the signature over both.
    pub signature: Option<String>,
    /// What is odd about the answer.
    pub oddities: Vec<Oddity>,
}

impl TokenAnswer {
    /// Reads an answer: whatever holds an access token is an answer.
    pub fn read(provider: &Provider, body: &Secret) -> Option<Self> {
        let parsed = SecretJson::parse(body).ok()?;
        let members = provider
            .token_member
            .and_then(|name| parsed.get(name))
            .filter(|inner| inner.is_object())
            .unwrap_or_else(|| parsed.value());
        let text = |name: &str| {
            members
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let access_token = Secret::new(text("access_token")?);
        let mut oddities = Vec::new();
        match text("token_type") {
            Some(kind) if kind.eq_ignore_ascii_case("bearer") => {}
            Some(_) => oddities.push(Oddity::NotBearer),
            None if provider.token_type_optional => {}
            None => oddities.push(Oddity::TokenTypeMissing),
        }
        if access_token.expose().len() > TOKEN_LENGTH_CAP {
            oddities.push(Oddity::TooLong);
        }
        let expires_in = life(provider, members.get("expires_in"));
        if expires_in == Life::Unknown
            && members
                .get("expires_in")
                .is_some_and(|value| !value.is_null())
        {
            oddities.push(Oddity::UnreadableLife);
        }
        Some(Self {
            refresh_token: text("refresh_token").map(Secret::new),
            unverified_id_token: text("id_token").map(Secret::new),
            expires_in,
            scopes: members
                .get("scope")
                .and_then(|value| scopes(provider, value)),
            unverified_instance_url: text("instance_url").map(str::to_owned),
            unverified_identity_url: text("id").map(str::to_owned),
            unverified_issued_at: text("issued_at").map(str::to_owned),
            signature: text("signature").map(str::to_owned),
            access_token,
            oddities,
        })
    }

    /// Whether the access token can be used as a bearer token.
    pub fn is_bearer(&self) -> bool {
        !self.oddities.contains(&Oddity::NotBearer)
    }

    /// How long the access token lives; the provider's usual life where the answer does not say.
    pub fn access_life(&self, provider: &Provider) -> SignedDuration {
        match self.expires_in {
            Life::Known(life) => life,
            Life::Unknown | Life::Forever => provider.access_life,
        }
    }

    /// The scopes that were granted; without a word about it, those that were asked for.
    pub fn granted_scopes(&self, asked: &[String]) -> Vec<String> {
        self.scopes.clone().unwrap_or_else(|| asked.to_vec())
    }
}

fn life(provider: &Provider, value: Option<&Value>) -> Life {
    let seconds = match value {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    match seconds {
        Some(seconds) if seconds == 0.0 && provider.zero_is_forever => Life::Forever,
        Some(seconds) if (1.0..=LONGEST_LIFE_SECONDS).contains(&seconds) => {
            SignedDuration::try_from_secs_f64(seconds).map_or(Life::Unknown, Life::Known)
        }
        _ => Life::Unknown,
    }
}

fn scopes(provider: &Provider, value: &Value) -> Option<Vec<String>> {
    let split = |text: &str| -> Vec<String> {
        text.split(|c: char| c.is_whitespace() || c == provider.scope_separator)
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect()
    };
    match value {
        Value::String(text) => Some(split(text)),
        Value::Array(texts) => Some(
            texts
                .iter()
                .filter_map(Value::as_str)
                .flat_map(split)
                .collect(),
        ),
        _ => None,
    }
}

/// When to refresh an access token that was issued now: after 55 to 70 % of its life, spread evenly
/// so that a mass reconnect does not come back as a herd, and at least ten minutes before its end
/// where it lives long enough.
///
/// `spread` is a random number from 0 to 1.
pub fn refresh_due(issued: Timestamp, life: SignedDuration, spread: f64) -> Timestamp {
    let share = 0.55 + 0.15 * spread.clamp(0.0, 1.0);
    let wait = life.mul_f64(share);
    let margin = SignedDuration::from_mins(10);
    let latest = if life > margin * 2 {
        life - margin
    } else {
        life
    };
    issued
        .saturating_add(wait.min(latest))
        .unwrap_or(Timestamp::MAX)
}

/// The tokens of a connection, as the vault holds them.
#[derive(Debug, Clone)]
pub struct TokenBundle {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
}

impl TokenBundle {
    /// The text that the vault seals.
    pub fn to_json(&self) -> Secret {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Stored<'a> {
            access_token: &'a str,
            refresh_token: Option<&'a str>,
        }
        let stored = Stored {
            access_token: self.access_token.expose(),
            refresh_token: self.refresh_token.as_ref().map(Secret::expose),
        };
        // Room for every byte escaped: a buffer that grows would leave tokens behind.
        let bytes = stored.access_token.len() + stored.refresh_token.map_or(0, str::len);
        let mut text = Vec::with_capacity(6 * bytes + 64);
        // Writing texts into memory does not fail.
        let _ = serde_json::to_writer(&mut text, &stored);
        Secret::from_utf8_lossy(text)
    }

    /// Reads what [`TokenBundle::to_json`] wrote.
    pub fn from_json(opened: &Secret) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Stored {
            access_token: Secret,
            refresh_token: Option<Secret>,
        }
        let stored: Stored = serde_json::from_str(opened.expose()).ok()?;
        Some(Self {
            access_token: stored.access_token,
            refresh_token: stored.refresh_token,
        })
    }

    /// The bundle after a refresh: a new refresh token replaces the old one, none keeps it.
    #[must_use]
    pub fn after(self, answer: &TokenAnswer) -> Self {
        Self {
            access_token: answer.access_token.clone(),
            refresh_token: answer.refresh_token.clone().or(self.refresh_token),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oauth::provider::{SIGN_IN, provider};

    fn salesforce() -> &'static Provider {
        provider("salesforce").unwrap()
    }

    fn read(body: &str) -> Option<TokenAnswer> {
        TokenAnswer::read(salesforce(), &Secret::new(body))
    }

    #[test]
    fn a_salesforce_answer_is_read_and_unknown_members_are_ignored() {
        let answer = read(
            r#"{"access_token":"00D!x.y","refresh_token":"5Aep","instance_url":"https://acme.my.salesforce.com",
            "id":"https://login.salesforce.com/id/00D/005","issued_at":"1767225600000","signature":"c2ln",
            "scope":"api refresh_token","token_type":"Bearer","api_instance_url":"new"}"#,
        )
        .unwrap();
        assert!(answer.access_token.same_as("00D!x.y"));
        assert!(answer.refresh_token.as_ref().unwrap().same_as("5Aep"));
        assert_eq!(
            answer.scopes.as_deref(),
            Some(&["api".to_owned(), "refresh_token".to_owned()][..])
        );
        assert_eq!(answer.expires_in, Life::Unknown);
        assert_eq!(answer.oddities, []);
        assert!(!format!("{answer:?}").contains("5Aep"));
    }

    #[test]
    fn r10_odd_lives_become_a_safe_one() {
        let cases = [
            ("3599", Life::Known(SignedDuration::from_secs(3599))),
            ("\"3599\"", Life::Known(SignedDuration::from_secs(3599))),
            ("3599.0", Life::Known(SignedDuration::from_secs(3599))),
            ("0", Life::Unknown),
            ("-1", Life::Unknown),
            ("\"soon\"", Life::Unknown),
            ("\"NaN\"", Life::Unknown),
            ("1e300", Life::Unknown),
            ("315360001", Life::Unknown),
            ("null", Life::Unknown),
            ("[]", Life::Unknown),
        ];
        for (value, expected) in cases {
            let answer = read(&format!(r#"{{"access_token":"a","expires_in":{value}}}"#)).unwrap();
            assert_eq!(answer.expires_in, expected, "{value}");
            assert!(answer.access_life(salesforce()) > SignedDuration::ZERO);
        }
    }

    #[test]
    fn t2_no_or_an_empty_refresh_token_keeps_the_old_one() {
        let old = || TokenBundle {
            access_token: Secret::new("old access"),
            refresh_token: Some(Secret::new("old")),
        };
        for body in [
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","refresh_token":""}"#,
            r#"{"access_token":"a","refresh_token":null}"#,
        ] {
            let bundle = old().after(&read(body).unwrap());
            assert!(bundle.refresh_token.unwrap().same_as("old"), "{body}");
            assert!(bundle.access_token.same_as("a"));
        }
        let rotated = old().after(&read(r#"{"access_token":"a","refresh_token":"new"}"#).unwrap());
        assert!(rotated.refresh_token.unwrap().same_as("new"));
    }

    #[test]
    fn odd_shapes_are_salvaged_and_named() {
        let answer =
            read(r#"{"access_token":"a","scope":["api","id refresh_token"],"token_type":"mac"}"#)
                .unwrap();
        assert_eq!(answer.scopes.as_ref().map(Vec::len), Some(3));
        assert!(!answer.is_bearer());
        let bare = TokenAnswer::read(&SIGN_IN, &Secret::new(r#"{"access_token":"a"}"#)).unwrap();
        assert_eq!(bare.oddities, [Oddity::TokenTypeMissing]);
        assert!(read(r#"{"access_token":""}"#).is_none());
        assert!(read(r#"{"error":"invalid_grant"}"#).is_none());
        assert!(read(r#"{"access_token":"a"#).is_none());
    }

    #[test]
    fn bundles_come_back_from_the_vault_as_they_went_in() {
        let bundle = TokenBundle {
            access_token: Secret::new("a\"b"),
            refresh_token: None,
        };
        let back = TokenBundle::from_json(&bundle.to_json()).unwrap();
        assert!(back.access_token.same_as("a\"b") && back.refresh_token.is_none());
        assert!(TokenBundle::from_json(&Secret::new("{}")).is_none());
    }

    proptest! {
        #[test]
        fn reading_never_panics(body in ".{0,200}") {
            let _ = read(&body);
        }

        #[test]
        fn a_refresh_is_due_within_the_life_of_the_token(life in 1i32..400_000_000, spread in 0.0f64..1.0) {
            let issued = Timestamp::UNIX_EPOCH;
            let due = refresh_due(issued, SignedDuration::from_secs(life.into()), spread);
            let after = due.duration_since(issued).as_secs_f64();
            prop_assert!(after > 0.0 && after <= 0.7001 * f64::from(life), "{after} of {life}");
        }
    }
}

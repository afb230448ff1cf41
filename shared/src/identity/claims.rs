//! Claims as each kind of authorizer hands them over.

use jiff::{civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value};

use super::{AuthConfig, AuthKind, Identity, kind::ListForm, unauthenticated};
use crate::error::Error;

/// The claims of a request, in the shape of its kind.
#[derive(Debug)]
pub(super) struct Claims<'a> {
    kind: AuthKind,
    map: &'a Map<String, Value>,
}

impl<'a> Claims<'a> {
    /// Finds the claims where this kind has them; a second shape beside them is refused.
    pub(super) fn of(kind: AuthKind, context: &'a Value) -> Result<Self, Error> {
        let none = || unauthenticated("no authorizer vouched for the request");
        if kind == AuthKind::RestIam {
            let map = context
                .get("identity")
                .and_then(Value::as_object)
                .ok_or_else(none)?;
            return Ok(Self { kind, map });
        }
        let authorizer = context
            .get("authorizer")
            .and_then(Value::as_object)
            .ok_or_else(none)?;
        let shape = match kind {
            AuthKind::HttpJwt => "jwt",
            AuthKind::HttpLambda => "lambda",
            AuthKind::HttpIam => "iam",
            AuthKind::HttpV1Jwt | AuthKind::RestCognito | AuthKind::RestJwt => "claims",
            AuthKind::RestLambda | AuthKind::RestIam => "",
        };
        let conflict = ["jwt", "lambda", "iam", "claims"]
            .into_iter()
            .filter(|other| *other != shape)
            .any(|other| authorizer.get(other).is_some_and(is_something));
        if conflict {
            return Err(unauthenticated(
                "more than one authorizer's shape is present",
            ));
        }
        let map = match kind {
            AuthKind::HttpJwt => authorizer
                .get("jwt")
                .and_then(|jwt| jwt.get("claims"))
                .and_then(Value::as_object),
            AuthKind::RestLambda => authorizer.contains_key("principalId").then_some(authorizer),
            _ => authorizer.get(shape).and_then(Value::as_object),
        };
        Ok(Self {
            kind,
            map: map.filter(|map| !map.is_empty()).ok_or_else(none)?,
        })
    }

    /// A claim that is a text. Lists, numbers and objects are not texts.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.map
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A claim that is an instant, in epoch seconds: a number, its digits, or a date in words, as the
    /// gateways pass it on.
    pub(super) fn seconds(&self, name: &str) -> Option<i64> {
        match self.map.get(name)? {
            Value::Number(seconds) => seconds.as_i64(),
            Value::String(text) => text.parse().ok().or_else(|| in_words(text)),
            _ => None,
        }
    }

    /// A claim that is declared to be a list, read in the form of this kind.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let Some(value) = self.map.get(name) else {
            return Vec::new();
        };
        match (self.kind.list_form(), value) {
            (ListForm::Bracketed, Value::String(text)) => bracketed(text),
            (ListForm::Commas, Value::String(text)) => text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            (ListForm::Native, Value::Array(parts)) => texts(parts),
            (ListForm::JsonText, Value::String(text)) => serde_json::from_str::<Vec<Value>>(text)
                .map(|parts| texts(&parts))
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

/// Whether a member of the authorizer says anything.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

/// `"[a b]"` as an HTTP API writes arrays; a text without brackets is one element.
fn bracketed(text: &str) -> Vec<String> {
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(inner) => inner.split_ascii_whitespace().map(str::to_owned).collect(),
        None if text.is_empty() => Vec::new(),
        None => vec![text.to_owned()],
    }
}

/// `Fri Nov 20 10:15:00 UTC 2026`, as REST APIs write the times of Cognito's tokens.
fn in_words(text: &str) -> Option<i64> {
    let at = DateTime::strptime("%a %b %d %H:%M:%S UTC %Y", text).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

fn texts(parts: &[Value]) -> Vec<String> {
    parts
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// A caller known by AWS credentials: a person of an identity pool, or a role.
///
/// Such a caller has no tenant: only the vendor's own roles, listed as operators, get anywhere.
pub(super) fn iam_identity(config: &AuthConfig, claims: &Claims<'_>) -> Result<Identity, Error> {
    let arn = claims
        .text("userArn")
        .ok_or_else(|| unauthenticated("no user ARN"))?;
    let role_arn = role_of_session(arn);
    let operator = config
        .operator_clients
        .iter()
        .any(|client| client == arn || Some(client) == role_arn.as_ref());
    Ok(Identity {
        issuer: "iam".to_owned(),
        subject: pool_subject(claims).unwrap_or_else(|| arn.to_owned()),
        tenant: None,
        roles: Vec::new(),
        groups: Vec::new(),
        scopes: Vec::new(),
        client_id: None,
        login_id: None,
        issued_at: None,
        operator,
    })
}

/// `arn:aws:sts::1:assumed-role/name/session` is a session of `arn:aws:iam::1:role/name`.
fn role_of_session(arn: &str) -> Option<String> {
    let (head, path) = arn.split_once(":assumed-role/")?;
    let (role, _) = path.split_once('/')?;
    Some(format!(
        "{}:role/{role}",
        head.replacen(":sts:", ":iam:", 1)
    ))
}

/// The user pool's subject behind an identity pool's credentials.
fn pool_subject(claims: &Claims<'_>) -> Option<String> {
    let rest = claims
        .text("cognitoAuthenticationProvider")
        .map(str::to_owned);
    let http = claims
        .map
        .get("cognitoIdentity")
        .and_then(|identity| identity.get("amr"))
        .and_then(Value::as_array)
        .and_then(|amr| amr.get(2))
        .and_then(Value::as_str)
        .map(str::to_owned);
    rest.or(http)?
        .rsplit_once(":CognitoSignIn:")
        .map(|(_, subject)| subject.to_owned())
}

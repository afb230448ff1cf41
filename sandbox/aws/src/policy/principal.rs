//! The `Principal` element.

use sandbox_core::Principal;
use serde_json::Value;

use super::{Match, texts};

/// Who asks, as a policy sees it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The account, empty for a service principal that acts for no account.
    pub(crate) account: String,
    /// ARN of the user or of the assumed-role session.
    pub(crate) arn: String,
    /// ARN of the role behind the session.
    pub(crate) role_arn: Option<String>,
    /// Name of the service (`appflow.amazonaws.com`), if a service asks.
    pub(crate) service: Option<String>,
}

impl Caller {
    /// The signer of a request.
    pub(crate) fn of(principal: &Principal) -> Self {
        Self {
            account: principal.account.clone(),
            arn: principal.arn.clone(),
            role_arn: principal.role_arn.clone(),
            service: None,
        }
    }

    /// An AWS service.
    pub(crate) fn service(name: &str) -> Self {
        Self {
            account: String::new(),
            arn: String::new(),
            role_arn: None,
            service: Some(name.to_owned()),
        }
    }
}

pub(super) fn matches(principal: Option<&Value>, caller: &Caller) -> Match {
    match principal {
        Some(Value::String(all)) if all == "*" => Match::Yes,
        Some(Value::Object(kinds)) => Match::any(kinds.iter().map(|(kind, names)| {
            let Some(names) = texts(names) else {
                return Match::Unknown;
            };
            match kind.as_str() {
                "AWS" => Match::any(names.iter().map(|name| account_principal(name, caller))),
                "Service" => Match::any(
                    names
                        .iter()
                        .map(|name| Match::when(caller.service.as_ref() == Some(name))),
                ),
                "Federated" | "CanonicalUser" => Match::No,
                _ => Match::Unknown,
            }
        })),
        _ => Match::Unknown,
    }
}

fn account_principal(name: &str, caller: &Caller) -> Match {
    if name == "*" {
        return Match::Yes;
    }
    if is_account_id(name) {
        return Match::when(caller.account == name);
    }
    if let Some(account) = name
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.strip_suffix(":root"))
    {
        return Match::when(is_account_id(account) && caller.account == account);
    }
    if !name.starts_with("arn:") || name.contains(['*', '?', '$']) {
        // IAM refuses wildcards inside a principal when the policy is saved.
        return Match::Unknown;
    }
    Match::when(caller.arn == name || caller.role_arn.as_deref() == Some(name))
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

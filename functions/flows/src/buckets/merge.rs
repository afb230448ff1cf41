//! Adding what AppFlow needs to a bucket's policy, without touching what is there. No I/O.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::policy::{denied_by, missing, statements};
use crate::compile::permissions::{Access, BucketNeed};

/// Largest policy that S3 keeps, in bytes.
const LARGEST: usize = 20 * 1024;

/// Why a policy is not added to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// It has not the shape of a policy.
    #[error("The bucket's policy has not the shape of a policy; it is left as it is.")]
    Unreadable,
    /// Statements forbid what would be allowed; a Deny always wins.
    #[error("These statements of the bucket's policy forbid what AppFlow needs, and a Deny wins over every Allow: {}. Except appflow.amazonaws.com there first, for example with \"Bool\": {{\"aws:PrincipalIsAWSService\": \"false\"}} in the condition.", .0.join(", "))]
    Denied(Vec<String>),
    /// It would be larger than S3 takes.
    #[error(
        "The bucket's policy would have {0} bytes; S3 takes {LARGEST} at most. Shorten what is there first."
    )]
    TooLarge(usize),
}

/// A policy with everything that is needed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Merged {
    /// The whole policy.
    pub(super) policy: Value,
    /// Whether it is another one than before.
    pub(super) is_changed: bool,
}

/// Name of our statement for an access.
pub(super) const fn sid(access: Access) -> &'static str {
    match access {
        Access::Read => "TributaryAppFlowRead",
        Access::Write => "TributaryAppFlowWrite",
    }
}

/// The policy with what is needed. Statements of others stay as they are, in their order; ours stand
/// behind them. Where others let AppFlow in already, nothing is added.
pub(super) fn merge(
    current: Option<&Value>,
    needs: &[(Access, BucketNeed)],
) -> Result<Merged, Refusal> {
    let mut whole = match current {
        None => Map::from_iter([("Version".to_owned(), json!("2012-10-17"))]),
        Some(Value::Object(whole)) => whole.clone(),
        Some(_) => return Err(Refusal::Unreadable),
    };
    let now: Vec<&Value> = current.map(statements).unwrap_or_default();
    if now.iter().any(|statement| !statement.is_object()) {
        return Err(Refusal::Unreadable);
    }
    let (ours, others): (Vec<&Value>, Vec<&Value>) =
        now.iter().partition(|statement| is_ours(statement));
    let mut denied: Vec<String> = needs
        .iter()
        .flat_map(|(_, need)| denied_by(&others, need))
        .collect();
    denied.sort();
    denied.dedup();
    if !denied.is_empty() {
        return Err(Refusal::Denied(denied));
    }
    let mut kept: BTreeMap<&str, Value> = ours
        .iter()
        .filter_map(|own| Some((own["Sid"].as_str()?, (*own).clone())))
        .collect();
    for (access, need) in needs {
        let sid = sid(*access);
        if kept.contains_key(sid) || !missing(&others, need).is_empty() {
            kept.insert(sid, need.statement(sid));
        }
    }
    let same = kept.len() == ours.len()
        && ours
            .iter()
            .all(|own| own["Sid"].as_str().and_then(|sid| kept.get(sid)) == Some(own));
    if same && let Some(current) = current {
        return Ok(Merged {
            policy: current.clone(),
            is_changed: false,
        });
    }
    let all: Vec<Value> = others
        .into_iter()
        .cloned()
        .chain(kept.into_values())
        .collect();
    let is_changed = !all.is_empty();
    whole.insert("Statement".to_owned(), Value::Array(all));
    let policy = Value::Object(whole);
    let size = policy.to_string().len();
    if size > LARGEST {
        return Err(Refusal::TooLarge(size));
    }
    Ok(Merged { policy, is_changed })
}

fn is_ours(statement: &Value) -> bool {
    Access::ALL
        .iter()
        .any(|access| statement["Sid"] == sid(*access))
}

#[cfg(test)]
mod tests;

//! Answers without what differs from run to run: ids, times and random texts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sandbox::client::Answer;
use serde_json::{Map, Value, json};

/// Members whose value is random, or says when.
const RANDOM: [&str; 6] = [
    "externalId",
    "launchUrl",
    "startUrl",
    "trustPolicy",
    "executionId",
    "requestId",
];
/// Headers that a caller goes by.
const HEADERS: [&str; 6] = [
    "content-type",
    "location",
    "etag",
    "retry-after",
    "idempotency-replayed",
    "cache-control",
];

/// The names that one tenant's ids get, in the order in which it sees them.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(BTreeMap<String, usize>);

impl Names {
    /// An answer as it is compared.
    pub(super) fn view(&mut self, answer: &Answer) -> Value {
        let headers: Map<String, Value> = HEADERS
            .iter()
            .filter_map(|name| {
                let value = answer.headers.get(*name)?.to_str().ok()?;
                Some(((*name).to_owned(), Value::from(self.text(value))))
            })
            .collect();
        json!({
            "status": answer.status.as_u16(), "headers": headers, "body": self.value(&answer.body),
        })
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| {
                    let is_random = RANDOM.contains(&name.as_str()) && !member.is_null();
                    let member = if is_random {
                        Value::from("<random>")
                    } else {
                        self.value(member)
                    };
                    (self.text(name), member)
                })
                .collect::<Map<String, Value>>()
                .into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::String(text) if text.parse::<Timestamp>().is_ok() => Value::from("<time>"),
            Value::String(text) => Value::from(self.text(text)),
            other => other.clone(),
        }
    }

    /// A text with its ids and AWS account numbers replaced.
    fn text(&mut self, text: &str) -> String {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut shown = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            shown.push_str(&self.word(word));
            let next = after.find(is_part).unwrap_or(after.len());
            shown.push_str(&after[..next]);
            rest = &after[next..];
        }
        shown
    }

    fn word(&mut self, word: &str) -> String {
        let is_id = word.split_once('_').is_some_and(|(prefix, id)| {
            prefix.len() <= 3 && id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())
        });
        // Numbers that both tenants register are the same for both.
        let is_own_account = word.len() == 12 && word.starts_with('9');
        if !is_id && !is_own_account {
            return word.to_owned();
        }
        let kind = if is_id { &word[..3] } else { "aws" };
        let next = self.0.len();
        let number = *self.0.entry(word.to_owned()).or_insert(next);
        format!("<{kind} {number}>")
    }
}

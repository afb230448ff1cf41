//! Update expressions, written as what changes and what must hold.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

/// A change of one item: attributes set, counted and removed, under conditions.
///
/// Without [`Update::upsert`] the item must exist: an update never brings back what was deleted.
#[derive(Debug, Default)]
pub struct Update {
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    may_create: bool,
}

impl Update {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the update create the item.
    #[must_use]
    pub const fn upsert(mut self) -> Self {
        self.may_create = true;
        self
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set<T: Serialize>(mut self, name: &str, value: T) -> Self {
        let (name, value) = (self.name(name), self.value(value));
        self.sets.push(format!("{name} = {value}"));
        self
    }

    /// Sets an attribute, or removes it when there is no value.
    #[must_use]
    pub fn set_or_remove<T: Serialize>(self, name: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    /// Adds to a number; an absent one counts as zero.
    #[must_use]
    pub fn add(mut self, name: &str, by: i64) -> Self {
        let (name, by, zero) = (self.name(name), self.value(by), self.value(0));
        self.sets
            .push(format!("{name} = if_not_exists({name}, {zero}) + {by}"));
        self
    }

    /// Removes an attribute.
    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        let name = self.name(name);
        self.removes.push(name);
        self
    }

    /// The attribute must equal this value.
    #[must_use]
    pub fn when_equal<T: Serialize>(mut self, name: &str, value: T) -> Self {
        let (name, value) = (self.name(name), self.value(value));
        self.conditions.push(format!("{name} = {value}"));
        self
    }

    /// The attribute must equal one of these values.
    #[must_use]
    pub fn when_one_of<T: Serialize>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let name = self.name(name);
        let values: Vec<String> = values.into_iter().map(|value| self.value(value)).collect();
        self.conditions
            .push(format!("{name} IN ({})", values.join(", ")));
        self
    }

    /// The attribute must be absent.
    #[must_use]
    pub fn when_absent(mut self, name: &str) -> Self {
        let name = self.name(name);
        self.conditions
            .push(format!("attribute_not_exists({name})"));
        self
    }

    /// The attribute must be absent, or a number less than this.
    #[must_use]
    pub fn when_absent_or_less(mut self, name: &str, than: i64) -> Self {
        let (name, than) = (self.name(name), self.value(than));
        self.conditions
            .push(format!("(attribute_not_exists({name}) OR {name} < {than})"));
        self
    }

    /// The attribute must be a number from here to there, both included.
    #[must_use]
    pub fn when_between(mut self, name: &str, from: i64, to: i64) -> Self {
        let (name, from, to) = (self.name(name), self.value(from), self.value(to));
        self.conditions
            .push(format!("{name} BETWEEN {from} AND {to}"));
        self
    }

    /// A member of a map attribute must equal this value.
    #[must_use]
    pub fn when_member_equal<T: Serialize>(mut self, name: &str, member: &str, value: T) -> Self {
        let (name, member, value) = (self.name(name), self.name(member), self.value(value));
        self.conditions.push(format!("{name}.{member} = {value}"));
        self
    }

    pub(super) fn into_parts(
        mut self,
    ) -> (
        String,
        Option<String>,
        HashMap<String, String>,
        HashMap<String, AttributeValue>,
    ) {
        if !self.may_create {
            self.conditions.push("attribute_exists(pk)".to_owned());
        }
        let mut expression = String::new();
        if !self.sets.is_empty() {
            expression.push_str("SET ");
            expression.push_str(&self.sets.join(", "));
        }
        if !self.removes.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&self.removes.join(", "));
        }
        let condition = (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "));
        (
            expression.trim().to_owned(),
            condition,
            self.names,
            self.values,
        )
    }

    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value<T: Serialize>(&mut self, value: T) -> String {
        let placeholder = format!(":v{}", self.values.len());
        // Values are ids, numbers, texts and our own records: all of them have an attribute form.
        let value = serde_dynamo::to_attribute_value(value).unwrap_or(AttributeValue::Null(true));
        self.values.insert(placeholder.clone(), value);
        placeholder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_say_what_changes_and_what_must_hold() {
        let (expression, condition, names, values) = Update::new()
            .set("state", "active")
            .add("fence", 1)
            .remove("intent")
            .when_equal("fence", 4)
            .when_absent_or_less("lease_until", 10)
            .into_parts();
        assert_eq!(
            expression,
            "SET #state = :v0, #fence = if_not_exists(#fence, :v2) + :v1 REMOVE #intent"
        );
        assert_eq!(
            condition.as_deref(),
            Some(
                "#fence = :v3 AND (attribute_not_exists(#lease_until) OR #lease_until < :v4) AND attribute_exists(pk)"
            )
        );
        assert_eq!(names.len(), 4);
        assert_eq!(values.len(), 5);
    }

    #[test]
    fn only_an_upsert_may_create() {
        let (_, condition, _, _) = Update::new().set("a", 1).upsert().into_parts();
        assert_eq!(condition, None);
    }
}

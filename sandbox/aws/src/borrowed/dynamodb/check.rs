//! What DynamoDB refuses and the borrowed service lets through: placeholders that nothing uses,
//! reserved words, wrong keys, updates of key attributes, empty sets.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{path, reserved};

const EXPRESSIONS: [&str; 5] = [
    "KeyConditionExpression",
    "UpdateExpression",
    "ConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
];
/// Words of the expressions' grammar, which are reserved too.
const GRAMMAR: [&str; 9] = [
    "AND", "OR", "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "DELETE",
];

/// Checks one request, or one item of a transaction, against its table's description.
pub(super) fn check(table: &Value, ask: &Value) -> Result<(), String> {
    expressions(ask)?;
    if let Some(key) = ask.get("Key").and_then(Value::as_object) {
        key_attributes(table, key, true)?;
    }
    if let Some(item) = ask.get("Item").and_then(Value::as_object) {
        key_attributes(table, item, false)?;
        index_attributes(table, item)?;
        item.values().try_for_each(no_empty_set)?;
    }
    if let Some(values) = ask
        .get("ExpressionAttributeValues")
        .and_then(Value::as_object)
    {
        values.values().try_for_each(no_empty_set)?;
    }
    for target in path::changed(ask) {
        if key_names(table).any(|name| name == target) {
            return Err(format!(
                "One or more parameter values were invalid: Cannot update attribute {target}. This attribute is part of the key"
            ));
        }
    }
    Ok(())
}

fn expressions(ask: &Value) -> Result<(), String> {
    let mut used = BTreeSet::new();
    for field in EXPRESSIONS {
        let Some(expression) = ask[field].as_str() else {
            continue;
        };
        for (word, is_function) in words(expression) {
            if word.starts_with(['#', ':']) {
                used.insert(word);
            } else if !is_function
                && !GRAMMAR.iter().any(|known| word.eq_ignore_ascii_case(known))
                && reserved::is_reserved(word)
            {
                return Err(format!(
                    "Invalid {field}: Attribute name is a reserved keyword; reserved keyword: {word}"
                ));
            }
        }
    }
    for field in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        let given = ask[field].as_object().into_iter().flat_map(Map::keys);
        let unused: Vec<&str> = given
            .map(String::as_str)
            .filter(|name| !used.contains(name))
            .collect();
        if !unused.is_empty() {
            return Err(format!(
                "Value provided in {field} unused in expressions: keys: {{{}}}",
                unused.join(", ")
            ));
        }
    }
    Ok(())
}

/// The words of an expression, and whether each is called as a function.
fn words(expression: &str) -> impl Iterator<Item = (&str, bool)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_#:".contains(c);
    expression
        .split(move |c| !is_part(c))
        .filter(|word| !word.is_empty())
        .map(|word| {
            // A slice of the expression tells where it stands in it.
            let end = word.as_ptr() as usize - expression.as_ptr() as usize + word.len();
            (word, expression[end..].trim_start().starts_with('('))
        })
}

fn key_names(table: &Value) -> impl Iterator<Item = &str> {
    schema(&table["KeySchema"])
}

fn schema(schema: &Value) -> impl Iterator<Item = &str> {
    schema
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|element| element["AttributeName"].as_str())
}

fn key_attributes(table: &Value, item: &Map<String, Value>, exactly: bool) -> Result<(), String> {
    if exactly && item.len() != key_names(table).count() {
        return Err("The provided key element does not match the schema".to_owned());
    }
    for name in key_names(table) {
        let Some(value) = item.get(name) else {
            return Err(if exactly {
                "The provided key element does not match the schema".to_owned()
            } else {
                format!(
                    "One or more parameter values were invalid: Missing the key {name} in the item"
                )
            });
        };
        key_value(table, name, value)?;
    }
    Ok(())
}

fn index_attributes(table: &Value, item: &Map<String, Value>) -> Result<(), String> {
    for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        for index in table[kind].as_array().into_iter().flatten() {
            for name in schema(&index["KeySchema"]) {
                if let Some(value) = item.get(name) {
                    key_value(table, name, value)?;
                }
            }
        }
    }
    Ok(())
}

/// The value of a key has the declared type and is not empty.
fn key_value(table: &Value, name: &str, value: &Value) -> Result<(), String> {
    let definitions = table["AttributeDefinitions"].as_array();
    let kind = definitions
        .into_iter()
        .flatten()
        .find(|definition| definition["AttributeName"] == name)
        .and_then(|definition| definition["AttributeType"].as_str())
        .unwrap_or_default();
    match value[kind].as_str() {
        None => Err(format!(
            "One or more parameter values were invalid: Type mismatch for key {name} expected: {kind}"
        )),
        Some("") => Err(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: {name}"
        )),
        Some(_) => Ok(()),
    }
}

fn no_empty_set(value: &Value) -> Result<(), String> {
    let empty = ["SS", "NS", "BS"]
        .iter()
        .any(|kind| value[*kind].as_array().is_some_and(Vec::is_empty));
    if empty {
        return Err(
            "One or more parameter values were invalid: An string set  may not be empty".to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_dynamodb_refuses_is_refused() {
        let table = json!({
            "KeySchema": [{"AttributeName": "pk"}],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"},
            ],
            "GlobalSecondaryIndexes": [{"KeySchema": [{"AttributeName": "at"}]}],
        });
        let key = json!({"pk": {"S": "a"}});
        for (ask, part) in [
            (
                json!({"Key": key, "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "1"}}}),
                "",
            ),
            (
                json!({"Key": key, "ConditionExpression": "size (a) > :a", "ExpressionAttributeValues": {":a": {"N": "1"}}}),
                "",
            ),
            (
                json!({"Key": key, "ProjectionExpression": "a.b[0], #n", "ExpressionAttributeNames": {"#n": "name"}}),
                "",
            ),
            (
                json!({"Key": key, "UpdateExpression": "SET Status = :a", "ExpressionAttributeValues": {":a": {"S": "1"}}}),
                "keyword: Status",
            ),
            (
                json!({"Key": key, "ProjectionExpression": "a.name"}),
                "keyword: name",
            ),
            (
                json!({"Key": key, "UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {":a": {"S": "1"}}}),
                "unused in expressions: keys: {:a}",
            ),
            (
                json!({"Key": key, "ExpressionAttributeNames": {"#a": "b"}}),
                "unused in expressions: keys: {#a}",
            ),
            (
                json!({"Key": key, "UpdateExpression": "SET pk = :a", "ExpressionAttributeValues": {":a": {"S": "1"}}}),
                "part of the key",
            ),
            (
                json!({"Key": key, "UpdateExpression": "ADD #p :a", "ExpressionAttributeNames": {"#p": "pk"}, "ExpressionAttributeValues": {":a": {"N": "1"}}}),
                "part of the key",
            ),
            (
                json!({"Key": {"pk": {"S": "a"}, "x": {"S": "b"}}}),
                "does not match the schema",
            ),
            (
                json!({"Key": {"x": {"S": "b"}}}),
                "does not match the schema",
            ),
            (json!({"Item": {"x": {"S": "b"}}}), "Missing the key pk"),
            (json!({"Item": {"pk": {"S": ""}}}), "empty string"),
            (json!({"Item": {"pk": {"N": "1"}}}), "Type mismatch"),
            (
                json!({"Item": {"pk": {"S": "a"}, "at": {"S": "1"}}}),
                "Type mismatch",
            ),
            (
                json!({"Item": {"pk": {"S": "a"}, "s": {"SS": []}}}),
                "may not be empty",
            ),
        ] {
            let checked = check(&table, &ask);
            match checked {
                Ok(()) => assert!(part.is_empty(), "{ask} must be refused"),
                Err(message) => assert!(
                    !part.is_empty() && message.contains(part),
                    "{ask}: {message}"
                ),
            }
        }
    }
}

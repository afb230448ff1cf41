//! Queries of an index, page by page.
//!
//! The borrowed service sorts numbers as text, loses items that share a sort key at the edge of a
//! page, shows items without the index's sort key, and shows attributes that the index does not
//! have. So it is asked for everything under the hash key, and order and pages are made here.

use std::cmp::Ordering;

use bytes::Bytes;
use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply};
use serde_json::{Value, json};

use super::{CONTENT_TYPE, Tables};

/// The attributes that order an index: its sort key, then the table's key.
struct Order {
    sort: Option<String>,
    table: Vec<String>,
    /// Every attribute of the index's and the table's key.
    key: Vec<String>,
    /// The attributes that the index has; `None` for all.
    attributes: Option<Vec<String>>,
}

impl Tables {
    /// Answers a query that names an index.
    pub(super) async fn query_index(&self, call: &AwsCall, ask: &Value) -> AwsReply {
        let Some(order) = self.order(call, ask).await else {
            // No such table or index: the borrowed service says so itself.
            return self.pass(call, &call.body).await;
        };
        let mut everything = ask.clone();
        let filter = ask.get("FilterExpression").is_some();
        remove(
            &mut everything,
            &["Limit", "ExclusiveStartKey", "ProjectionExpression"],
        );
        let filtered = everything.clone();
        remove(&mut everything, &["FilterExpression"]);
        let reply = self.pass(call, everything.to_string().as_bytes()).await;
        if !reply.status.is_success() {
            return reply;
        }
        let forward = ask["ScanIndexForward"].as_bool().unwrap_or(true);
        let compare = |a: &Value, b: &Value| {
            let ordering = order.compare(a, b);
            if forward {
                ordering
            } else {
                ordering.reverse()
            }
        };
        let mut items = items(&reply.body);
        items.retain(|item| order.holds(item));
        items.sort_by(compare);
        if let Some(start) = ask.get("ExclusiveStartKey").filter(|key| key.is_object()) {
            items.retain(|item| compare(item, start) == Ordering::Greater);
        }
        let limit = ask["Limit"]
            .as_u64()
            .and_then(|limit| usize::try_from(limit).ok());
        let page: Vec<Value> = items
            .into_iter()
            .take(limit.unwrap_or(usize::MAX))
            .collect();
        // As in DynamoDB, a full page has a key to go on from, even when nothing follows.
        let last = page
            .last()
            .filter(|_| limit == Some(page.len()))
            .map(|item| pick(item, &order.key));
        let scanned = page.len();
        let mut shown = page;
        if filter {
            let passing = self.pass(call, filtered.to_string().as_bytes()).await;
            if !passing.status.is_success() {
                return passing;
            }
            let passing = self::items(&passing.body);
            shown.retain(|item| passing.contains(item));
        }
        let count = shown.len();
        if ask.get("ProjectionExpression").is_some() {
            shown = self.projected(call, ask, &order, shown).await;
        }
        for item in &mut shown {
            order.reduce(item);
        }
        let mut answer = json!({ "Items": shown, "Count": count, "ScannedCount": scanned });
        if let Some(last) = last {
            answer["LastEvaluatedKey"] = last;
        }
        AwsReply::json(StatusCode::OK, CONTENT_TYPE, &answer)
    }

    async fn order(&self, call: &AwsCall, ask: &Value) -> Option<Order> {
        let describe = json!({ "TableName": ask["TableName"] });
        let table = self.ask(call, "DescribeTable", &describe).await;
        let table = &table["Table"];
        let index = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
            .iter()
            .filter_map(|kind| table[*kind].as_array())
            .flatten()
            .find(|index| index["IndexName"] == ask["IndexName"])?;
        let names = |schema: &Value| -> Vec<(String, bool)> {
            schema
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|element| {
                    let name = element["AttributeName"].as_str()?.to_owned();
                    Some((name, element["KeyType"] == "RANGE"))
                })
                .collect()
        };
        let of_index = names(&index["KeySchema"]);
        let table: Vec<String> = names(&table["KeySchema"])
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let sort = of_index
            .iter()
            .find(|(_, range)| *range)
            .map(|(name, _)| name.clone());
        let mut key: Vec<String> = of_index.into_iter().map(|(name, _)| name).collect();
        key.extend(table.iter().cloned());
        let attributes = attributes(&index["Projection"], &key);
        Some(Order {
            sort,
            table,
            key,
            attributes,
        })
    }

    /// The items reduced to what the projection names.
    async fn projected(
        &self,
        call: &AwsCall,
        ask: &Value,
        order: &Order,
        items: Vec<Value>,
    ) -> Vec<Value> {
        let mut projected = Vec::with_capacity(items.len());
        for item in items {
            let mut get = json!({
                "TableName": ask["TableName"],
                "Key": pick(&item, &order.table),
                "ProjectionExpression": ask["ProjectionExpression"],
            });
            if let Some(names) = ask.get("ExpressionAttributeNames") {
                get["ExpressionAttributeNames"] = names.clone();
            }
            let mut answer = self.ask(call, "GetItem", &get).await;
            projected.push(answer["Item"].take());
        }
        projected
    }
}

impl Order {
    /// An item stands in the index only with the index's sort key.
    fn holds(&self, item: &Value) -> bool {
        self.sort
            .as_ref()
            .is_none_or(|name| item.get(name).is_some())
    }

    /// Leaves of an item what the index has of it.
    fn reduce(&self, item: &mut Value) {
        if let (Some(kept), Some(item)) = (&self.attributes, item.as_object_mut()) {
            item.retain(|name, _| kept.contains(name));
        }
    }

    fn compare(&self, a: &Value, b: &Value) -> Ordering {
        self.sort
            .iter()
            .chain(&self.table)
            .map(|name| compare(&a[name], &b[name]))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// What an index has, by its projection; `None` for everything.
fn attributes(projection: &Value, key: &[String]) -> Option<Vec<String>> {
    let mut attributes = key.to_vec();
    match projection["ProjectionType"].as_str() {
        Some("KEYS_ONLY") => {}
        Some("INCLUDE") => {
            let more = projection["NonKeyAttributes"]
                .as_array()
                .into_iter()
                .flatten();
            attributes.extend(more.filter_map(|name| name.as_str().map(str::to_owned)));
        }
        _ => return None,
    }
    Some(attributes)
}

/// Compares two key values: numbers by value, texts by bytes.
fn compare(a: &Value, b: &Value) -> Ordering {
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return a.total_cmp(&b);
    }
    let text = |value: &Value| {
        ["S", "B"]
            .iter()
            .find_map(|kind| value[*kind].as_str().map(str::to_owned))
    };
    text(a).cmp(&text(b))
}

/// Numbers of a key as floating point: exact up to 2^53, far beyond any epoch time.
fn number(value: &Value) -> Option<f64> {
    value["N"].as_str()?.parse().ok()
}

fn items(body: &Bytes) -> Vec<Value> {
    let mut answer: Value = serde_json::from_slice(body).unwrap_or_default();
    match answer["Items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

fn pick(item: &Value, names: &[String]) -> Value {
    let mut picked = json!({});
    for name in names {
        picked[name] = item[name].clone();
    }
    picked
}

fn remove(ask: &mut Value, names: &[&str]) {
    if let Some(fields) = ask.as_object_mut() {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
}

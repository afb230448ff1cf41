//! DynamoDB, made to keep its promises.
//!
//! The borrowed service checks a condition and writes in two steps, ignores
//! `ReturnValuesOnConditionCheckFailure`, and runs a transaction again that is retried with its
//! `ClientRequestToken`. Writes are therefore serialised per account, and the rest is added here
//! (`index` does the same for queries of an index).

mod backend;
mod check;
mod index;
mod path;
mod reserved;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply};
use serde_json::{Value, json};
use tokio::sync::RwLock;
use winterbaume_dynamodb::DynamoDbService;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Transactions by client request token: the request and its answer.
type Transactions = BTreeMap<String, (Value, AwsReply)>;

/// The tables of one account.
pub(super) struct Tables {
    service: DynamoDbService,
    /// Held for writing from the check of a condition to the write.
    transactions: RwLock<Transactions>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            service: DynamoDbService::with_backend(Arc::new(backend::Backend::default())),
            transactions: RwLock::default(),
        }
    }
}

impl Tables {
    pub(super) async fn handle(&self, call: &AwsCall) -> AwsReply {
        let Ok(ask) = call.json() else {
            return error("SerializationException", "the body is not JSON");
        };
        let operation = call.target_operation().unwrap_or_default();
        if matches!(
            operation,
            "PutItem" | "UpdateItem" | "DeleteItem" | "GetItem" | "Query" | "Scan"
        ) && let Some(refused) = self.refuse(call, &ask).await
        {
            return refused;
        }
        match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                let _writing = self.transactions.write().await;
                // A failed condition is told before an invalid path, as in DynamoDB.
                if !self.has_parents(call, &ask).await && self.condition_holds(call, &ask).await {
                    return error("ValidationException", path::INVALID);
                }
                let reply = self.write(call, &ask).await;
                self.with_old_item(call, &ask, reply).await
            }
            "TransactWriteItems" => {
                let mut done = self.transactions.write().await;
                self.transact(call, ask, &mut done).await
            }
            "Query" if ask.get("IndexName").is_some_and(Value::is_string) => {
                let _reading = self.transactions.read().await;
                self.query_index(call, &ask).await
            }
            operation if reads(operation) => {
                let _reading = self.transactions.read().await;
                self.pass(call, &call.body).await
            }
            _ => {
                let _writing = self.transactions.write().await;
                self.pass(call, &call.body).await
            }
        }
    }

    async fn pass(&self, call: &AwsCall, body: &[u8]) -> AwsReply {
        super::json(&self.service, call, body).await
    }

    /// Asks something else on behalf of the same call.
    async fn ask(&self, call: &AwsCall, operation: &str, body: &Value) -> Value {
        let mut other = call.clone();
        if let Ok(target) = format!("DynamoDB_20120810.{operation}").parse() {
            other.headers.insert("x-amz-target", target);
        }
        let reply = self.pass(&other, body.to_string().as_bytes()).await;
        serde_json::from_slice(&reply.body).unwrap_or_default()
    }

    /// What DynamoDB refuses before it looks at the item.
    async fn refuse(&self, call: &AwsCall, ask: &Value) -> Option<AwsReply> {
        let describe = json!({ "TableName": ask["TableName"] });
        let table = self.ask(call, "DescribeTable", &describe).await;
        if table.get("Table").is_none() {
            return Some(error(
                "ResourceNotFoundException",
                "Requested resource not found",
            ));
        }
        check::check(&table["Table"], ask)
            .err()
            .map(|message| error("ValidationException", &message))
    }

    /// One write. Of an update's return values the borrowed service knows `ALL_NEW` alone.
    async fn write(&self, call: &AwsCall, ask: &Value) -> AwsReply {
        let wanted = ask["ReturnValues"].as_str().unwrap_or("NONE");
        if ask.get("UpdateExpression").is_none() || matches!(wanted, "NONE" | "ALL_NEW") {
            return self.pass(call, &call.body).await;
        }
        let old = self.item(call, ask).await;
        let mut instead = ask.clone();
        instead["ReturnValues"] = json!("ALL_NEW");
        let mut reply = self.pass(call, instead.to_string().as_bytes()).await;
        let mut answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if !reply.status.is_success() {
            return reply;
        }
        let attributes = if wanted.ends_with("_OLD") {
            old
        } else {
            Some(answer["Attributes"].take())
        };
        answer = json!({});
        if let Some(Value::Object(mut attributes)) = attributes {
            if wanted.starts_with("UPDATED") {
                let changed = path::changed(ask);
                attributes.retain(|name, _| changed.contains(name));
            }
            if !attributes.is_empty() {
                answer["Attributes"] = Value::Object(attributes);
            }
        }
        reply.body = Bytes::from(answer.to_string());
        reply
    }

    /// Whether the targets of an update have their parents in the item.
    async fn has_parents(&self, call: &AwsCall, update: &Value) -> bool {
        let nested = update["UpdateExpression"]
            .as_str()
            .is_some_and(|expression| expression.contains('.'));
        !nested || path::parents_exist(update, self.item(call, update).await.as_ref())
    }

    /// Whether the condition of a write holds, by a transaction that only checks it.
    async fn condition_holds(&self, call: &AwsCall, write: &Value) -> bool {
        let fields = ["TableName", "Key", "ConditionExpression"];
        let optional = ["ExpressionAttributeNames", "ExpressionAttributeValues"];
        let mut check = json!({});
        for name in fields.into_iter().chain(optional) {
            match write.get(name) {
                Some(value) => check[name] = value.clone(),
                None if fields.contains(&name) => return true,
                None => {}
            }
        }
        let transaction = json!({ "TransactItems": [{ "ConditionCheck": check }] });
        let answer = self.ask(call, "TransactWriteItems", &transaction).await;
        answer.get("CancellationReasons").is_none()
    }

    /// Adds the item that a condition failed on, when it was asked for.
    async fn with_old_item(&self, call: &AwsCall, ask: &Value, mut reply: AwsReply) -> AwsReply {
        let mut answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let failed = answer["__type"]
            .as_str()
            .is_some_and(|code| code.ends_with("#ConditionalCheckFailedException"));
        if failed
            && ask["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
            && let Some(item) = self.item(call, ask).await
        {
            answer["Item"] = item;
            reply.body = Bytes::from(answer.to_string());
        }
        reply
    }

    /// The item that a write aims at.
    async fn item(&self, call: &AwsCall, write: &Value) -> Option<Value> {
        let key = self.key(call, write).await?;
        let get = json!({ "TableName": write["TableName"], "Key": key, "ConsistentRead": true });
        let mut answer = self.ask(call, "GetItem", &get).await;
        answer
            .get_mut("Item")
            .map(Value::take)
            .filter(Value::is_object)
    }

    /// The primary key that a write aims at; a put has it inside its item.
    async fn key(&self, call: &AwsCall, write: &Value) -> Option<Value> {
        if let Some(key) = write.get("Key") {
            return Some(key.clone());
        }
        let item = write.get("Item")?;
        let describe = json!({ "TableName": write["TableName"] });
        let table = self.ask(call, "DescribeTable", &describe).await;
        let mut key = json!({});
        for element in table["Table"]["KeySchema"].as_array()? {
            let name = element["AttributeName"].as_str()?;
            key[name] = item.get(name)?.clone();
        }
        Some(key)
    }

    async fn transact(&self, call: &AwsCall, ask: Value, done: &mut Transactions) -> AwsReply {
        let token = ask["ClientRequestToken"].as_str().map(str::to_owned);
        if let Some((first, reply)) = token.as_ref().and_then(|token| done.get(token)) {
            return if *first == ask {
                reply.clone()
            } else {
                error(
                    "IdempotentParameterMismatchException",
                    "The request uses the same client token as a previous, but non-identical request.",
                )
            };
        }
        let writes: Vec<Value> = ask["TransactItems"]
            .as_array()
            .map(|items| items.iter().filter_map(first_value).collect())
            .unwrap_or_default();
        let mut targets = BTreeSet::new();
        for write in &writes {
            if let Some(refused) = self.refuse(call, write).await {
                return refused;
            }
            let key = self.key(call, write).await.unwrap_or_default();
            if !targets.insert(format!("{} {key}", write["TableName"])) {
                return error(
                    "ValidationException",
                    "Transaction request cannot include multiple operations on one item",
                );
            }
            if !self.has_parents(call, write).await {
                return error("ValidationException", path::INVALID);
            }
        }
        let reply = self.pass(call, &call.body).await;
        if reply.status.is_success() {
            if let Some(token) = token {
                done.insert(token, (ask, reply.clone()));
            }
            return reply;
        }
        self.with_reasons(call, &writes, reply).await
    }

    /// Completes the reasons of a cancelled transaction: the summary and the old items.
    async fn with_reasons(
        &self,
        call: &AwsCall,
        writes: &[Value],
        mut reply: AwsReply,
    ) -> AwsReply {
        let mut answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let Some(reasons) = answer["CancellationReasons"].as_array_mut() else {
            return reply;
        };
        let mut codes = Vec::new();
        for (reason, write) in reasons.iter_mut().zip(writes) {
            let code = reason["Code"].as_str().unwrap_or("None").to_owned();
            if code != "None"
                && write["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
                && let Some(item) = self.item(call, write).await
            {
                reason["Item"] = item;
            }
            codes.push(code);
        }
        answer["Message"] = json!(format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        ));
        reply.body = Bytes::from(answer.to_string());
        reply
    }
}

fn reads(operation: &str) -> bool {
    matches!(
        operation,
        "GetItem" | "BatchGetItem" | "TransactGetItems" | "Query" | "Scan" | "DescribeTable"
    )
}

/// The write inside `{"Put": {...}}`, `{"Update": {...}}` and so on.
fn first_value(item: &Value) -> Option<Value> {
    item.as_object()?.values().next().cloned()
}

fn error(code: &str, message: &str) -> AwsReply {
    AwsReply::json_error(
        StatusCode::BAD_REQUEST,
        CONTENT_TYPE,
        &format!("com.amazonaws.dynamodb.v20120810#{code}"),
        message,
    )
}

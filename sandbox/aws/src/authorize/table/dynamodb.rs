//! DynamoDB. `dynamodb:LeadingKeys` holds every partition key that a request names, of the index
//! where it names one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Ask, Need, Unmapped};

/// Operations on one item, and the member that holds its key.
const ITEMS: [(&str, &str); 4] = [
    ("GetItem", "Key"),
    ("PutItem", "Item"),
    ("UpdateItem", "Key"),
    ("DeleteItem", "Key"),
];

/// Parts of a transaction: what they are called there, their action, and the member with the key.
const PARTS: [(&str, &str, &str); 5] = [
    ("Put", "dynamodb:PutItem", "Item"),
    ("Update", "dynamodb:UpdateItem", "Key"),
    ("Delete", "dynamodb:DeleteItem", "Key"),
    ("ConditionCheck", "dynamodb:ConditionCheckItem", "Key"),
    ("Get", "dynamodb:GetItem", "Key"),
];

/// Operations on a table as a whole.
const TABLES: [&str; 8] = [
    "CreateTable",
    "DeleteTable",
    "DescribeTable",
    "DescribeTimeToLive",
    "UpdateTable",
    "UpdateTimeToLive",
    "TagResource",
    "ListTagsOfResource",
];

pub(super) async fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    let body = &ask.body;
    let mut asked = Asked::default();
    if let Some((operation, member)) = ITEMS.iter().find(|(name, _)| *name == ask.operation) {
        asked
            .add(ask, &format!("dynamodb:{operation}"), body, &body[*member])
            .await;
        return Ok(asked.needs(None));
    }
    match ask.operation {
        "Query" | "Scan" => Ok(vec![search(ask).await?]),
        "TransactWriteItems" | "TransactGetItems" => {
            // Whether AWS judges the parts apart is nowhere said. All puts together, all updates
            // together and so on only refuses more.
            for item in body["TransactItems"].as_array().into_iter().flatten() {
                for (name, action, member) in PARTS {
                    if let Some(part) = item.get(name) {
                        asked.add(ask, action, part, &part[member]).await;
                    }
                }
            }
            Ok(asked.needs(Some(ask.operation)))
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let action = format!("dynamodb:{}", ask.operation);
            for (table, requests) in body["RequestItems"].as_object().into_iter().flatten() {
                let named = json!({ "TableName": table });
                let reads = requests["Keys"].as_array();
                let writes = requests
                    .as_array()
                    .into_iter()
                    .flatten()
                    .flat_map(|request| {
                        [
                            &request["PutRequest"]["Item"],
                            &request["DeleteRequest"]["Key"],
                        ]
                    });
                let keys = reads.into_iter().flatten().chain(writes);
                for key in keys.filter(|key| !key.is_null()) {
                    asked.add(ask, &action, &named, key).await;
                }
            }
            Ok(asked.needs(None))
        }
        "ListTables" => Ok(vec![Need::new("dynamodb:ListTables", "*")]),
        table if TABLES.contains(&table) => {
            let action = format!("dynamodb:{table}");
            Ok(vec![Need::new(&action, &table_arn(ask, body))])
        }
        _ => Err(Unmapped::Operation),
    }
}

/// The partition keys that a request names, by action and table.
#[derive(Default)]
struct Asked(BTreeMap<(String, String), Vec<String>>);

impl Asked {
    async fn add(&mut self, ask: &Ask<'_>, action: &str, request: &Value, item: &Value) {
        let arn = table_arn(ask, request);
        let keys = self.0.entry((action.to_owned(), arn)).or_default();
        // Of a table that is not there the service says so, to whom may touch it.
        if let Some(attribute) = partition_attribute(ask, request).await {
            // An item without its key fits no pattern.
            keys.push(key_text(&item[attribute]).unwrap_or_default());
        }
    }

    fn needs(self, enclosing: Option<&str>) -> Vec<Need> {
        let needs = self.0.into_iter().map(|((action, table), keys)| {
            Need::new(&action, &table)
                .key("dynamodb:LeadingKeys", keys)
                .key("dynamodb:EnclosingOperation", enclosing.map(str::to_owned))
        });
        needs.collect()
    }
}

/// `Query` and `Scan`. A scan has no leading key, which `ForAllValues` does not mind: whoever may not
/// read all partitions must not be given `dynamodb:Scan`.
async fn search(ask: &Ask<'_>) -> Result<Need, Unmapped> {
    let mut resource = table_arn(ask, &ask.body);
    if let Some(index) = ask.body["IndexName"].as_str() {
        resource = format!("{resource}/index/{index}");
    }
    let need = Need::new(&format!("dynamodb:{}", ask.operation), &resource);
    if ask.operation == "Scan" {
        return Ok(need);
    }
    let Some(attribute) = partition_attribute(ask, &ask.body).await else {
        return Ok(need);
    };
    let key = queried_key(&ask.body, &attribute)
        .ok_or_else(|| Unmapped::malformed("the query has no condition on the partition key"))?;
    Ok(need.key("dynamodb:LeadingKeys", [key]))
}

/// The value that a key condition (`pk = :pk AND ...`) compares an attribute with.
fn queried_key(query: &Value, attribute: &str) -> Option<String> {
    let expression = query["KeyConditionExpression"].as_str()?;
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace("<=", " le ")
        .replace(">=", " ge ")
        .replace("<>", " ne ")
        .replace('=', " = ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let is_attribute = |word: &str| {
        word == attribute || query["ExpressionAttributeNames"][word].as_str() == Some(attribute)
    };
    let mut values = words
        .windows(3)
        .filter(|triple| triple[1] == "=" && is_attribute(triple[0]))
        .map(|triple| triple[2]);
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    key_text(&query["ExpressionAttributeValues"][value])
}

/// An attribute value as the condition key has it.
fn key_text(value: &Value) -> Option<String> {
    ["S", "N", "B"]
        .iter()
        .find_map(|kind| value[*kind].as_str())
        .map(str::to_owned)
}

fn table_arn(ask: &Ask<'_>, request: &Value) -> String {
    let table = request["TableName"]
        .as_str()
        .or(request["ResourceArn"].as_str())
        .unwrap_or_default();
    if table.starts_with("arn:") {
        return table.to_owned();
    }
    ask.arn("dynamodb", &format!("table/{table}"))
}

/// The partition key's name, of the index if the request names one; `None` if there is no such thing.
async fn partition_attribute(ask: &Ask<'_>, request: &Value) -> Option<String> {
    let arn = table_arn(ask, request);
    let index = request["IndexName"].as_str();
    if let Some(known) = ask.aws.key_schemas.partition(&arn, index) {
        return Some(known);
    }
    let describe = json!({ "TableName": request["TableName"] });
    let described = ask.look_up("dynamodb", "DescribeTable", &describe).await?;
    ask.aws.key_schemas.keep(&arn, &described["Table"]);
    ask.aws.key_schemas.partition(&arn, index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(expression: &str) -> Option<String> {
        let query = json!({
            "KeyConditionExpression": expression,
            "ExpressionAttributeNames": { "#p": "pk" },
            "ExpressionAttributeValues": { ":p": { "S": "A" }, ":s": { "S": "B" }, ":n": { "N": "7" } },
        });
        queried_key(&query, "pk")
    }

    #[test]
    fn a_querys_partition_key_is_read_out_of_its_condition() {
        for (expression, expected) in [
            ("pk = :p", Some("A")),
            ("#p=:p AND begins_with(sk, :s)", Some("A")),
            ("sk >= :s and (pk = :n)", Some("7")),
            ("sk = :s", None),
            ("pk <= :p", None),
            ("pk = :p AND pk = :s", None),
            ("pk = :unknown", None),
        ] {
            assert_eq!(key_of(expression).as_deref(), expected, "{expression}");
        }
    }
}

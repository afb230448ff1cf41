//! The Redshift Data API.

use super::{Ask, Need, Unmapped, secrets};

/// Operations that open a database connection.
const CONNECTING: [&str; 6] = [
    "BatchExecuteStatement",
    "DescribeTable",
    "ExecuteStatement",
    "ListDatabases",
    "ListSchemas",
    "ListTables",
];

/// Operations on statements, which know no resource, and the action that each needs.
const STATEMENTS: [(&str, &str); 5] = [
    ("CancelStatement", "CancelStatement"),
    ("DescribeStatement", "DescribeStatement"),
    ("GetStatementResult", "GetStatementResult"),
    ("GetStatementResultV2", "GetStatementResult"),
    ("ListStatements", "ListStatements"),
];

pub(super) async fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    if let Some((_, action)) = STATEMENTS.iter().find(|(name, _)| *name == ask.operation) {
        return Ok(vec![Need::new(&format!("redshift-data:{action}"), "*")]);
    }
    if !CONNECTING.contains(&ask.operation) {
        return Err(Unmapped::Operation);
    }
    let warehouse = warehouse_arn(ask);
    let mut needs = vec![Need::new(
        &format!("redshift-data:{}", ask.operation),
        &warehouse,
    )];
    // A session that carries a person connects as that person and needs no database user. A secret is
    // read with the caller's own rights.
    if let Some(secret) = ask.body["SecretArn"].as_str() {
        needs.push(secrets::need(ask, "secretsmanager:GetSecretValue", secret).await);
    } else if ask.call.principal.on_behalf_of.is_none() {
        let action = if warehouse.contains(":workgroup/") {
            "redshift-serverless:GetCredentials"
        } else {
            "redshift:GetClusterCredentialsWithIAM"
        };
        needs.push(Need::new(action, &warehouse));
    }
    Ok(needs)
}

/// The workgroup's ARN ends in an id, not in its name.
fn warehouse_arn(ask: &Ask<'_>) -> String {
    let workgroup = ask.text("WorkgroupName");
    if workgroup.starts_with("arn:") {
        return workgroup.to_owned();
    }
    if workgroup.is_empty() {
        let cluster = ask.text("ClusterIdentifier");
        return ask.arn("redshift", &format!("cluster:{cluster}"));
    }
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, workgroup.as_bytes());
    ask.arn("redshift-serverless", &format!("workgroup/{id}"))
}

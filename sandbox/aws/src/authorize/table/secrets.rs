//! Secrets Manager. A secret's ARN ends in a dash and six characters that AWS makes up.

use serde_json::{Value, json};

use super::{Ask, Need, Unmapped};

/// Operations with one secret.
const SECRETS: [&str; 14] = [
    "CreateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "DescribeSecret",
    "GetResourcePolicy",
    "GetSecretValue",
    "ListSecretVersionIds",
    "PutResourcePolicy",
    "PutSecretValue",
    "RestoreSecret",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
];

pub(super) async fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    if ask.operation == "ListSecrets" {
        return Ok(vec![Need::new("secretsmanager:ListSecrets", "*")]);
    }
    if !SECRETS.contains(&ask.operation) {
        return Err(Unmapped::Operation);
    }
    let action = format!("secretsmanager:{}", ask.operation);
    if ask.operation == "CreateSecret" {
        let name = ask.text("Name");
        let arn = ask.arn("secretsmanager", &format!("secret:{name}-??????"));
        let mut needs =
            vec![Need::new(&action, &arn).key("secretsmanager:Name", [name.to_owned()])];
        if !tags(&ask.body).is_empty() {
            needs.push(Need::new("secretsmanager:TagResource", &arn));
        }
        return Ok(needs);
    }
    Ok(vec![need(ask, &action, ask.text("SecretId")).await])
}

/// What an action on one secret needs; the secret is named by its name or ARN.
pub(super) async fn need(ask: &Ask<'_>, action: &str, id: &str) -> Need {
    let found = ask
        .look_up(
            "secretsmanager",
            "DescribeSecret",
            &json!({ "SecretId": id }),
        )
        .await;
    let arn = match found.as_ref().and_then(|secret| secret["ARN"].as_str()) {
        Some(arn) => arn.to_owned(),
        None if id.starts_with("arn:") => id.to_owned(),
        None => ask.arn("secretsmanager", &format!("secret:{id}-??????")),
    };
    let mut need = Need::new(action, &arn).key("secretsmanager:SecretId", [arn.clone()]);
    for (key, value) in tags(found.as_ref().unwrap_or(&Value::Null)) {
        for prefix in ["secretsmanager:ResourceTag/", "aws:ResourceTag/"] {
            need = need.key(&format!("{prefix}{key}"), [value.clone()]);
        }
    }
    need
}

fn tags(secret: &Value) -> Vec<(String, String)> {
    let tags = secret["Tags"].as_array().into_iter().flatten();
    let pair = |tag: &Value| {
        let key = tag["Key"].as_str()?.to_owned();
        Some((key, tag["Value"].as_str()?.to_owned()))
    };
    tags.filter_map(pair).collect()
}

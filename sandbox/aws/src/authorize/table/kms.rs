//! KMS. The keys' policies leave it to IAM who may use them.

use serde_json::{Value, json};

use super::{Ask, Need, Unmapped};

/// Operations with one key.
const KEYS: [&str; 14] = [
    "Decrypt",
    "DescribeKey",
    "DisableKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "ScheduleKeyDeletion",
    "Sign",
    "Verify",
    "VerifyMac",
];

pub(super) async fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    if !KEYS.contains(&ask.operation) {
        return Err(Unmapped::Operation);
    }
    let Some(key) = key_arn(ask).await else {
        // No such key, or a ciphertext of none: the service says so, and does nothing.
        return Ok(Vec::new());
    };
    let mut need = Need::new(&format!("kms:{}", ask.operation), &key);
    let context = ask.body["EncryptionContext"].as_object();
    need = need.key(
        "kms:EncryptionContextKeys",
        context.into_iter().flat_map(|pairs| pairs.keys().cloned()),
    );
    for (name, value) in context.into_iter().flatten() {
        let key = format!("kms:EncryptionContext:{name}");
        need = need.key(&key, value.as_str().map(str::to_owned));
    }
    for (key, member) in [
        ("kms:SigningAlgorithm", "SigningAlgorithm"),
        ("kms:MessageType", "MessageType"),
    ] {
        need = need.key(key, ask.body[member].as_str().map(str::to_owned));
    }
    Ok(vec![need])
}

/// The key that a request names, or that its ciphertext is of.
async fn key_arn(ask: &Ask<'_>) -> Option<String> {
    let key = if ask.body["KeyId"].is_string() {
        ask.body["KeyId"].clone()
    } else {
        let decrypted = ask.look_up("kms", "Decrypt", &ask.body).await?;
        decrypted["KeyId"].clone()
    };
    if let Some(arn) = key.as_str().filter(|key| is_key_arn(key)) {
        return Some(arn.to_owned());
    }
    let described = ask
        .look_up("kms", "DescribeKey", &json!({ "KeyId": key }))
        .await?;
    described["KeyMetadata"]["Arn"]
        .as_str()
        .or(Value::as_str(&described["KeyMetadata"]["KeyArn"]))
        .map(str::to_owned)
}

fn is_key_arn(key: &str) -> bool {
    key.starts_with("arn:") && key.contains(":key/")
}

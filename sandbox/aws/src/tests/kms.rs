//! Envelope encryption with an encryption context.

use serde_json::{Value, json};

use super::support::{CUSTOMER, VENDOR, World};

#[tokio::test]
async fn a_data_key_opens_only_with_its_own_encryption_context() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let created = world.ok(&vendor, "kms", "CreateKey", json!({})).await;
    let arn = created["KeyMetadata"]["Arn"].as_str().unwrap();
    assert!(
        arn.starts_with("arn:aws:kms:us-east-1:111111111111:key/"),
        "{arn}"
    );
    assert_eq!(created["KeyMetadata"]["AWSAccountId"], VENDOR);
    let context = json!({"tenant": "ten_1", "connection": "con_1"});
    let data_key = world
        .ok(
            &vendor,
            "kms",
            "GenerateDataKey",
            json!({
                "KeyId": arn, "KeySpec": "AES_256", "EncryptionContext": context,
            }),
        )
        .await;
    let decrypt = |context: Value| {
        json!({
            "CiphertextBlob": data_key["CiphertextBlob"], "KeyId": arn, "EncryptionContext": context,
        })
    };
    let opened = world.ok(&vendor, "kms", "Decrypt", decrypt(context)).await;
    assert_eq!(opened["Plaintext"], data_key["Plaintext"]);
    assert_eq!(opened["KeyId"], arn);
    for wrong in [
        json!({}),
        json!({"tenant": "ten_1"}),
        json!({"tenant": "ten_2", "connection": "con_1"}),
    ] {
        let (status, answer) = world
            .json(&vendor, "kms", "Decrypt", decrypt(wrong.clone()))
            .await;
        assert_eq!(
            (status, answer["__type"].as_str()),
            (400, Some("InvalidCiphertextException")),
            "{wrong}"
        );
    }
    let customer = world.aws.admin_credentials(CUSTOMER);
    let ask = json!({"CiphertextBlob": data_key["CiphertextBlob"]});
    let (status, _) = world.json(&customer, "kms", "Decrypt", ask).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn encrypt_and_decrypt_bind_the_context_too() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let created = world.ok(&vendor, "kms", "CreateKey", json!({})).await;
    let key = &created["KeyMetadata"]["KeyId"];
    let sealed = world
        .ok(
            &vendor,
            "kms",
            "Encrypt",
            json!({
                "KeyId": key, "Plaintext": "aGVsbG8=", "EncryptionContext": {"a": "1", "b": "2"},
            }),
        )
        .await;
    let ask = json!({"CiphertextBlob": sealed["CiphertextBlob"], "EncryptionContext": {"b": "2", "a": "1"}});
    assert_eq!(
        world.ok(&vendor, "kms", "Decrypt", ask).await["Plaintext"],
        "aGVsbG8="
    );
    // The pairs must not run into each other.
    let ask =
        json!({"CiphertextBlob": sealed["CiphertextBlob"], "EncryptionContext": {"a": "1,b=2"}});
    assert_eq!(world.json(&vendor, "kms", "Decrypt", ask).await.0, 400);
}

//! KMS, with encryption contexts that cannot be confused.
//!
//! The borrowed service binds a ciphertext to `a=1,b=2`, which is also what the context
//! `{"a": "1,b=2"}` reads as. Each context is therefore handed over as one pair that holds its
//! canonical JSON.

use std::collections::BTreeMap;

use sandbox_core::{AwsCall, AwsReply};
use serde_json::{Value, json};
use winterbaume_kms::KmsService;

const CONTEXTS: [&str; 3] = [
    "EncryptionContext",
    "SourceEncryptionContext",
    "DestinationEncryptionContext",
];

pub(super) async fn handle(service: &KmsService, call: &AwsCall) -> AwsReply {
    let Ok(mut ask) = call.json() else {
        return super::json(service, call, &call.body).await;
    };
    for name in CONTEXTS {
        if let Some(context) = ask.get_mut(name)
            && let Some(canonical) = canonical(context)
        {
            *context = json!({ "context": canonical });
        }
    }
    super::json(service, call, ask.to_string().as_bytes()).await
}

/// The pairs in order of their keys; `None` for an empty context, which binds nothing.
fn canonical(context: &Value) -> Option<String> {
    let pairs: BTreeMap<&String, &Value> = context.as_object()?.iter().collect();
    (!pairs.is_empty()).then(|| json!(pairs).to_string())
}

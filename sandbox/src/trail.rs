//! The audit trail, as its bucket holds it.

use bytes::Bytes;
use http::Method;
use sandbox_core::{AwsReply, VENDOR_ACCOUNT};
use serde_json::Value;

use crate::Sandbox;

/// A record and where it lies.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Key of the object.
    pub key: String,
    /// What it says.
    pub record: Value,
}

impl Sandbox {
    /// Name of the bucket.
    pub fn audit_bucket(&self) -> &str {
        self.stack.resources["AuditBucket"].physical_id()
    }

    /// Every record, by key.
    pub async fn audit_trail(&self) -> Vec<Kept> {
        let mut kept = Vec::new();
        let mut after = String::new();
        loop {
            let page = self
                .audit_call(&format!("?list-type=2&start-after={after}"))
                .await;
            let page = String::from_utf8_lossy(&page.body).into_owned();
            let keys = page.split("<Key>").skip(1);
            let keys: Vec<&str> = keys.filter_map(|rest| rest.split('<').next()).collect();
            for key in &keys {
                let object = self.audit_call(&format!("/{key}")).await;
                kept.push(Kept {
                    key: (*key).to_owned(),
                    record: serde_json::from_slice(&object.body).unwrap_or(Value::Null),
                });
            }
            match keys.last() {
                Some(last) if page.contains("<IsTruncated>true") => after = (*last).to_owned(),
                _ => return kept,
            }
        }
    }

    /// The versions of a record, newest first.
    pub async fn audit_versions(&self, key: &str) -> Vec<String> {
        let page = self.audit_call(&format!("?versions&prefix={key}")).await;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let ids = page.split("<VersionId>").skip(1);
        ids.filter_map(|rest| rest.split('<').next())
            .map(str::to_owned)
            .collect()
    }

    async fn audit_call(&self, rest: &str) -> AwsReply {
        let path = format!("/{}{rest}", self.audit_bucket());
        let admin = self.aws.admin(VENDOR_ACCOUNT);
        self.aws
            .call_rest(&admin, "s3", Method::GET, &path, Bytes::new())
            .await
    }
}

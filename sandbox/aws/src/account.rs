//! What AWS services do inside an account: the S3 and Secrets Manager part of
//! [`sandbox_core::AccountServices`].

use bytes::Bytes;
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sandbox_core::REGION;
use serde_json::{Value, json};

use crate::{
    Aws,
    call::{answer, error_code, request},
    policy::{self, Caller, Context, Request},
    sts,
};

/// What stays as it is in an object's path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// Condition keys of a service that writes to a bucket.
const BUCKET_KEYS: &[&str] = &[
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SecureTransport",
    "aws:PrincipalIsAWSService",
];

impl Aws {
    /// Writes an object as AppFlow does: the bucket's policy must allow `appflow.amazonaws.com`
    /// to put it, for a flow of this account.
    pub async fn put_object(
        &self,
        account: &str,
        bucket: &str,
        key: &str,
        body: Bytes,
    ) -> Result<(), String> {
        self.appflow_may(account, bucket, "s3:PutObject", Some(key))
            .await?;
        self.s3(account, Method::PUT, &object_path(bucket, key), body)
            .await
            .map(drop)
    }

    /// Whether a bucket's policy lets AppFlow do something to the bucket or one of its objects for a
    /// flow of this account; `AccessDenied` if it does not.
    pub async fn appflow_may(
        &self,
        account: &str,
        bucket: &str,
        action: &str,
        key: Option<&str>,
    ) -> Result<(), String> {
        let policy = self.bucket_policy(account, bucket).await?;
        let resource = key.map_or_else(|| bucket.to_owned(), |key| format!("{bucket}/{key}"));
        if appflow_may(policy.as_ref(), account, action, &resource) {
            Ok(())
        } else {
            Err("AccessDenied".to_owned())
        }
    }

    /// Reads an object, as its owner does.
    pub async fn get_object(
        &self,
        account: &str,
        bucket: &str,
        key: &str,
    ) -> Result<Bytes, String> {
        self.s3(
            account,
            Method::GET,
            &object_path(bucket, key),
            Bytes::new(),
        )
        .await
    }

    /// All keys under a prefix, in order.
    pub async fn list_objects(
        &self,
        account: &str,
        bucket: &str,
        prefix: &str,
    ) -> Result<Vec<String>, String> {
        let mut keys: Vec<String> = Vec::new();
        loop {
            let path = list_path(bucket, prefix, keys.last());
            let page = self.s3(account, Method::GET, &path, Bytes::new()).await?;
            let page = String::from_utf8_lossy(&page);
            let before = keys.len();
            keys.extend(
                page.split("<Key>")
                    .skip(1)
                    .filter_map(|rest| rest.split_once("</Key>"))
                    .map(|(key, _)| unescape(key)),
            );
            if keys.len() == before || !page.contains("<IsTruncated>true</IsTruncated>") {
                return Ok(keys);
            }
        }
    }

    /// The bucket's policy document, if it has one.
    pub async fn bucket_policy(
        &self,
        account: &str,
        bucket: &str,
    ) -> Result<Option<Value>, String> {
        let path = format!("/{bucket}?policy");
        match self.s3(account, Method::GET, &path, Bytes::new()).await {
            Ok(policy) => serde_json::from_slice(&policy)
                .map(Some)
                .map_err(|error| error.to_string()),
            Err(code) if code == "NoSuchBucketPolicy" => Ok(None),
            Err(code) => Err(code),
        }
    }

    /// Creates or replaces a secret and answers its ARN.
    pub async fn put_secret(
        &self,
        account: &str,
        name: &str,
        value: String,
    ) -> Result<String, String> {
        let create = json!({
            "Name": name, "SecretString": value, "ClientRequestToken": uuid::Uuid::new_v4(),
        });
        let created = match self.secrets(account, "CreateSecret", &create).await {
            Err(code) if code == "ResourceExistsException" => {
                let put = json!({
                    "SecretId": name,
                    "SecretString": create["SecretString"],
                    "ClientRequestToken": uuid::Uuid::new_v4(),
                });
                self.secrets(account, "PutSecretValue", &put).await
            }
            created => created,
        }?;
        Ok(created["ARN"].as_str().unwrap_or_default().to_owned())
    }

    /// Reads a secret by ARN or name.
    pub async fn get_secret(&self, account: &str, id: &str) -> Result<String, String> {
        let secret = self
            .secrets(account, "GetSecretValue", &json!({ "SecretId": id }))
            .await?;
        secret["SecretString"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| "ResourceNotFoundException".to_owned())
    }

    /// Deletes a secret for good.
    pub async fn delete_secret(&self, account: &str, id: &str) -> Result<(), String> {
        let delete = json!({ "SecretId": id, "ForceDeleteWithoutRecovery": true });
        self.secrets(account, "DeleteSecret", &delete)
            .await
            .map(drop)
    }

    /// Calls an operation of a JSON service as a service does that assumes a role for it: the role must
    /// trust the service, and its policies must allow what is asked for. `Err` carries the error's code.
    pub async fn call_under_role(
        &self,
        assuming: &str,
        role_arn: &str,
        (service, operation): (&str, &str),
        body: &Value,
    ) -> Result<Value, String> {
        let denied = || "AccessDeniedException".to_owned();
        let credentials = sts::assume_as_service(self, assuming, role_arn, "service");
        let credentials = credentials.map_err(|_| denied())?;
        let session = self.credentials.session(&credentials.access_key_id);
        let session = session.ok_or_else(denied)?;
        let call = request(&session.principal, service, operation, body);
        self.authorize(&session, &call, operation)
            .await
            .map_err(|reply| error_code(&reply))?;
        answer(&self.dispatch(call).await)
    }

    async fn secrets(&self, account: &str, operation: &str, ask: &Value) -> Result<Value, String> {
        let admin = self.admin(account);
        answer(&self.call(&admin, "secretsmanager", operation, ask).await)
    }

    async fn s3(
        &self,
        account: &str,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Bytes, String> {
        let admin = self.admin(account);
        let reply = self.call_rest(&admin, "s3", method, path, body).await;
        match reply.status {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(reply.body),
            _ => Err(error_code(&reply)),
        }
    }
}

fn appflow_may(policy: Option<&Value>, account: &str, action: &str, resource: &str) -> bool {
    let Some(policy) = policy else {
        return false;
    };
    let mut context = Context::with_known_keys(BUCKET_KEYS);
    context.set("aws:SourceAccount", [account.to_owned()]);
    // The flow's name is not told here; the star fits every pattern that ends in one.
    context.set(
        "aws:SourceArn",
        [format!(
            "arn:aws:appflow:{REGION}:{account}:flow/tributary-*"
        )],
    );
    context.set("aws:SecureTransport", ["true".to_owned()]);
    context.set("aws:PrincipalIsAWSService", ["true".to_owned()]);
    policy::allows(
        policy,
        &Request {
            caller: Some(&Caller::service("appflow.amazonaws.com")),
            action,
            resource: Some(&format!("arn:aws:s3:::{resource}")),
            context: &context,
        },
    )
}

/// One page of a listing. The serializer is not `Sync`, so it must not live across an await.
fn list_path(bucket: &str, prefix: &str, after: Option<&String>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("list-type", "2")
        .append_pair("prefix", prefix);
    if let Some(last) = after {
        query.append_pair("start-after", last);
    }
    format!("/{bucket}?{}", query.finish())
}

fn object_path(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", utf8_percent_encode(key, PATH))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::needless_pass_by_value,
        reason = "json! literals read better by value"
    )]
    fn may_put(statement: Value) -> bool {
        let policy = json!({ "Statement": statement });
        appflow_may(
            Some(&policy),
            "222222222222",
            "s3:PutObject",
            "landing/out/a.json",
        )
    }

    #[test]
    fn appflow_needs_a_policy_for_itself_the_object_and_the_account() {
        let allow = |service: &str, account: &str, resource: &str| {
            json!({
                "Effect": "Allow", "Principal": {"Service": service}, "Action": "s3:PutObject",
                "Resource": resource,
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            })
        };
        let (service, account, all) = (
            "appflow.amazonaws.com",
            "222222222222",
            "arn:aws:s3:::landing/*",
        );
        assert!(may_put(allow(service, account, all)));
        assert!(!may_put(allow("lambda.amazonaws.com", account, all)));
        assert!(!may_put(allow(service, "333333333333", all)));
        assert!(!may_put(allow(service, account, "arn:aws:s3:::landing")));
        assert!(!appflow_may(None, account, "s3:PutObject", "landing/k"));
        assert!(!may_put(json!([allow(service, account, all), {
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": all,
        }])));
        assert!(may_put(json!([allow(service, account, all), {
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": all,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }])));
    }
}

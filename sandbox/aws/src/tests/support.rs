//! An endpoint on port 0 and a client that signs well enough.

use std::{net::SocketAddr, sync::Arc};

use http::Method;
use sandbox_core::serve::bind;
use serde_json::{Value, json};

use crate::{Aws, AwsOptions, Credentials, Role};

pub(super) const VENDOR: &str = sandbox_core::VENDOR_ACCOUNT;
pub(super) const CUSTOMER: &str = sandbox_core::CUSTOMER_ACCOUNT;
pub(super) const FUNCTION_ROLE: &str = "arn:aws:iam::111111111111:role/flows";

pub(super) struct World {
    pub(super) aws: Arc<Aws>,
    pub(super) address: SocketAddr,
    http: reqwest::Client,
    // Held so that the server stops with the test.
    _server: tokio::task::JoinSet<()>,
}

impl World {
    pub(super) async fn start() -> Self {
        let aws = Aws::new(AwsOptions::default());
        let (listener, address) = bind(0).await.unwrap();
        aws.announce(address);
        let mut server = tokio::task::JoinSet::new();
        let serving = Arc::clone(&aws);
        server.spawn(async move {
            serving.serve(listener).await.unwrap();
        });
        Self {
            aws,
            address,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            _server: server,
        }
    }

    /// A function's session in the vendor's account.
    pub(super) fn function(&self) -> Credentials {
        self.aws.put_role(Role {
            arn: FUNCTION_ROLE.into(),
            trust_policy: json!({"Statement": {
                "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }}),
            identity_policies: vec![everything()],
            max_session_seconds: 3600,
        });
        self.aws
            .assume_for_function(FUNCTION_ROLE, "flows")
            .unwrap()
    }

    pub(super) fn request(
        &self,
        credentials: &Credentials,
        service: &str,
        method: Method,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .request(method, format!("http://{}{path}", self.address))
            .header("authorization", authorization(credentials, service));
        if let Some(token) = &credentials.session_token {
            request = request.header("x-amz-security-token", token);
        }
        request
    }

    /// One call of the JSON protocols.
    pub(super) async fn json(
        &self,
        credentials: &Credentials,
        service: &str,
        operation: &str,
        body: Value,
    ) -> (u16, Value) {
        let response = self
            .request(credentials, service, Method::POST, "/")
            .header("x-amz-target", format!("Any_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Like [`World::json`], for a call that must succeed.
    pub(super) async fn ok(
        &self,
        credentials: &Credentials,
        service: &str,
        operation: &str,
        body: Value,
    ) -> Value {
        let (status, answer) = self.json(credentials, service, operation, body).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// One call of the query protocol.
    pub(super) async fn form(
        &self,
        credentials: &Credentials,
        parameters: &[(&str, &str)],
    ) -> (u16, String) {
        let response = self
            .request(credentials, "sts", Method::POST, "/")
            .form(parameters)
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

pub(super) fn authorization(credentials: &Credentials, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={}/20261120/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=00",
        credentials.access_key_id
    )
}

/// A policy that allows everything.
pub(super) fn everything() -> Value {
    json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "*", "Resource": "*",
    }})
}

/// The text of the first element of this name.
pub(super) fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    xml.split_once(&format!("<{name}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{name}>")))
        .map_or_else(|| panic!("no {name} in {xml}"), |(text, _)| text)
}

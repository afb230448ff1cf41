//! Prints the `CreateConnectorProfile` and `UpdateConnectorProfile` requests of every way to connect, one
//! JSON document a line. `.ci/check_requests.py` asks AppFlow's service model about each.
//!
//! ```sh
//! cargo run -q -p tributary --example profile_requests | .ci/check_requests.py
//! ```

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_appflow::{
    Client,
    config::{Credentials as Keys, Region},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use http::StatusCode;
use serde_json::{Value, json};
use tributary::{
    connection::{Connection, TokenOwner},
    connector::{
        AuthKind, CONNECTORS, Connector, Form, Method, PropertyNeed,
        profile::{
            AccessToken, AppflowOwned, Credentials, push_credentials, push_owned, push_tokens,
        },
    },
    id::{AccountId, ConnectionId, TenantId},
    oauth::{AppCredentials, InstanceUrl, TokenBundle},
    secret::Secret,
};

/// Keeps what is sent and answers that all is well.
#[derive(Debug, Clone, Default)]
struct Recorder(Arc<Mutex<Vec<(String, Value)>>>);

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = if request.uri().ends_with("/create-connector-profile") {
            "CreateConnectorProfile"
        } else {
            "UpdateConnectorProfile"
        };
        let body = request.body().bytes().unwrap_or_default();
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((operation.to_owned(), body));
        let answer = HttpResponse::new(StatusCode::OK.into(), SdkBody::from("{}"));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

fn sample(field: &PropertyNeed) -> String {
    match field.form {
        Form::Word | Form::Text => "sample",
        // Only its shape counts here.
        Form::Pem => "-----BEGIN-----",
        Form::Origin => "https://acme.example.com",
        Form::Address => "https://acme.example.com/token",
        Form::Path => "/sap/opu/odata",
        Form::Port => "443",
        Form::SapClient => "100",
        Form::Language => "EN",
        Form::BusinessUnit => "0Uv000000000001AAA",
        Form::Role => "arn:aws:iam::111111111111:role/sample",
        Form::OneOf(values) => values.first().copied().unwrap_or_default(),
    }
    .to_owned()
}

fn connection(
    row: &Connector,
    method: &Method,
    owner: TokenOwner,
) -> Result<Connection, serde_json::Error> {
    let properties: serde_json::Map<String, Value> = method
        .properties
        .iter()
        .map(|field| (field.name.to_owned(), sample(field).into()))
        .collect();
    let id = ConnectionId::new();
    serde_json::from_value(json!({
        "id": id, "connection_id": id, "tenant_id": TenantId::new(), "account_id": AccountId::new(),
        "connector": row.key, "name": row.label, "state": "pending", "token_owner": owner,
        "created_by": "frank", "auth": method.kind, "profile_name": "tributary-sample",
        "instance": "acme", "properties": properties, "generation": 1, "version": 1,
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Recorder::default();
    let connector = SharedHttpConnector::new(recorder.clone());
    let config = aws_sdk_appflow::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Keys::new("sample", "sample", None, None, "sample"))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    let appflow = Client::from_conf(config);
    let instance = InstanceUrl::of_base(&"https://acme.example.com".parse()?);
    let bundle = TokenBundle {
        access_token: Secret::new("access"),
        refresh_token: Some(Secret::new("refresh")),
    };
    let app = AppCredentials {
        client_id: "client".to_owned(),
        client_secret: Some(Secret::new("client-secret")),
    };
    for row in CONNECTORS {
        for method in row.methods.iter().filter(|way| way.kind != AuthKind::None) {
            for owner in method.token_owners {
                for pushed_generation in [0, 1] {
                    let mut connection = connection(row, method, *owner)?;
                    connection.pushed_generation = pushed_generation;
                    let given: Credentials = method
                        .credentials
                        .iter()
                        .map(|field| (field.name.to_owned(), Secret::new(sample(field))))
                        .collect();
                    let place = Some(&instance);
                    if *owner == TokenOwner::Tributary {
                        let token = AccessToken::from(&bundle);
                        push_tokens(&appflow, &connection, place, token).await?;
                    } else if let Some(owned) = AppflowOwned::of(&connection, &bundle, &app)
                        .filter(|_| method.kind == AuthKind::OauthAuthorizationCode)
                    {
                        push_owned(&appflow, &connection, place, &owned).await?;
                    } else {
                        push_credentials(&appflow, &connection, place, &given).await?;
                    }
                }
            }
        }
    }
    let sent = recorder.0.lock().unwrap_or_else(PoisonError::into_inner);
    for (operation, request) in sent.iter() {
        println!("{}", json!({ "operation": operation, "request": request }));
    }
    Ok(())
}

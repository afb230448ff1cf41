//! Applications that check tokens: the strict providers of the sandbox, with a profile each.

use std::sync::Arc;

use sandbox_saas::{
    ProviderApp, Providers, ProvidersOptions,
    strict::{Trouble, provider_keys},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::world::{World, flow};
use crate::Options;

const SECRET: &str = "provider-app-secret";
const OLIVIA: &str = "olivia@acme.example";

/// An application whose profile holds OAuth tokens.
struct Row {
    provider: &'static str,
    scope: &'static str,
    kind: &'static str,
    label: Option<&'static str>,
    key: &'static str,
    version: Option<&'static str>,
    /// Properties of the profile; `{base}` stands for the providers' address.
    properties: &'static str,
    /// The member that holds the OAuth credentials.
    member: Option<&'static str>,
}

const ROWS: &[Row] = &[
    Row {
        provider: "service-now",
        scope: "useraccount",
        kind: "Servicenow",
        label: None,
        key: "ServiceNow",
        version: None,
        properties: r#"{"instanceUrl":"{base}/service-now/acme"}"#,
        member: Some("oAuth2Credentials"),
    },
    Row {
        provider: "zendesk",
        scope: "read",
        kind: "Zendesk",
        label: None,
        key: "Zendesk",
        version: None,
        properties: r#"{"instanceUrl":"{base}/zendesk/acme"}"#,
        member: None,
    },
    Row {
        provider: "hubspot",
        scope: "oauth",
        kind: "CustomConnector",
        label: Some("HubSpot"),
        key: "CustomConnector",
        version: Some("v3"),
        properties: r#"{"oAuth2Properties":{"tokenUrl":"{base}/hubspot/oauth/2026-03/token","oAuth2GrantType":"AUTHORIZATION_CODE"}}"#,
        member: Some("oauth2"),
    },
    Row {
        provider: "microsoft",
        scope: "offline_access {base}/dynamics/acme/user_impersonation",
        kind: "CustomConnector",
        label: Some("MicrosoftDynamics365"),
        key: "CustomConnector",
        version: Some("v9.2"),
        properties: r#"{"profileProperties":{"instanceUrl":"{base}/dynamics/acme"},"oAuth2Properties":{"tokenUrl":"{base}/microsoft/common/oauth2/v2.0/token","oAuth2GrantType":"AUTHORIZATION_CODE"}}"#,
        member: Some("oauth2"),
    },
];

struct Live {
    world: World,
    providers: Arc<Providers>,
}

impl Live {
    async fn start() -> Self {
        let (listener, address): (TcpListener, _) =
            sandbox_core::serve::bind(0).await.expect("port");
        let world = World::with(Options {
            applications_url: Some(format!("http://{address}")),
            ..Options::default()
        })
        .await;
        let options = ProvidersOptions {
            clock: world.clock.clone(),
            ..ProvidersOptions::default()
        };
        let providers = Arc::new(Providers::new(options));
        for key in provider_keys() {
            let app = ProviderApp {
                client_id: "app".to_owned(),
                client_secrets: vec![SECRET.to_owned()],
                redirect_uris: Vec::new(),
            };
            providers.register_app(key, app);
        }
        tokio::spawn(Arc::clone(&providers).serve(listener));
        Self { world, providers }
    }

    fn based(&self, text: &str) -> String {
        text.replace("{base}", self.providers.base_url())
    }

    /// Tokens of a new grant: access and refresh.
    fn tokens(&self, row: &Row) -> (String, String) {
        let scope = self.based(row.scope);
        let pair = self.providers.grant(row.provider, OLIVIA, &scope);
        let pair = pair.expect("grant");
        (pair.access_token, pair.refresh_token)
    }

    fn profile(&self, row: &Row, oauth: &Value) -> Value {
        let properties: Value = serde_json::from_str(&self.based(row.properties)).expect("JSON");
        let mut credentials = match row.member {
            Some(member) => json!({ member: oauth }),
            None => oauth.clone(),
        };
        if row.key == "CustomConnector" {
            credentials["authenticationType"] = json!("OAUTH2");
        }
        if row.key == "Zendesk" {
            credentials["clientId"] = json!("app");
            credentials["clientSecret"] = json!(SECRET);
        }
        json!({ "connectorProfileName": row.provider, "connectorType": row.kind,
            "connectorLabel": row.label, "connectionMode": "Public", "connectorProfileConfig": {
                "connectorProfileProperties": { row.key: properties },
                "connectorProfileCredentials": { row.key: credentials } } })
    }

    async fn connect(&self, row: &Row, oauth: &Value) {
        let body = self.profile(row, oauth);
        self.world.ok("create-connector-profile", body).await;
    }

    fn entities(row: &Row) -> Value {
        let mut body = json!({ "connectorProfileName": row.provider });
        if let Some(version) = row.version {
            body["apiVersion"] = json!(version);
        }
        body
    }

    async fn create_flow(&self, row: &Row) {
        let member = if row.key == "CustomConnector" {
            "entityName"
        } else {
            "object"
        };
        let mut body = flow("copy");
        body["sourceFlowConfig"] = json!({ "connectorType": row.kind,
            "connectorProfileName": row.provider, "apiVersion": row.version,
            "sourceConnectorProperties": { row.key: { member: "orders" } } });
        body["tasks"][0]["connectorOperator"] = json!({ row.key: "NO_OP" });
        self.world.ok("create-flow", body).await;
    }
}

#[tokio::test]
async fn a_refused_token_makes_no_profile_and_a_revoked_one_fails_runs_and_metadata() {
    for row in ROWS {
        let live = Live::start().await;
        let stale = live.profile(row, &json!({ "accessToken": "not-a-token" }));
        let refused = live.world.call("create-connector-profile", stale).await;
        assert_eq!(
            (refused.status, refused.exception.as_str()),
            (401, "ConnectorAuthenticationException"),
            "{}: {refused:?}",
            row.provider
        );
        let (access, _) = live.tokens(row);
        live.connect(row, &json!({ "accessToken": access })).await;
        live.create_flow(row).await;
        live.world
            .ok("list-connector-entities", Live::entities(row))
            .await;
        let run = live.world.run("copy").await;
        assert_eq!(
            run["executionStatus"], "Successful",
            "{}: {run}",
            row.provider
        );

        assert_eq!(live.providers.revoke_grants_of(row.provider, OLIVIA), 1);
        let run = live.world.run("copy").await;
        assert_eq!(run["executionStatus"], "Error", "{}", row.provider);
        let message = &run["executionResult"]["errorInfo"]["executionMessage"];
        let message = message.as_str().expect("message");
        assert!(
            message.starts_with("Error authenticating to connector: "),
            "{message}"
        );
        assert!(!message.contains(&access));
        let listed = live
            .world
            .call("list-connector-entities", Live::entities(row))
            .await;
        assert_eq!(listed.exception, "ConnectorAuthenticationException");

        let (access, _) = live.tokens(row);
        let mut update = live.profile(row, &json!({ "accessToken": access }));
        let members = update.as_object_mut().expect("object");
        members.remove("connectorType");
        members.remove("connectorLabel");
        live.world.ok("update-connector-profile", update).await;
        let run = live.world.run("copy").await;
        assert_eq!(run["executionStatus"], "Successful", "{}", row.provider);
    }
}

#[tokio::test]
async fn a_profile_with_a_refresh_token_and_a_client_renews_by_itself_and_keeps_what_comes() {
    // Zendesk's profile takes no refresh token.
    for row in ROWS.iter().filter(|row| row.provider != "zendesk") {
        let live = Live::start().await;
        let (access, refresh) = live.tokens(row);
        let credentials = json!({ "accessToken": access, "refreshToken": refresh,
            "clientId": "app", "clientSecret": SECRET });
        live.connect(row, &credentials).await;
        live.create_flow(row).await;
        for refreshes in 1..=3 {
            live.providers.expire_access_tokens(row.provider);
            let run = live.world.run("copy").await;
            assert_eq!(
                run["executionStatus"], "Successful",
                "{}: {run}",
                row.provider
            );
            let counters = live.providers.counters(row.provider);
            assert_eq!(counters.refreshed, refreshes);
            assert_eq!(counters.double_uses, 0, "the newest one is kept");
        }
        let run = live.world.run("copy").await;
        assert_eq!(run["executionStatus"], "Successful");
        assert_eq!(live.providers.counters(row.provider).refreshed, 3);
        live.providers.revoke_grants_of(row.provider, OLIVIA);
        assert_eq!(live.world.run("copy").await["executionStatus"], "Error");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_no_wrong_credential() {
    let row = &ROWS[0];
    let live = Live::start().await;
    let (access, refresh) = live.tokens(row);
    let credentials = json!({ "accessToken": access, "refreshToken": refresh,
        "clientId": "app", "clientSecret": SECRET });
    live.connect(row, &credentials).await;
    live.create_flow(row).await;
    live.providers.expire_access_tokens(row.provider);
    live.providers.trouble_once(
        row.provider,
        Trouble::Outage {
            status: 503,
            retry_after: None,
        },
    );
    let run = live.world.run("copy").await;
    let message = run["executionResult"]["errorInfo"]["executionMessage"].as_str();
    assert!(
        message
            .expect("message")
            .starts_with("Error while communicating to connector: "),
        "{run}"
    );
    assert_eq!(
        live.world.run("copy").await["executionStatus"],
        "Successful"
    );
}

#[tokio::test]
async fn service_now_takes_a_users_name_and_password() {
    let row = &ROWS[0];
    let live = Live::start().await;
    let with = |password: &str| {
        let mut body = live.profile(row, &json!({}));
        body["connectorProfileConfig"]["connectorProfileCredentials"] =
            json!({ "ServiceNow": { "username": OLIVIA, "password": password } });
        body
    };
    let refused = live
        .world
        .call("create-connector-profile", with("guessed"))
        .await;
    assert_eq!(refused.exception, "ConnectorAuthenticationException");
    let body = with("olivia-password-local");
    live.world.ok("create-connector-profile", body).await;
    live.create_flow(row).await;
    assert_eq!(
        live.world.run("copy").await["executionStatus"],
        "Successful"
    );
}

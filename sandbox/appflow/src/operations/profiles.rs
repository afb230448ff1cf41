//! Connector profiles.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{flag, no_profile, optional, text};
use crate::{
    applications::{self, live},
    catalogue::{self, AWS_AUTHORED, Connector},
    error::{ApiError, Exception},
    model::with_nulls,
    page::page,
    salesforce::oauth,
    service::{Caller, Inner},
    state::{Home, Profile, State},
    wire::epoch,
};

/// How long the endpoints of a private connection take.
const PROVISIONING: SignedDuration = SignedDuration::from_mins(3);

pub(super) async fn create(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let home = &caller.home;
    let name = text(request, "connectorProfileName");
    let connector = connector(text(request, "connectorType"))?;
    let label = optional(request, "connectorLabel");
    inner.with(home, |state| {
        may_create(inner, state, name, connector, label)
    })?;
    let config = &request["connectorProfileConfig"];
    let (secret, properties) = check_config(inner, home, connector, label, config).await?;
    let now = inner.now();
    let secret_name = format!("appflow!{}-{name}-{}", home.account, now.as_millisecond());
    let credentials_arn = put_secret(inner, home, &secret_name, secret).await?;
    let profile = Profile {
        name: name.to_owned(),
        arn: home.arn("connectorprofile", name),
        kind: connector.kind.to_owned(),
        label: label.map(str::to_owned),
        mode: text(request, "connectionMode").to_owned(),
        properties,
        secret_name,
        credentials_arn: credentials_arn.clone(),
        created_at: now,
        updated_at: now,
        refreshing: Arc::default(),
    };
    let answer = json!({ "connectorProfileArn": profile.arn });
    // Somebody may have been faster during the live calls.
    let stored = inner.with(home, |state| {
        may_create(inner, state, name, connector, label)?;
        state.profiles.insert(profile.name.clone(), profile);
        Ok(answer)
    });
    if stored.is_err() {
        discard(inner, home, &credentials_arn).await;
    }
    stored
}

fn may_create(
    inner: &Inner,
    state: &State,
    name: &str,
    connector: &Connector,
    label: Option<&str>,
) -> Result<(), ApiError> {
    if state.profiles.contains_key(name) {
        return Err(ApiError::conflict(format!(
            "Connector profile: {name} already exists"
        )));
    }
    if connector.kind == "CustomConnector" {
        let label = label.ok_or_else(|| {
            ApiError::validation(
                "Validation exception: ConnectorLabel cannot be blank for connector: CUSTOMCONNECTOR",
            )
        })?;
        let known = AWS_AUTHORED.iter().any(|(known, ..)| *known == label);
        if !known && !state.registrations.contains_key(label) {
            return Err(ApiError::not_found(format!(
                "Connector:{label} is not registered. Please register it first before creating \
                 ConnectorProfile."
            )));
        }
    }
    if state.profiles.len() >= inner.options.max_profiles {
        return Err(ApiError::new(
            Exception::ServiceQuotaExceeded,
            format!(
                "The number of connector profiles has reached the limit of {}",
                inner.options.max_profiles
            ),
        ));
    }
    Ok(())
}

pub(super) async fn update(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let home = &caller.home;
    let name = text(request, "connectorProfileName");
    let before = find(inner, home, name)?;
    let connector = connector(&before.kind)?;
    let config = &request["connectorProfileConfig"];
    let label = before.label.as_deref();
    let (secret, properties) = check_config(inner, home, connector, label, config).await?;
    // A refresh under way must not overwrite the new tokens with its own.
    let _no_refresh = before.refreshing.lock().await;
    let credentials_arn = put_secret(inner, home, &before.secret_name, secret).await?;
    let now = inner.now();
    inner.with(home, |state| {
        state.cache.forget(name);
        let profile = state
            .profiles
            .get_mut(name)
            .ok_or_else(|| no_profile(name))?;
        text(request, "connectionMode").clone_into(&mut profile.mode);
        profile.properties = properties;
        profile.credentials_arn = credentials_arn;
        profile.updated_at = now;
        Ok(json!({ "connectorProfileArn": profile.arn }))
    })
}

pub(super) fn describe(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let names: Option<Vec<&str>> = request["connectorProfileNames"]
        .as_array()
        .filter(|names| !names.is_empty())
        .map(|names| names.iter().filter_map(Value::as_str).collect());
    let kind = optional(request, "connectorType");
    let label = optional(request, "connectorLabel");
    let now = inner.now();
    let found = inner.with(&caller.home, |state| {
        state
            .profiles
            .values()
            .filter(|p| names.as_ref().is_none_or(|n| n.contains(&p.name.as_str())))
            .filter(|p| kind.is_none_or(|k| k == p.kind))
            .filter(|p| label.is_none_or(|l| p.label.as_deref() == Some(l)))
            .map(|p| {
                (
                    p.name.clone(),
                    with_nulls("ConnectorProfile", shown(p, now)),
                )
            })
            .collect()
    });
    let (details, token) = page("DescribeConnectorProfiles", request, 20, found)?;
    Ok(json!({ "connectorProfileDetails": details, "nextToken": token }))
}

fn shown(profile: &Profile, now: Timestamp) -> Value {
    let private = (profile.mode == "Private").then(
        || json!({ "status": if is_provisioned(profile, now) { "CREATED" } else { "PENDING" } }),
    );
    json!({
        "connectorProfileArn": profile.arn,
        "connectorProfileName": profile.name,
        "connectorType": profile.kind,
        "connectorLabel": profile.label,
        "connectionMode": profile.mode,
        "credentialsArn": profile.credentials_arn,
        "connectorProfileProperties": profile.properties,
        "createdAt": epoch(profile.created_at),
        "lastUpdatedAt": epoch(profile.updated_at),
        "privateConnectionProvisioningState": private,
    })
}

/// Whether flows can run over the profile's connection yet.
pub(crate) fn is_provisioned(profile: &Profile, now: Timestamp) -> bool {
    profile.mode != "Private" || now >= profile.created_at + PROVISIONING
}

pub(super) async fn delete(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let name = text(request, "connectorProfileName");
    let force = flag(request, "forceDelete");
    let profile = inner.with(&caller.home, |state| {
        if !state.profiles.contains_key(name) {
            return Err(no_profile(name));
        }
        let users: Vec<&str> = state
            .flows
            .iter()
            .filter(|(_, f)| f.uses_profile(name))
            .map(|(flow, _)| flow.as_str())
            .collect();
        if !users.is_empty() && !force {
            return Err(ApiError::conflict(format!(
                "Connector profile: {name} is associated with one or more flows. If you still want \
                 to delete it, then make delete request with forceDelete flag as true. Some of the \
                 associated flows are: [{}]",
                users.join(", ")
            )));
        }
        state.cache.forget(name);
        state.profiles.remove(name).ok_or_else(|| no_profile(name))
    })?;
    discard(inner, &caller.home, &profile.credentials_arn).await;
    Ok(json!({}))
}

/// A profile by name.
pub(crate) fn find(inner: &Inner, home: &Home, name: &str) -> Result<Profile, ApiError> {
    inner
        .with(home, |state| state.profiles.get(name).cloned())
        .ok_or_else(|| no_profile(name))
}

fn connector(kind: &str) -> Result<&'static Connector, ApiError> {
    catalogue::of_type(kind)
        .filter(|c| c.profile)
        .ok_or_else(|| {
            ApiError::validation(format!(
                "Validation exception: The connector {kind} does not take a connector profile"
            ))
        })
}

/// Properties and credentials under the connector's key, checked; answers the secret's text and
/// the properties to store.
async fn check_config(
    inner: &Inner,
    home: &Home,
    connector: &Connector,
    label: Option<&str>,
    config: &Value,
) -> Result<(String, Value), ApiError> {
    let key = connector.key;
    let missing = |what: &str| {
        ApiError::validation(format!(
            "Validation exception: {what} cannot be blank for connector: {}",
            connector.kind.to_uppercase()
        ))
    };
    let mut properties = config["connectorProfileProperties"]
        .get(key)
        .cloned()
        .ok_or_else(|| missing("ConnectorProfileProperties"))?;
    let credentials = config
        .get("connectorProfileCredentials")
        .and_then(|c| c.get(key))
        .ok_or_else(|| missing("ConnectorProfileCredentials"))?;
    if let Some(url) = properties["instanceUrl"].as_str()
        && !url::Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https"))
    {
        return Err(ApiError::validation(
            "Validation exception: InstanceUrl is not a valid URL",
        ));
    }
    let secret = match connector.kind {
        "Salesforce" => {
            let (stored, instance) = oauth::validate(inner, home, &properties, credentials).await?;
            if let (Some(url), Some(object)) = (instance, properties.as_object_mut()) {
                object
                    .entry("instanceUrl")
                    .or_insert_with(|| Value::from(url));
            }
            stored.to_json()
        }
        "Redshift" => {
            check_redshift(&properties, credentials)?;
            credentials.to_string()
        }
        kind => {
            applications::authenticate(kind, credentials)?;
            let mut credentials = credentials.clone();
            if let Some(live) = live::of(inner, kind, label, &properties) {
                live.validate(inner, &mut credentials).await?;
            }
            credentials.to_string()
        }
    };
    Ok((secret, json!({ key: properties })))
}

/// The Data API's members; profiles with a JDBC URL alone are refused as the service does now.
fn check_redshift(properties: &Value, credentials: &Value) -> Result<(), ApiError> {
    let has = |name: &str| properties[name].as_str().is_some_and(|t| !t.is_empty());
    let serverless = properties["isRedshiftServerless"].as_bool() == Some(true);
    let fault = if !has("dataApiRoleArn") {
        "dataApiRoleArn cannot be null or empty"
    } else if !has("databaseName") {
        "databaseName cannot be null or empty"
    } else if serverless && !has("workgroupName") {
        "workgroupName cannot be null or empty"
    } else if !serverless && !has("clusterIdentifier") {
        "clusterIdentifier cannot be null or empty"
    } else if !serverless && credentials["username"].as_str().is_none() {
        "username cannot be null or empty"
    } else {
        return Ok(());
    };
    Err(ApiError::new(
        Exception::ConnectorServer,
        format!(
            "Error while communicating to connector: Failed to validate Connection while attempting \
             \"select distinct(table_schema) from information_schema.tables limit 1\" with connector \
             failure {fault} (Service: null; Status Code: 400; Error Code: Client; Request ID: null; \
             Proxy: null)"
        ),
    ))
}

async fn put_secret(
    inner: &Inner,
    home: &Home,
    name: &str,
    value: String,
) -> Result<String, ApiError> {
    inner
        .services
        .put_secret(&home.account, name, value)
        .await
        .map_err(|code| {
            ApiError::new(
                Exception::InternalServer,
                format!("Secrets Manager answered {code}"),
            )
        })
}

/// Deletes a profile's secret. One that is already gone is as good as deleted.
async fn discard(inner: &Inner, home: &Home, arn: &str) {
    if let Err(code) = inner.services.delete_secret(&home.account, arn).await {
        tracing::warn!(
            secret.arn = arn,
            code,
            "could not delete the secret of a profile"
        );
    }
}

//! Applications.

use serde_json::{Value, json};

use super::{
    super::{
        refusal::{Refusal, page, seconds, text},
        state::{Application, CUSTOM, INSTANCE_ARN, State, store_arn},
    },
    application, check_instance,
};

/// `CreateApplication`. Names need not differ, as in the real service.
pub(super) fn create(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    check_instance(body)?;
    let provider = text(body, "ApplicationProviderArn", 1224)?;
    if provider != CUSTOM {
        return Err(Refusal::not_found("Application provider"));
    }
    let name = text(body, "Name", 100)?.to_owned();
    let enabled = status(body)?.unwrap_or(true);
    let arn = state.new_application_arn();
    let mut made = Application::new(arn.clone(), provider, &name);
    made.enabled = enabled;
    made.description = body["Description"].as_str().map(str::to_owned);
    state.applications.insert(arn.clone(), made);
    Ok(json!({
        "ApplicationArn": arn, "InstanceArn": INSTANCE_ARN, "IdentityStoreArn": store_arn(),
    }))
}

/// `DescribeApplication`
pub(super) fn describe(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    Ok(shown(application(state, body)?))
}

/// `ListApplications`
pub(super) fn list(state: &State, body: &Value) -> Result<Value, Refusal> {
    check_instance(body)?;
    let filter = &body["Filter"];
    let asked =
        |member: &str, value: &str| filter[member].as_str().is_none_or(|wanted| wanted == value);
    let list = state
        .applications
        .values()
        .filter(|application| asked("ApplicationProvider", &application.provider))
        .filter(|application| asked("ApplicationAccount", application.account()))
        .map(shown);
    page(body, "Applications", list.collect())
}

/// `UpdateApplication`
pub(super) fn update(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let enabled = status(body)?;
    let application = application(state, body)?;
    if let Some(enabled) = enabled {
        application.enabled = enabled;
    }
    if !body["Name"].is_null() {
        text(body, "Name", 100)?.clone_into(&mut application.name);
    }
    if !body["Description"].is_null() {
        application.description = Some(text(body, "Description", 128)?.to_owned());
    }
    Ok(json!({}))
}

fn status(body: &Value) -> Result<Option<bool>, Refusal> {
    match &body["Status"] {
        Value::Null => Ok(None),
        status if status == "ENABLED" => Ok(Some(true)),
        status if status == "DISABLED" => Ok(Some(false)),
        _ => Err(Refusal::validation("Status must be ENABLED or DISABLED")),
    }
}

fn shown(application: &Application) -> Value {
    let mut shown = json!({
        "ApplicationArn": application.arn,
        "ApplicationProviderArn": application.provider,
        "Name": application.name,
        "ApplicationAccount": application.account(),
        "InstanceArn": INSTANCE_ARN,
        "IdentityStoreArn": store_arn(),
        "Status": if application.enabled { "ENABLED" } else { "DISABLED" },
        "PortalOptions": { "Visibility": "DISABLED", "SignInOptions": { "Origin": "IDENTITY_CENTER" } },
        "CreatedDate": seconds(application.created),
    });
    if let Some(description) = &application.description {
        shown["Description"] = description.clone().into();
    }
    shown
}

//! Metadata of the connected application, through the one-hour cache.

use serde_json::{Value, json};

use super::{optional, profiles, text};
use crate::{
    applications::{self, live},
    catalogue,
    error::{ApiError, Exception},
    model::with_nulls,
    page::page,
    salesforce::{self, ConnectorFault},
    service::{Caller, Inner},
    state::{Home, Profile},
};

/// Connectors whose metadata belongs to no profile.
const WITHOUT_PROFILE: &[&str] = &[
    "CustomerProfiles",
    "EventBridge",
    "LookoutMetrics",
    "S3",
    "Upsolver",
];

pub(super) async fn list(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let profile = connected_profile(inner, caller, request)?;
    let path = optional(request, "entitiesPath");
    let mut entities: Vec<(String, Value)> = if profile.kind == "Salesforce" {
        if let Some(path) = path {
            return Err(no_nested(path));
        }
        let answer = cached(inner, &caller.home, &profile, None).await?;
        let objects = answer["sobjects"].as_array().into_iter().flatten();
        objects
            .filter_map(|object| {
                let name = object["name"].as_str()?;
                Some(entity(name, &object["label"], false))
            })
            .collect()
    } else {
        live::admitted(inner, &caller.home, &profile).await?;
        if let Some(path) = path.filter(|p| applications::listed(Some(p)).next().is_none()) {
            return Err(no_nested(path));
        }
        applications::listed(path)
            .map(|e| entity(e.name, &json!(e.label), e.has_nested()))
            .collect()
    };
    entities.sort_by(|(a, _), (b, _)| a.cmp(b));
    let all = entities.len().max(1);
    let (entities, token) = page("ListConnectorEntities", request, all, entities)?;
    Ok(json!({ "connectorEntityMap": { "Objects": entities }, "nextToken": token }))
}

fn entity(name: &str, label: &Value, nested: bool) -> (String, Value) {
    let entity = json!({ "name": name, "label": label, "hasNestedEntities": nested });
    (name.to_owned(), entity)
}

fn no_nested(path: &str) -> ApiError {
    ApiError::validation(format!(
        "Validation exception: {path} has no nested entities"
    ))
}

pub(super) async fn describe(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let profile = connected_profile(inner, caller, request)?;
    let entity = text(request, "connectorEntityName");
    let fields: Vec<Value> = if profile.kind == "Salesforce" {
        let answer = cached(inner, &caller.home, &profile, Some(entity)).await?;
        let fields = answer["fields"].as_array().into_iter().flatten();
        fields.map(field).collect()
    } else {
        live::admitted(inner, &caller.home, &profile).await?;
        let connector =
            catalogue::of_type(&profile.kind).ok_or_else(|| unreachable(&profile.kind))?;
        let found = applications::find(entity).ok_or_else(|| {
            ApiError::new(
                Exception::ConnectorServer,
                format!(
                    "Error while communicating to connector: the entity {entity} does not exist"
                ),
            )
        })?;
        let fields = found.fields.iter();
        fields.map(|f| applications::field(connector, f)).collect()
    };
    let fields: Vec<Value> = fields
        .into_iter()
        .map(|f| with_nulls("ConnectorEntityField", f))
        .collect();
    Ok(json!({ "connectorEntityFields": fields }))
}

pub(super) fn reset(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let Some(name) = optional(request, "connectorProfileName") else {
        let kind = optional(request, "connectorType").unwrap_or_default();
        if WITHOUT_PROFILE.contains(&kind) {
            return Ok(json!({}));
        }
        return Err(ApiError::validation(
            "Validation exception: A connector profile is required to reset the metadata cache",
        ));
    };
    profiles::find(inner, &caller.home, name)?;
    let entity = optional(request, "connectorEntityName");
    inner.with(&caller.home, |state| state.cache.reset(name, entity));
    Ok(json!({}))
}

/// A connector whose metadata the sandbox does not have: the call fails as it does when the
/// application cannot be reached.
fn unreachable(kind: &str) -> ApiError {
    ApiError::new(
        Exception::ConnectorServer,
        format!("Error while communicating to connector: the sandbox has no {kind}"),
    )
}

/// The profile of a metadata request. A custom connector's needs an API version that it has.
fn connected_profile(inner: &Inner, caller: &Caller, request: &Value) -> Result<Profile, ApiError> {
    let kind = optional(request, "connectorType");
    let Some(name) = optional(request, "connectorProfileName") else {
        return Err(match kind {
            Some(kind) if WITHOUT_PROFILE.contains(&kind) => unreachable(kind),
            _ => ApiError::validation("Validation exception: A connector profile is required"),
        });
    };
    let profile = profiles::find(inner, &caller.home, name)?;
    if kind.is_some_and(|kind| kind != profile.kind) {
        return Err(ApiError::validation(format!(
            "Validation exception: Connector profile: {name} is of type {}",
            profile.kind
        )));
    }
    if profile.kind == "Redshift" {
        return Err(unreachable("Redshift"));
    }
    if profile.kind == "CustomConnector" {
        let version = optional(request, "apiVersion").ok_or_else(|| {
            ApiError::validation(
                "Validation exception: ApiVersion cannot be blank for connector: CUSTOMCONNECTOR",
            )
        })?;
        if !catalogue::has_version(profile.label.as_deref(), version) {
            return Err(ApiError::validation(format!(
                "Validation exception: ApiVersion {version} is not supported"
            )));
        }
    }
    Ok(profile)
}

/// The object list, or with an entity its description; asked for once an hour.
pub(crate) async fn cached(
    inner: &Inner,
    home: &Home,
    profile: &Profile,
    entity: Option<&str>,
) -> Result<Value, ConnectorFault> {
    let now = inner.now();
    let kept = inner.with(home, |s| s.cache.get(&profile.name, entity, now));
    if let Some(answer) = kept {
        return Ok(answer);
    }
    let path = entity.map_or_else(|| format!("{}/sobjects", salesforce::API), describe_path);
    let answer = salesforce::get(inner, home, profile, &path).await?;
    inner.with(home, |state| {
        state.cache.put(&profile.name, entity, answer.clone(), now);
    });
    Ok(answer)
}

/// Path of an object's description.
pub(crate) fn describe_path(object: &str) -> String {
    let object = percent_encoding::utf8_percent_encode(object, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%5F", "_");
    format!("{}/sobjects/{object}/describe", salesforce::API)
}

/// A field of Salesforce's describe as AppFlow shows it.
fn field(described: &Value) -> Value {
    let kind = described["type"].as_str().unwrap_or("string");
    let is = |member: &str| described[member].as_bool().unwrap_or_default();
    let filterable = described["filterable"].as_bool().unwrap_or(true);
    let writes: &[&str] = match (kind, is("externalId")) {
        ("id", _) => &["UPDATE", "UPSERT"],
        (_, true) => &["UPSERT"],
        _ => &[],
    };
    json!({
        "identifier": described["name"],
        "label": described["label"],
        "supportedFieldTypeDetails": { "v1": {
            "fieldType": kind,
            "filterOperators": if filterable { operators(kind) } else { &[] },
            "supportedValues": values(described, kind),
        } },
        "description": described["label"],
        "sourceProperties": {
            "isRetrievable": true,
            "isQueryable": filterable,
            "isTimestampFieldForIncrementalQueries": (kind == "datetime").then_some(true),
        },
        "destinationProperties": {
            "isCreatable": is("createable"),
            "isNullable": is("nillable"),
            "isUpsertable": is("createable") && is("updateable"),
            "isUpdatable": is("updateable"),
            "supportedWriteOperations": writes,
        },
    })
}

fn operators(kind: &str) -> &'static [&'static str] {
    const ORDERED: &[&str] = &[
        "EQUAL_TO",
        "NOT_EQUAL_TO",
        "LESS_THAN",
        "LESS_THAN_OR_EQUAL_TO",
        "GREATER_THAN",
        "GREATER_THAN_OR_EQUAL_TO",
        "BETWEEN",
    ];
    match kind {
        "id" | "reference" | "boolean" => &["EQUAL_TO"],
        "date" | "datetime" => ORDERED,
        "int" | "double" | "currency" | "percent" | "long" => &ORDERED[..6],
        "address" | "location" | "base64" => &[],
        _ => &["CONTAINS", "EQUAL_TO", "NOT_EQUAL_TO"],
    }
}

fn values(described: &Value, kind: &str) -> Vec<Value> {
    if kind == "boolean" {
        return vec![json!("true"), json!("false")];
    }
    described["picklistValues"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|v| v["active"].as_bool().unwrap_or(true))
        .map(|v| v["value"].clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_the_references_shape() {
        let reference: Value = serde_json::from_str(include_str!(
            "../../tests-data/response-describe-connector-entity.json"
        ))
        .expect("JSON");
        let id = with_nulls(
            "ConnectorEntityField",
            field(
                &json!({ "name": "Id", "label": "Account ID", "type": "id", "nillable": false,
                "createable": false, "updateable": false, "filterable": true }),
            ),
        );
        assert_eq!(id, reference["connectorEntityFields"][0]);
        let deleted = field(&json!({ "name": "IsDeleted", "label": "Deleted", "type": "boolean" }));
        assert_eq!(
            deleted["supportedFieldTypeDetails"],
            reference["connectorEntityFields"][2]["supportedFieldTypeDetails"]
        );
    }

    #[test]
    fn a_field_that_cannot_be_filtered_has_no_operators() {
        let made = field(&json!({ "name": "Notes", "type": "textarea", "filterable": false }));
        assert_eq!(
            made["supportedFieldTypeDetails"]["v1"]["filterOperators"],
            json!([])
        );
        assert_eq!(made["sourceProperties"]["isQueryable"], false);
    }
}

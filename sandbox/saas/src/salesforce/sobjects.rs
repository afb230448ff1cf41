//! `GET /services/data/{version}/sobjects` and `…/sobjects/{name}/describe`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::HeaderMap;
use serde_json::{Value, json};

use super::{
    API_VERSION, Salesforce,
    api::{self, ApiError},
    table::{Field, Kind, OBJECTS, Object, object},
};

/// The object list.
pub(super) async fn list(
    State(salesforce): State<Arc<Salesforce>>,
    Path(version): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    let large = salesforce.state().large.objects();
    let large = large.map(|(name, label)| summary(&name, &label, &label, "a00"));
    let objects: Vec<Value> = OBJECTS.iter().map(summary_of).chain(large).collect();
    let body = json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects });
    Ok(api::answer(body, &user))
}

/// One object and its fields.
pub(super) async fn describe(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    let mut body = if let Some(object) = object(&name) {
        let mut body = summary_of(object);
        body["fields"] = object.fields.iter().map(described).collect();
        body
    } else {
        let large = salesforce.state().large;
        let fields = large.fields(&name).ok_or_else(ApiError::not_found)?;
        let mut body = summary(&name, &name, &name, "a00");
        body["fields"] = fields.into();
        body
    };
    body["childRelationships"] = json!([]);
    body["recordTypeInfos"] = json!([]);
    Ok(api::answer(body, &user))
}

fn summary_of(object: &Object) -> Value {
    let mut summary = summary(object.name, object.label, object.plural, object.prefix);
    summary["custom"] = object.custom().into();
    summary
}

fn summary(name: &str, label: &str, plural: &str, prefix: &str) -> Value {
    let resource = format!("/services/data/{API_VERSION}/sobjects/{name}");
    json!({
        "name": name,
        "label": label,
        "labelPlural": plural,
        "keyPrefix": prefix,
        "custom": true,
        "customSetting": false,
        "createable": false,
        "updateable": false,
        "deletable": false,
        "queryable": true,
        "retrieveable": false,
        "replicateable": true,
        "searchable": false,
        "triggerable": false,
        "urls": { "describe": format!("{resource}/describe"), "sobject": resource },
    })
}

fn described(field: &Field) -> Value {
    let (precision, scale, digits) = match field.kind {
        Kind::Currency => (18, 2, 0),
        Kind::Int => (0, 0, 10),
        _ => (0, 0, 0),
    };
    json!({
        "name": field.name,
        "label": field.label,
        "type": field.kind.name(),
        "soapType": field.kind.soap(),
        "length": field.kind.length(),
        "byteLength": field.kind.length() * 3,
        "precision": precision,
        "scale": scale,
        "digits": digits,
        "nillable": field.nillable,
        "custom": field.name.ends_with("__c"),
        "nameField": field.name == "Name",
        "unique": field.kind == Kind::Id,
        "idLookup": field.kind == Kind::Id,
        "externalId": false,
        "filterable": true,
        "sortable": true,
        "groupable": !matches!(field.kind, Kind::Currency | Kind::Datetime),
        "createable": false,
        "updateable": false,
        "calculated": false,
        "autoNumber": false,
        "caseSensitive": false,
        "defaultedOnCreate": matches!(field.kind, Kind::Id | Kind::Boolean | Kind::Datetime),
        "restrictedPicklist": false,
        "picklistValues": [],
        "referenceTo": [],
        "relationshipName": null,
    })
}

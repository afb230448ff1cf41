//! `GET /services/data/{version}/sobjects` and `…/sobjects/{name}/describe`.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::HeaderMap;
use serde_json::{Value, json};

use super::{
    API_VERSION, Salesforce,
    api::{self, ApiError},
    table::{Access, Field, Kind, Object},
};

/// The object list.
pub(super) async fn list(
    State(salesforce): State<Arc<Salesforce>>,
    Path(version): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    salesforce
        .counters
        .object_lists
        .fetch_add(1, Ordering::SeqCst);
    let objects: Vec<Value> = salesforce
        .org()
        .objects()
        .iter()
        .map(|object| summary(object))
        .collect();
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
    salesforce.counters.describes.fetch_add(1, Ordering::SeqCst);
    let object = salesforce
        .org()
        .object(&name)
        .ok_or_else(ApiError::not_found)?;
    let mut body = summary(&object);
    let fields = object.fields.iter().filter(|f| f.is_there());
    body["fields"] = fields.map(described).collect();
    body["childRelationships"] = json!([]);
    body["recordTypeInfos"] = json!([]);
    Ok(api::answer(body, &user))
}

fn summary(object: &Object) -> Value {
    let resource = format!("/services/data/{API_VERSION}/sobjects/{}", object.name);
    json!({
        "name": object.name,
        "label": object.label,
        "labelPlural": object.plural,
        "keyPrefix": object.prefix,
        "custom": object.custom(),
        "customSetting": false,
        "createable": object.is_writable(),
        "updateable": object.is_writable(),
        "deletable": object.is_writable(),
        "queryable": !object.is_event(),
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
        "unique": field.kind == Kind::Id || field.access == Access::ExternalId,
        "idLookup": field.kind == Kind::Id || field.access == Access::ExternalId,
        "externalId": field.access == Access::ExternalId,
        "filterable": field.kind != Kind::Complex,
        "sortable": true,
        "groupable": !matches!(field.kind, Kind::Currency | Kind::Datetime | Kind::Complex),
        "createable": field.is_writable(),
        "updateable": field.is_writable(),
        "calculated": false,
        "autoNumber": false,
        "caseSensitive": false,
        "defaultedOnCreate": !field.is_writable()
            && matches!(field.kind, Kind::Id | Kind::Boolean | Kind::Datetime),
        "restrictedPicklist": false,
        "picklistValues": [],
        "referenceTo": [],
        "relationshipName": null,
    })
}

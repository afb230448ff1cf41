//! `GET /v1/connections/{id}/entities/{entity}`

use aws_sdk_appflow::types::ConnectorEntityField;
use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use tributary::{aws::Refusal, error::Error, http::Problem, id::ConnectionId};
use utoipa::ToSchema;

use super::{appflow, find};
use crate::{
    App,
    appflow::refused,
    edge::{Viewer, id_in_path, json},
};

/// An object of an application with its fields.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntityFields {
    /// Its name, as flows use it.
    name: String,
    /// Its fields.
    fields: Vec<Field>,
}

/// A field of an object.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Field {
    /// Its name, as flows use it.
    name: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// The connector's name of its type, as `fieldType`, `fromType` and `toType` use it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// AppFlow's operators with which it can be filtered.
    filter_operators: Vec<String>,
    /// The values that it can have, where they are a closed list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    /// Whether it can be written and left empty; absent where the application does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    nullable: Option<bool>,
    /// Whether it identifies a record.
    primary_key: bool,
    /// Whether it can be read.
    queryable: bool,
    /// Whether an incremental pull can go by it.
    timestamp_for_incremental: bool,
}

/// Lists the fields of an object.
#[utoipa::path(get, path = "/v1/connections/{id}/entities/{entity}", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    ("entity" = String, Path, description = "Name of the object", example = "City_Sales__c"),
), responses(
    (status = 200, body = EntityFields),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_entity(
    State(app): State<App>,
    viewer: Viewer,
    Path((id, entity)): Path<(String, String)>,
) -> Result<Response, Error> {
    let connection = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let client = appflow(&app, &connection).await?;
    let fields = describe(&client, &connection.profile_name, &entity).await?;
    let fields = fields.into_iter().map(Field::of).collect();
    json(
        StatusCode::OK,
        &EntityFields {
            name: entity,
            fields,
        },
    )
}

/// The fields of an object. One that the application does not have is not found.
pub(crate) async fn describe(
    client: &aws_sdk_appflow::Client,
    profile_name: &str,
    entity: &str,
) -> Result<Vec<ConnectorEntityField>, Error> {
    let answer = client
        .describe_connector_entity()
        .connector_profile_name(profile_name)
        .connector_entity_name(entity)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer.connector_entity_fields),
        Err(error) => {
            let refusal = Refusal::of(&error);
            // Of an object that is not there AppFlow may say what it says of an application that
            // fails; the list of objects tells the two apart.
            if refusal.is("ResourceNotFoundException")
                || (refusal.is("ConnectorServerException")
                    && is_unlisted(client, profile_name, entity).await)
            {
                return Err(Error::not_found());
            }
            Err(refused("DescribeConnectorEntity", refusal))
        }
    }
}

/// Whether the application lists its objects, and this one is not among them.
async fn is_unlisted(client: &aws_sdk_appflow::Client, profile_name: &str, entity: &str) -> bool {
    let mut next = None;
    loop {
        let answer = client
            .list_connector_entities()
            .connector_profile_name(profile_name)
            .set_next_token(next)
            .send()
            .await;
        let Ok(page) = answer else { return false };
        let mut listed = page.connector_entity_map.into_values().flatten();
        if listed.any(|known| known.name == entity) {
            return false;
        }
        next = page.next_token;
        if next.is_none() {
            return true;
        }
    }
}

impl Field {
    fn of(field: ConnectorEntityField) -> Self {
        let source = field.source_properties.as_ref();
        let destination = field.destination_properties.as_ref();
        let details = field
            .supported_field_type_details
            .and_then(|details| details.v1);
        let (kind, operators, values) = details.map_or((None, None, None), |details| {
            (
                Some(details.field_type),
                Some(details.filter_operators),
                details.supported_values,
            )
        });
        Self {
            name: field.identifier,
            label: field.label,
            kind,
            filter_operators: operators
                .unwrap_or_default()
                .iter()
                .map(|operator| operator.as_str().to_owned())
                .collect(),
            values: values.unwrap_or_default(),
            nullable: destination.map(|destination| destination.is_nullable),
            primary_key: field.is_primary_key,
            queryable: source.is_none_or(|source| source.is_queryable),
            timestamp_for_incremental: source
                .is_some_and(|source| source.is_timestamp_field_for_incremental_queries),
        }
    }
}

//! `GET /v1/connections/{id}/entities/{entity}`

use aws_sdk_appflow::types::ConnectorEntityField;
use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tributary::{
    aws::Refusal,
    error::Error,
    http::{List, ListQuery, Problem},
    id::ConnectionId,
    store::Page,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    ask::{Ask, aged, gathered, may_refresh, refused_query},
    discovery::Discovery,
    find,
};
use crate::{
    App, TenantApp,
    appflow::refused,
    compile::known::Field,
    edge::{Viewer, id_in_path, json},
};

/// Query parameters of an object.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntityQuery {
    /// At most so many fields, 1 to 100; all of them when neither this nor `cursor` is given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// Where the page of fields begins: `nextCursor` of the page before.
    cursor: Option<String>,
    /// Version of the application's API, where the connector has versions.
    #[param(example = "v3")]
    api_version: Option<String>,
    /// `true` asks the application again (editors only); otherwise answers may be an hour old.
    #[param(default = false)]
    refresh: Option<String>,
}

/// An object of an application with its fields.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntityFields {
    /// Its name, as flows use it.
    #[schema(example = "City_Sales__c")]
    name: String,
    /// The version of the application's API that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
    /// How many fields it has in all.
    field_count: usize,
    /// Its fields, in the application's order.
    fields: Vec<Field>,
    /// Pass it as `cursor` to read on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the fields of an object: types, filter operators, what can be written, examples. The name
/// may hold slashes, as such or percent-encoded. The header `Age` tells for how many seconds the
/// answer is known to us.
#[utoipa::path(get, path = "/v1/connections/{id}/entities/{entity}", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    ("entity" = String, Path, description = "Name of the object", example = "City_Sales__c"),
    EntityQuery,
), responses(
    (status = 200, body = EntityFields, headers(("age" = i64, description = "Seconds since the application was asked"))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_entity(
    State(app): State<App>,
    viewer: Viewer,
    Path((id, entity)): Path<(String, String)>,
    Ask(query): Ask<EntityQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    show(&app, &viewer, &id, entity, query).await
}

/// The same for a name whose slashes came as slashes.
pub(super) async fn get_entity_with_slashes(
    State(app): State<App>,
    viewer: Viewer,
    Path((id, first, rest)): Path<(String, String, String)>,
    Ask(query): Ask<EntityQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    show(&app, &viewer, &id, format!("{first}/{rest}"), query).await
}

async fn show(
    app: &TenantApp,
    viewer: &Viewer,
    id: &str,
    entity: String,
    query: EntityQuery,
) -> Result<Response, Error> {
    let mut faults = Vec::new();
    let refresh = gathered(&mut faults, may_refresh(query.refresh.as_deref(), viewer))?;
    let connection = find(app, viewer.tenant, id_in_path(id)?).await?;
    let discovery = gathered(
        &mut faults,
        Discovery::new(app, &connection, query.api_version),
    )?;
    let whole = query.limit.is_none() && query.cursor.is_none();
    let base = discovery
        .as_ref()
        .map(|discovery| discovery.list(None, None));
    let list = format!("{}/{entity}", base.unwrap_or_default());
    let page = ListQuery::new(query.limit, query.cursor).page(&app.sealer, viewer.tenant, &list);
    let page = gathered(&mut faults, page)?;
    let (Some(refresh), Some(discovery), Some(page), true) =
        (refresh, discovery, page, faults.is_empty())
    else {
        return Err(refused_query(faults));
    };
    // AppFlow has no names like these; its own refusal would be about the request's shape.
    if entity.len() > 1024 || entity.chars().any(char::is_whitespace) {
        return Err(Error::not_found());
    }
    if refresh {
        discovery.reset(None, Some(entity.clone())).await?;
    }
    let known = discovery.fields(&entity).await?;
    let all = &known.value;
    let start: usize = page.after.and_then(|after| after.parse().ok()).unwrap_or(0);
    let limit = if whole { all.len() } else { page.limit };
    let items: Vec<Field> = all.iter().skip(start).take(limit).cloned().collect();
    let end = start + items.len();
    let next = (end < all.len()).then(|| end.to_string());
    let paged = List::of(
        Page { items, next },
        &app.sealer,
        viewer.tenant,
        &list,
        |field| field,
    )?;
    let answer = EntityFields {
        name: entity,
        api_version: discovery.api_version().map(str::to_owned),
        field_count: all.len(),
        fields: paged.items,
        next_cursor: paged.next_cursor,
    };
    Ok(aged(json(StatusCode::OK, &answer)?, known.since))
}

/// The fields of an object, from AppFlow itself. One that the application does not have is not found.
pub(crate) async fn describe(
    client: &aws_sdk_appflow::Client,
    profile_name: &str,
    entity: &str,
) -> Result<Vec<ConnectorEntityField>, Error> {
    describe_version(client, profile_name, entity, None).await
}

/// Like [`describe`], in a version of the application's API.
pub(super) async fn describe_version(
    client: &aws_sdk_appflow::Client,
    profile_name: &str,
    entity: &str,
    api_version: Option<&str>,
) -> Result<Vec<ConnectorEntityField>, Error> {
    let answer = client
        .describe_connector_entity()
        .connector_profile_name(profile_name)
        .connector_entity_name(entity)
        .set_api_version(api_version.map(str::to_owned))
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer.connector_entity_fields),
        Err(error) => {
            let refusal = Refusal::of(&error);
            // Of an object that is not there AppFlow may say what it says of an application that
            // fails; the list of objects tells the two apart. Nested objects are not in that list.
            if refusal.is("ResourceNotFoundException")
                || (refusal.is("ConnectorServerException")
                    && !entity.contains('/')
                    && is_unlisted(client, profile_name, entity, api_version).await)
            {
                return Err(Error::not_found());
            }
            Err(refused("DescribeConnectorEntity", refusal))
        }
    }
}

/// Whether the application lists its objects, and this one is not among them.
async fn is_unlisted(
    client: &aws_sdk_appflow::Client,
    profile_name: &str,
    entity: &str,
    api_version: Option<&str>,
) -> bool {
    let mut next = None;
    loop {
        let answer = client
            .list_connector_entities()
            .connector_profile_name(profile_name)
            .set_api_version(api_version.map(str::to_owned))
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

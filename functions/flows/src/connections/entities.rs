//! `GET /v1/connections/{id}/entities`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Fault},
    http::{List, ListQuery, Problem},
    id::ConnectionId,
    store::Page,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    ask::{Ask, aged, gathered, may_refresh, refused_query},
    discovery::{Discovery, Object},
    find,
};
use crate::{
    App,
    edge::{Viewer, id_in_path, json},
};

/// Characters besides letters, digits and blanks in AppFlow's `entitiesPath`.
const PATH_MARKS: &str = "_/!@#+=,.-";

/// Query parameters of the list of objects.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntitiesQuery {
    /// At most so many items, 1 to 100; 20 when absent.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// Where the page begins: `nextCursor` of the page before.
    cursor: Option<String>,
    /// The object whose nested objects are meant; the application's own when absent.
    #[param(max_length = 256, example = "conversations")]
    path: Option<String>,
    /// Only objects with this text in their name or label, whatever its case.
    #[param(max_length = 128, example = "sales")]
    search: Option<String>,
    /// Version of the application's API, where the connector has versions.
    #[param(example = "v3")]
    api_version: Option<String>,
    /// `true` asks the application again (editors only); otherwise answers may be an hour old.
    #[param(default = false)]
    refresh: Option<String>,
}

/// An object of an application.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entity {
    /// Its name, as flows use it.
    #[schema(example = "City_Sales__c")]
    name: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "City Sales")]
    label: Option<String>,
    /// The application's group that it stands in.
    #[schema(example = "Objects")]
    group: String,
    /// Whether there are further objects below it: list them with `path` = its name.
    has_nested: bool,
}

/// Lists the objects of the application, as AppFlow knows them. The header `Age` tells for how many
/// seconds the answer is known to us.
#[utoipa::path(get, path = "/v1/connections/{id}/entities", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    EntitiesQuery,
), responses(
    (status = 200, body = List<Entity>, headers(("age" = i64, description = "Seconds since the application was asked"))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_entities(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Ask(query): Ask<EntitiesQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let mut faults = faults(&query);
    let refresh = gathered(&mut faults, may_refresh(query.refresh.as_deref(), &viewer))?;
    let connection = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let discovery = gathered(
        &mut faults,
        Discovery::new(&app, &connection, query.api_version),
    )?;
    let list = discovery
        .as_ref()
        .map(|discovery| discovery.list(query.path.as_deref(), query.search.as_deref()));
    let page = ListQuery::new(query.limit, query.cursor).page(
        &app.sealer,
        viewer.tenant,
        list.as_deref().unwrap_or_default(),
    );
    let page = gathered(&mut faults, page)?;
    let (Some(refresh), Some(discovery), Some(list), Some(page), true) =
        (refresh, discovery, list, page, faults.is_empty())
    else {
        return Err(refused_query(faults));
    };
    if refresh {
        discovery.reset(query.path.clone(), None).await?;
    }
    let (found, since) = if let Some(search) = &query.search {
        let known = discovery.all(query.path).await?;
        (
            matching(
                &known.value.items,
                search,
                page.limit,
                page.after.as_deref(),
            ),
            known.since,
        )
    } else {
        let known = discovery.page(query.path, page.limit, page.after).await?;
        let next = known.value.next.clone();
        (
            Page {
                items: known.value.items.clone(),
                next,
            },
            known.since,
        )
    };
    let list = List::of(found, &app.sealer, viewer.tenant, &list, Entity::of)?;
    Ok(aged(json(StatusCode::OK, &list)?, since))
}

impl Entity {
    fn of(object: Object) -> Self {
        let Object {
            name,
            label,
            group,
            has_nested,
        } = object;
        Self {
            name,
            label,
            group,
            has_nested,
        }
    }
}

fn faults(query: &EntitiesQuery) -> Vec<Fault> {
    let mut faults = Vec::new();
    let sound = |path: &str| {
        let mark = |c: char| c.is_ascii_alphanumeric() || c == ' ' || PATH_MARKS.contains(c);
        (1..=256).contains(&path.len()) && path.chars().all(mark)
    };
    if query.path.as_deref().is_some_and(|path| !sound(path)) {
        let detail = format!("1 to 256 letters, digits, blanks and {PATH_MARKS}");
        faults.push(Fault::new("query:path", "malformed", detail));
    }
    let length = query.search.as_ref().map(|search| search.chars().count());
    if length.is_some_and(|length| !(1..=128).contains(&length)) {
        faults.push(Fault::new(
            "query:search",
            "malformed",
            "1 to 128 characters.",
        ));
    }
    faults
}

/// A page of the objects that are searched for, after a name.
fn matching(all: &[Object], search: &str, limit: usize, after: Option<&str>) -> Page<Object> {
    let wanted = search.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    let mut found = all
        .iter()
        .filter(|object| has(&object.name) || object.label.as_deref().is_some_and(has))
        .filter(|object| after.is_none_or(|after| object.name.as_str() > after))
        .peekable();
    let items: Vec<Object> = found.by_ref().take(limit).cloned().collect();
    let more = found.peek().is_some();
    let next = items
        .last()
        .filter(|_| more)
        .map(|object| object.name.clone());
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, label: &str) -> Object {
        Object {
            name: name.to_owned(),
            label: Some(label.to_owned()),
            group: "Objects".to_owned(),
            has_nested: false,
        }
    }

    #[test]
    fn f12_a_search_pages_through_names_and_labels() {
        let all = [
            object("A__c", "City Sales"),
            object("B", "Other"),
            object("City", "C"),
            object("D", "velocity"),
        ];
        let names = |page: &Page<Object>| {
            page.items
                .iter()
                .map(|o| o.name.clone())
                .collect::<Vec<_>>()
        };
        let first = matching(&all, "CITY", 2, None);
        assert_eq!(
            (names(&first), first.next.as_deref()),
            (vec!["A__c".to_owned(), "City".to_owned()], Some("City"))
        );
        let second = matching(&all, "CITY", 2, Some("City"));
        assert_eq!((names(&second), second.next), (vec!["D".to_owned()], None));
    }

    #[test]
    fn every_unsound_parameter_is_named() {
        let query = EntitiesQuery {
            path: Some("a\nb".to_owned()),
            search: Some(String::new()),
            ..EntitiesQuery::default()
        };
        let pointers: Vec<String> = faults(&query)
            .into_iter()
            .map(|fault| fault.pointer)
            .collect();
        assert_eq!(pointers, ["query:path", "query:search"]);
    }
}

//! `GET /v1/events`

use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Fault},
    http::{List, ListQuery, Problem},
    outbox::EventPointer,
    store::{Key, Page, PageRequest},
    subscription::EventType,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    App, TenantApp,
    edge::{Typed, Viewer, json},
};

/// Pages of the table that one request reads at most, however few of their events are wanted.
const MOST_PAGES: usize = 20;
/// The latest time that keys have room for, in milliseconds.
const LATEST: i64 = 999_999_999_999_999;

/// Which events are wanted; all members must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventFilter {
    /// Only what happened at this time or later, to the millisecond.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only what happened before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Only events of this type.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<EventType>,
    #[param(ignore)]
    limit: Option<String>,
    #[param(ignore)]
    cursor: Option<String>,
}

/// What an event is and when it happened; `GET /v1/events/{id}` says what there is to say.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventSummary {
    /// The event's id.
    #[schema(example = "5b8f64fd-4f0e-5c07-9c0e-0c2f6f1d3a52")]
    id: String,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "tributary.run.completed")]
    kind: String,
    /// Id of what it is about.
    #[schema(example = "run_019364c0a1b27cc3a4d5e6f708192a3b")]
    subject: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Where it is among the events about its subject: texts of later ones are greater.
    #[schema(example = "00000000000000000020")]
    sequence: String,
}

impl EventSummary {
    fn of(pointer: EventPointer) -> Self {
        let EventPointer {
            event_id: id,
            event_type: kind,
            subject,
            time,
            sequence,
            expires_at: _,
        } = pointer;
        Self {
            id,
            kind,
            subject,
            time,
            sequence,
        }
    }
}

/// Lists what the tenant was told in the last thirty days, newest first.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(ListQuery, EventFilter), responses(
    (status = 200, body = List<EventSummary>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_events(
    State(app): State<App>,
    viewer: Viewer,
    Typed(filter): Typed<EventFilter>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let range = filter.range()?;
    // A cursor is good for the range that it came from: the table knows no place outside of it.
    let name = format!("events/{}/{}", range.0, range.1);
    let query = ListQuery::new(filter.limit, filter.cursor);
    let page = query.page(&app.sealer, viewer.tenant, &name)?;
    let partition = Key::events_partition(viewer.tenant);
    let found = wanted(&app, &partition, &range, page, filter.kind).await?;
    let list = List::of(found, &app.sealer, viewer.tenant, &name, EventSummary::of)?;
    json(StatusCode::OK, &list)
}

impl EventFilter {
    /// The first sort key that is wanted, and the first after those that are.
    fn range(&self) -> Result<(String, String), Error> {
        let millis = |at: Timestamp| at.as_millisecond().clamp(0, LATEST);
        let (from, to) = (self.from.map_or(0, millis), self.to.map_or(LATEST, millis));
        if from > to {
            return Err(Error::malformed(
                "malformed_query",
                "The query string cannot be read.",
                vec![Fault::new(
                    "query:to",
                    "out_of_range",
                    "to is not before from.",
                )],
            ));
        }
        let key = |at: i64| format!("{}{at:015}", EventPointer::PREFIX);
        Ok((key(from), key(to)))
    }
}

/// A page of the events that are wanted; it may be short of some although there are more.
async fn wanted(
    app: &TenantApp,
    partition: &str,
    (from, to): &(String, String),
    mut page: PageRequest,
    kind: Option<EventType>,
) -> Result<Page<EventPointer>, Error> {
    let (limit, now) = (page.limit, Timestamp::now().as_second());
    let mut items = Vec::new();
    for _ in 0..MOST_PAGES {
        // Never more than still fit, so that the table's own place is where the next page begins.
        page.limit = limit - items.len();
        let found: Page<EventPointer> = app
            .store
            .query_between(partition, (from, to), &page)
            .await?;
        // The table forgets later than it says.
        items.extend(found.items.into_iter().filter(|pointer| {
            now < pointer.expires_at && kind.is_none_or(|kind| pointer.event_type == kind.as_str())
        }));
        page.after = found.next;
        if page.after.is_none() || items.len() >= limit {
            break;
        }
    }
    Ok(Page {
        items,
        next: page.after,
    })
}

#[cfg(test)]
mod tests {
    use tributary::id::TenantId;

    use super::*;

    #[test]
    fn a_range_has_its_beginning_and_not_its_end() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let filter = EventFilter {
            from: Some(at("2026-11-20T10:00:00Z")),
            to: Some(at("2026-11-20T11:00:00Z")),
            ..EventFilter::default()
        };
        let (from, to) = filter.range().unwrap();
        let has = |text: &str| {
            let sk = Key::event_at(TenantId::new(), at(text), "0").sk;
            from <= sk && sk <= to
        };
        assert!(has("2026-11-20T10:00:00Z") && has("2026-11-20T10:59:59.999Z"));
        assert!(!has("2026-11-20T09:59:59.999Z") && !has("2026-11-20T11:00:00Z"));
        let all = EventFilter::default().range().unwrap();
        let sk = Key::event_at(TenantId::new(), at("9999-01-01T00:00:00Z"), "0").sk;
        assert!(all.0 <= sk && sk <= all.1);
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let filter = EventFilter {
            from: Some("2026-11-20T11:00:00Z".parse().unwrap()),
            to: Some("2026-11-20T10:00:00Z".parse().unwrap()),
            ..EventFilter::default()
        };
        assert_eq!(filter.range().unwrap_err().code(), "malformed_query");
    }
}

//! Queries as callers see them.

use serde::Serialize;
use serde_json::Value;
use tributary::{error::Error, seal::Sealer};
use utoipa::ToSchema;

use crate::{
    query_id::{self, Place},
    session::User,
    warehouse::{Column, FailureCode, Page, Progress, State},
};

/// When to ask again about a query that runs, in milliseconds.
const ASK_AGAIN: u32 = 1000;

/// A query, and rows where there are some.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(Clone, PartialEq))]
pub struct Query {
    /// Its id, readable by its own user only.
    #[schema(example = "qry_Zm9vYmFy")]
    pub id: String,
    /// How far it is.
    pub state: State,
    /// Rows of the whole result, when it is finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<QueryFailure>,
    /// When to ask again, while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// The columns of the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<Column>>,
    /// Rows; 64-bit integers and decimals are texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Vec<Value>>>)]
    pub rows: Option<Vec<Vec<Value>>>,
    /// Pass it as `cursor` to `/results` to read on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Why a query failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueryFailure {
    /// Stable code.
    pub code: FailureCode,
    /// What it means.
    pub detail: String,
    /// Quote this when asking for support.
    pub correlation_id: String,
}

impl QueryFailure {
    /// What is told of a failure.
    pub(super) fn of(code: FailureCode, request_id: &str) -> Self {
        Self {
            code,
            detail: code.detail().to_owned(),
            correlation_id: request_id.to_owned(),
        }
    }
}

impl Query {
    /// A query without rows.
    pub(super) fn of(id: String, progress: &Progress, request_id: &str) -> Self {
        Self {
            id,
            state: progress.state,
            row_count: progress.row_count,
            error: progress
                .failure
                .map(|code| QueryFailure::of(code, request_id)),
            retry_after_ms: (progress.state == State::Running).then_some(ASK_AGAIN),
            columns: None,
            rows: None,
            next_cursor: None,
        }
    }

    /// The query with a page of its rows. `token` is the Data API's token of the page.
    pub(super) fn with_page(
        mut self,
        page: Page,
        token: Option<String>,
        sealer: &Sealer,
        user: &User,
        statement: &str,
    ) -> Result<Self, Error> {
        let next = Place { token, skip: 0 }.next(page.cut_at, page.next_token);
        self.next_cursor = match next {
            Some(place) => Some(query_id::seal_place(sealer, user, statement, &place)?),
            None => None,
        };
        self.row_count = Some(page.total);
        self.columns = Some(page.columns);
        self.rows = Some(page.rows);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use tributary::{id::TenantId, secret::Secret};

    use super::*;

    fn progress(state: State) -> Progress {
        Progress {
            statement: "statement-1".to_owned(),
            state,
            has_rows: false,
            row_count: None,
            failure: (state == State::Failed).then_some(FailureCode::ForbiddenData),
        }
    }

    #[test]
    fn a_failed_query_has_a_code_and_no_text_of_the_warehouse() {
        let query = Query::of("qry_x".to_owned(), &progress(State::Failed), "r-1");
        assert_eq!(
            serde_json::to_value(query).unwrap(),
            serde_json::json!({
                "id": "qry_x",
                "state": "failed",
                "error": {
                    "code": "forbidden_data",
                    "detail": "You may not do this with these data.",
                    "correlationId": "r-1",
                },
            })
        );
    }

    #[test]
    fn a_cut_page_leads_to_its_rest_and_a_whole_one_to_the_next() {
        let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
        let user = User {
            tenant: TenantId::new(),
            issuer: "https://idp.example".to_owned(),
            subject: "ann".to_owned(),
            login: String::new(),
        };
        let place = |cut_at, next_token: Option<&str>| {
            let page = Page {
                columns: Vec::new(),
                rows: Vec::new(),
                total: 9,
                cut_at,
                next_token: next_token.map(str::to_owned),
            };
            let query = Query::of("qry_x".to_owned(), &progress(State::Finished), "r-1")
                .with_page(page, Some("here".to_owned()), &sealer, &user, "statement-1")
                .unwrap();
            query.next_cursor.map(|cursor| {
                let place = query_id::open_place(&sealer, &user, "statement-1", &cursor).unwrap();
                (place.token.unwrap(), place.skip)
            })
        };
        assert_eq!(place(Some(5), Some("next")), Some(("here".to_owned(), 5)));
        assert_eq!(place(None, Some("next")), Some(("next".to_owned(), 0)));
        assert_eq!(place(None, None), None);
    }
}

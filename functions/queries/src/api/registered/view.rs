//! Registered queries as callers see them.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::Error,
    http::etag,
    query::{Parameter, Purpose, QueryDefinition, QueryName},
};
use utoipa::ToSchema;

use crate::registered::Listed;

/// A registered query.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(PartialEq))]
pub struct RegisteredQueryView {
    /// Its name, by which it is run.
    #[schema(value_type = QueryName)]
    pub name: String,
    /// Whether every tenant has it. Such a query cannot be changed.
    #[schema(example = false)]
    pub built_in: bool,
    /// What it is for.
    pub purpose: Purpose,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Total sales by city")]
    pub title: Option<String>,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Cities with their sales, largest first")]
    pub description: Option<String>,
    /// The statement; not in lists, and for editors and admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "SELECT city, amount FROM public.city_sales WHERE country = :country")]
    pub sql: Option<String>,
    /// The parameters that it takes.
    pub parameters: Vec<Parameter>,
    /// Names of the parameters that must be given.
    #[schema(example = json!(["country"]))]
    pub required: Vec<String>,
    /// Counts its definitions; none for a built-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub version: Option<u64>,
    /// When it was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-20T10:15:04Z")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-20T10:15:04Z")]
    pub updated_at: Option<Timestamp>,
}

/// Whether the statement itself is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sql {
    /// The caller may read it.
    Shown,
    /// The caller may not, or did not ask for it.
    Hidden,
}

impl RegisteredQueryView {
    /// A query as it is shown.
    pub(super) fn of(query: &Listed, sql: Sql) -> Self {
        let QueryDefinition {
            purpose,
            title,
            description,
            sql: statement,
            parameters,
        } = query.definition();
        let own = match query {
            Listed::BuiltIn(_) => None,
            Listed::Own(own) => Some(own),
        };
        let needed = parameters.iter().filter(|p| p.default.is_none());
        let required = match own {
            // Conditions of the vendor's stand and fall with their parameter.
            None => Vec::new(),
            Some(_) => needed.map(|parameter| parameter.name.clone()).collect(),
        };
        Self {
            name: query.name().to_owned(),
            built_in: own.is_none(),
            purpose,
            title,
            description,
            sql: (sql == Sql::Shown).then_some(statement),
            parameters,
            required,
            version: own.map(|own| own.version),
            created_at: own.map(|own| own.created_at),
            updated_at: own.map(|own| own.updated_at),
        }
    }

    /// An answer with the entity tag.
    pub(super) fn tagged(self, status: StatusCode) -> Result<Response, Error> {
        let tag = self.version.map(etag);
        let mut response = (status, axum::Json(self)).into_response();
        if let Some(tag) = tag {
            let tag = HeaderValue::from_str(&tag).map_err(|error| {
                Error::internal("etag", "a tag is no header").with_source(error)
            })?;
            response.headers_mut().insert(header::ETAG, tag);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::built_in;

    #[test]
    fn viewers_see_what_to_give_and_no_sql() {
        let query = Listed::BuiltIn(built_in("total-sales-by-city").unwrap());
        let hidden = RegisteredQueryView::of(&query, Sql::Hidden);
        assert_eq!(hidden.sql, None);
        assert!(hidden.required.is_empty(), "{hidden:?}");
        assert_eq!(hidden.parameters[0].name, "minimum");
        let shown = RegisteredQueryView::of(&query, Sql::Shown);
        assert!(shown.sql.unwrap().starts_with("SELECT city"));
    }
}

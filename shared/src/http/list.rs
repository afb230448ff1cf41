//! Lists: `limit`, an opaque `cursor`, and one shape of answer.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    error::{Error, Fault},
    id::TenantId,
    seal::Sealer,
    store::{Page, PageRequest},
};

/// Query parameters of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// At most so many items, 1 to 100; 20 when absent.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// Where the page begins: `nextCursor` of the page before.
    cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass it as `cursor` to read on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl ListQuery {
    /// For lists whose query strings have further parameters.
    pub const fn new(limit: Option<String>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// The page that is meant. A cursor opens for the tenant and the list it was made for only.
    pub fn page(
        &self,
        sealer: &Sealer,
        tenant: TenantId,
        list: &str,
    ) -> Result<PageRequest, Error> {
        self.page_for(sealer, &tenant.to_string(), list)
    }

    /// Like [`ListQuery::page`], for a list that belongs to no tenant (the operator's).
    pub fn page_for(&self, sealer: &Sealer, owner: &str, list: &str) -> Result<PageRequest, Error> {
        let mut faults = Vec::new();
        let limit = match self.limit.as_deref().map(str::parse::<usize>) {
            None => 20,
            Some(Ok(limit)) if (1..=100).contains(&limit) => limit,
            Some(_) => {
                faults.push(Fault::new(
                    "query:limit",
                    "out_of_range",
                    "limit is a whole number from 1 to 100.",
                ));
                20
            }
        };
        let after = match self
            .cursor
            .as_deref()
            .map(|cursor| sealer.open::<String>(&["cursor", owner, list], cursor))
        {
            None => None,
            Some(Ok(after)) => Some(after),
            Some(Err(_)) => {
                faults.push(Fault::new(
                    "query:cursor",
                    "invalid_cursor",
                    "This cursor does not belong to this list.",
                ));
                None
            }
        };
        if faults.is_empty() {
            return Ok(PageRequest {
                limit,
                after,
                newest_first: true,
            });
        }
        Err(Error::malformed(
            "malformed_query",
            "The query string cannot be read.",
            faults,
        ))
    }
}

impl<T> List<T> {
    /// The answer for a page of items.
    pub fn of<I>(
        page: Page<I>,
        sealer: &Sealer,
        tenant: TenantId,
        list: &str,
        show: impl Fn(I) -> T,
    ) -> Result<Self, Error> {
        Self::of_owner(page, sealer, &tenant.to_string(), list, show)
    }

    /// Like [`List::of`], for a list that belongs to no tenant.
    pub fn of_owner<I>(
        page: Page<I>,
        sealer: &Sealer,
        owner: &str,
        list: &str,
        show: impl Fn(I) -> T,
    ) -> Result<Self, Error> {
        let next_cursor = page
            .next
            .map(|next| sealer.seal(&["cursor", owner, list], &next))
            .transpose()
            .map_err(|error| {
                Error::internal("cursor_failed", "a cursor could not be sealed").with_source(error)
            })?;
        Ok(Self {
            items: page.items.into_iter().map(show).collect(),
            next_cursor,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn i6_a_cursor_of_another_tenant_or_list_is_refused() {
        let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
        let (ours, theirs) = (TenantId::new(), TenantId::new());
        let page = Page {
            items: vec![1],
            next: Some("FLOW#x".to_owned()),
        };
        let list = List::of(page, &sealer, theirs, "flows", |i| i).unwrap();
        let query = ListQuery {
            limit: None,
            cursor: list.next_cursor,
        };
        assert_eq!(
            query
                .page(&sealer, theirs, "flows")
                .unwrap()
                .after
                .as_deref(),
            Some("FLOW#x")
        );
        assert!(query.page(&sealer, ours, "flows").is_err());
        assert!(query.page(&sealer, theirs, "runs").is_err());
    }

    #[test]
    fn limits_outside_one_to_a_hundred_are_refused() {
        let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
        for limit in ["0", "101", "-1", "ten", ""] {
            let query = ListQuery {
                limit: Some(limit.to_owned()),
                cursor: None,
            };
            assert_eq!(
                query
                    .page(&sealer, TenantId::new(), "flows")
                    .unwrap_err()
                    .code(),
                "malformed_query"
            );
        }
    }
}

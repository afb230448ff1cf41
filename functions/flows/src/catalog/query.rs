//! Query strings of the catalogue.

use serde::Deserialize;
use tributary::{
    error::{Error, Fault},
    http::ListQuery,
    id::{AccountId, TenantId},
    store::PageRequest,
};
use utoipa::IntoParams;

use crate::{
    TenantApp,
    connections::ask::{gathered, refused_query},
};

/// Query parameters of one thing of a catalogue.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PlaceQuery {
    /// The account whose catalogue is meant.
    #[param(value_type = AccountId, required)]
    pub(super) account_id: Option<String>,
}

/// Query parameters of a list of a catalogue.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CatalogQuery {
    /// The account whose catalogue is meant.
    #[param(value_type = AccountId, required)]
    account_id: Option<String>,
    /// At most so many items, 1 to 100; 20 when absent. A page may have fewer and not be the last.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// Where the page begins: `nextCursor` of the page before.
    cursor: Option<String>,
    /// Only those with this text in their name, whatever its case.
    #[param(max_length = 128, example = "sales")]
    search: Option<String>,
}

/// What is asked of a list.
pub(super) struct Asked {
    pub(super) account_id: String,
    pub(super) page: PageRequest,
    /// In lower case.
    pub(super) search: String,
    /// The list that cursors are bound to.
    pub(super) list: String,
}

impl CatalogQuery {
    /// Reads everything at once. `list` names the list within an account.
    pub(super) fn read(
        self,
        app: &TenantApp,
        tenant: TenantId,
        list: &str,
    ) -> Result<Asked, Error> {
        let mut faults = Vec::new();
        let account_id = account(self.account_id, &mut faults);
        let search = self.search.map(|search| search.to_lowercase());
        let length = search.as_ref().map(|search| search.chars().count());
        if length.is_some_and(|length| !(1..=128).contains(&length)) {
            faults.push(Fault::new(
                "query:search",
                "malformed",
                "1 to 128 characters.",
            ));
        }
        let search = search.unwrap_or_default();
        let list = format!("catalog/{account_id}/{list}?{search}");
        let page = ListQuery::new(self.limit, self.cursor).page(&app.sealer, tenant, &list);
        let (Some(page), true) = (gathered(&mut faults, page)?, faults.is_empty()) else {
            return Err(refused_query(faults));
        };
        Ok(Asked {
            account_id,
            page,
            search,
            list,
        })
    }
}

impl PlaceQuery {
    /// The account that is meant, unverified.
    pub(super) fn read(self) -> Result<String, Error> {
        let mut faults = Vec::new();
        let id = account(self.account_id, &mut faults);
        if faults.is_empty() {
            return Ok(id);
        }
        Err(refused_query(faults))
    }
}

fn account(given: Option<String>, faults: &mut Vec<Fault>) -> String {
    given.unwrap_or_else(|| {
        let detail = "Whose catalogue is meant?";
        faults.push(Fault::new("query:accountId", "required", detail));
        String::new()
    })
}

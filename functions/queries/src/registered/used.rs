//! Which flows run a query after their runs.

use serde::Deserialize;
use tributary::{
    error::{Error, Fault, Kind},
    id::FlowId,
    query::{Purpose, QueryName, RegisteredQuery},
    store::{Key, PageRequest},
    tenancy::TenantScope,
};

/// What a flow's item says of the statement after its runs.
#[derive(Debug, Deserialize)]
struct FlowItem {
    id: FlowId,
    #[serde(default)]
    after_run: Option<AfterRun>,
}

#[derive(Debug, Deserialize)]
struct AfterRun {
    query: QueryName,
}

/// Refuses while flows run the query after their runs. A flow that begins to at this very moment
/// finds the query gone when its run ends, and its history says so.
pub(crate) async fn unused(scope: &TenantScope, query: &RegisteredQuery) -> Result<(), Error> {
    if query.definition.purpose != Purpose::AfterRun {
        return Ok(());
    }
    let partition = Key::tenant_partition(scope.tenant());
    let mut request = PageRequest::first(100);
    let mut users = Vec::new();
    loop {
        let page = scope
            .store()
            .query::<FlowItem>(&partition, "FLOW#", &request)
            .await?;
        users.extend(page.items.into_iter().filter(|flow| {
            let named = flow.after_run.as_ref();
            named.is_some_and(|after| after.query == query.name)
        }));
        match page.next {
            Some(next) => request.after = Some(next),
            None => break,
        }
    }
    if users.is_empty() {
        return Ok(());
    }
    let faults = users.iter().map(|flow| {
        Fault::new(
            format!("/flows/{}", flow.id),
            "in_use",
            "This flow runs it after its runs.",
        )
    });
    Err(Error::new(
        Kind::Conflict,
        "in_use",
        "Flows run this query after their runs. Change them first.",
    )
    .with_faults(faults.collect()))
}

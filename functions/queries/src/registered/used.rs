//! Which flows run a query after their runs.

use serde::Deserialize;
use tributary::{
    error::{Error, Fault, Kind},
    id::FlowId,
    query::{Purpose, QueryName, RegisteredQuery},
    run::AfterRun,
    store::{Key, PageRequest},
    tenancy::TenantScope,
};

/// What a flow's item says of the statement after its runs.
#[derive(Debug, Deserialize)]
struct FlowItem {
    id: FlowId,
    /// JSON text.
    #[serde(default)]
    after_run: Option<String>,
}

impl FlowItem {
    /// A text that cannot be read names nothing: a flow that is broken in this way keeps nobody from
    /// deleting a query.
    fn runs(&self, query: &QueryName) -> bool {
        let text = self.after_run.as_deref();
        let after = text.and_then(|text| serde_json::from_str::<AfterRun>(text).ok());
        after.is_some_and(|after| after.query == *query)
    }
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
        let here = page.items.into_iter();
        users.extend(here.filter(|flow| flow.runs(&query.name)));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flow_uses_the_query_that_it_names_and_no_other() {
        let flow = |after: Option<&str>| -> FlowItem {
            let id = FlowId::new();
            serde_json::from_value(json!({ "id": id, "after_run": after, "name": "x" })).unwrap()
        };
        let load = "load".parse().unwrap();
        let named = r#"{"query":"load","parameters":{"country":"Peru"}}"#;
        assert!(flow(Some(named)).runs(&load));
        for other in [None, Some(r#"{"query":"load-all"}"#), Some("load")] {
            assert!(!flow(other).runs(&load), "{other:?}");
        }
    }
}

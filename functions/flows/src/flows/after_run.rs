//! What a flow does after its runs: a registered query of the tenant, with values that fit it.

pub(super) mod view;

use std::collections::BTreeMap;

use tributary::{
    error::{Error, Fault},
    id::TenantId,
    query::{Purpose, QueryDefinition, RUN_PARAMETERS, RegisteredQuery, bind},
    run::AfterRun,
    store::Key,
};

use crate::{TenantApp, model::FlowDefinition};

/// What is wrong with what a flow does after its runs, by today's registered queries.
pub(super) async fn faults(
    app: &TenantApp,
    tenant: TenantId,
    definition: &FlowDefinition,
) -> Result<Vec<Fault>, Error> {
    let Some(after_run) = &definition.after_run else {
        return Ok(Vec::new());
    };
    let key = Key::registered_query(tenant, &after_run.query);
    let registered: Option<RegisteredQuery> = app.store.get(&key).await?;
    let query = registered.map(|query| query.definition);
    Ok(check(after_run, query.as_ref()))
}

fn check(after_run: &AfterRun, query: Option<&QueryDefinition>) -> Vec<Fault> {
    let fault = |code, detail| vec![Fault::new("/afterRun/query", code, detail)];
    let Some(query) = query else {
        return fault("unknown_query", "There is no such registered query.");
    };
    if query.purpose != Purpose::AfterRun {
        return fault(
            "wrong_purpose",
            "This registered query is for people. One whose purpose is afterRun is needed.",
        );
    }
    // What a run fills in is not known yet, and always fits.
    let filled: BTreeMap<String, String> = RUN_PARAMETERS
        .map(|name| (name.to_owned(), name.to_owned()))
        .into();
    let bound = bind(
        query,
        &after_run.parameters,
        &filled,
        "/afterRun/parameters",
    );
    bound.err().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn found(parameters: &Value, query: Option<&Value>) -> Vec<(String, String)> {
        let after_run = json!({ "query": "load", "parameters": parameters });
        let after_run: AfterRun = serde_json::from_value(after_run).unwrap();
        let query: Option<QueryDefinition> =
            query.map(|query| serde_json::from_value(query.clone()).unwrap());
        let faults = check(&after_run, query.as_ref());
        faults.into_iter().map(|f| (f.pointer, f.code)).collect()
    }

    fn one(pointer: &str, code: &str) -> Vec<(String, String)> {
        vec![(pointer.to_owned(), code.to_owned())]
    }

    #[test]
    fn the_query_is_there_is_for_this_and_its_parameters_fit() {
        let load = json!({
            "purpose": "afterRun", "sql": "CALL load(:country, :run_id)",
            "parameters": [{ "name": "country", "type": "text" }],
        });
        assert_eq!(found(&json!({ "country": "Germany" }), Some(&load)), []);
        assert_eq!(
            found(&json!({}), None),
            one("/afterRun/query", "unknown_query")
        );
        let people = json!({ "purpose": "query", "sql": "SELECT 1" });
        assert_eq!(
            found(&json!({}), Some(&people)),
            one("/afterRun/query", "wrong_purpose")
        );
        assert_eq!(
            found(&json!({}), Some(&load)),
            one("/afterRun/parameters/country", "missing_parameter")
        );
        assert_eq!(
            found(&json!({ "country": 7 }), Some(&load)),
            one("/afterRun/parameters/country", "wrong_type")
        );
    }

    #[test]
    fn what_the_run_fills_in_cannot_be_given() {
        let load = json!({ "purpose": "afterRun", "sql": "CALL load(:run_id)" });
        assert_eq!(
            found(&json!({ "run_id": "run_1" }), Some(&load)),
            one("/afterRun/parameters/run_id", "unused_parameter")
        );
    }
}

//! What a run that completes is to do in the warehouse: looked up before, decided with the run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    error::Error,
    query::{ParameterKind, Purpose, RUN_PARAMETERS, RegisteredQuery, bind, foreign_sources},
    run::{AfterRun, AfterRunCode, AfterRunProgress, AfterRunState, KeptAfterRun, Run, SkipReason},
    store::Key,
    tenancy::TenantState,
};

use crate::{TenantEvents, owner::RunOwner};

/// What the flow wants after a run, and what that needs, as it stands when the run completes.
#[derive(Debug)]
pub(crate) struct Plan {
    after_run: AfterRun,
    registered: Option<RegisteredQuery>,
    is_active: bool,
}

/// What is needed of a flow's item.
#[derive(Debug, Deserialize)]
struct FlowWish {
    #[serde(default)]
    after_run: Option<KeptAfterRun>,
}

impl TenantEvents<'_> {
    /// Looks up what a flow wants after its runs; nothing if it wants nothing, or is gone.
    pub(crate) async fn plan(&self, owner: &RunOwner) -> Result<Option<Plan>, Error> {
        let key = Key::flow(owner.tenant_id, owner.flow_id);
        let wish: Option<FlowWish> = self.store.get(&key).await?;
        let Some(KeptAfterRun(after_run)) = wish.and_then(|wish| wish.after_run) else {
            return Ok(None);
        };
        let key = Key::registered_query(owner.tenant_id, &after_run.query);
        Ok(Some(Plan {
            registered: self.store.get(&key).await?,
            is_active: self.is_active().await?,
            after_run,
        }))
    }

    /// Whether anything may run for the tenant.
    pub(crate) async fn is_active(&self) -> Result<bool, Error> {
        let standing = TenantState::of(&self.shared, self.tenant).await?;
        Ok(standing == Some(TenantState::Active))
    }
}

impl Plan {
    /// How the statement of this run begins.
    pub(crate) fn begin(&self, run: &Run, now: Timestamp) -> AfterRunProgress {
        AfterRunProgress {
            query: self.after_run.query.clone(),
            version: self.registered.as_ref().map(|query| query.version),
            step: 0,
            state: self.state(run, now),
        }
    }

    fn state(&self, run: &Run, now: Timestamp) -> AfterRunState {
        if !self.is_active {
            return AfterRunState::Skipped {
                reason: SkipReason::TenantSuspended,
                ended_at: now,
            };
        }
        let failed = |code| AfterRunState::Failed {
            code,
            statement: None,
            started_at: None,
            ended_at: now,
        };
        let registered = self.registered.as_ref();
        let Some(query) = registered.filter(|q| q.definition.purpose == Purpose::AfterRun) else {
            return failed(AfterRunCode::QueryGone);
        };
        // The role that loads reads the folders of all tenants. It was asked when the query was
        // registered; this is for one that was registered before the rule.
        if !foreign_sources(&query.definition.sql, run.tenant_id).is_empty() {
            return failed(AfterRunCode::QueryRejected);
        }
        let given = &self.after_run.parameters;
        match bind(&query.definition, given, &filled(run), "/parameters") {
            Ok(bound) => AfterRunState::Pending {
                prepared: bound.into(),
            },
            Err(_) => failed(AfterRunCode::InvalidParameters),
        }
    }
}

/// The values that are ours. A run whose start nobody told began when we learned of it.
fn filled(run: &Run) -> BTreeMap<String, String> {
    let started_at = run.started_at.unwrap_or(run.created_at);
    let ended_at = run.ended_at.unwrap_or(run.updated_at);
    let time = |at: Timestamp| {
        let text = ParameterKind::Timestamp.text_of(&serde_json::json!(at));
        text.unwrap_or_else(|| at.to_string())
    };
    let values = [
        run.id.to_string(),
        run.flow_id.to_string(),
        time(started_at),
        time(ended_at),
    ];
    RUN_PARAMETERS
        .map(str::to_owned)
        .into_iter()
        .zip(values)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tributary::{
        id::{FlowId, TenantId},
        run::RunStatus,
    };

    use super::*;

    fn run() -> Run {
        let at: Timestamp = "2026-11-20T10:15:00Z".parse().unwrap();
        let mut run = Run::queued(TenantId::new(), FlowId::new(), "e-1", at);
        run.status = RunStatus::Completed;
        run.ended_at = Some("2026-11-20T10:16:30Z".parse().unwrap());
        run
    }

    fn plan(parameters: &Value, registered: Option<(&str, &str, &Value)>) -> Plan {
        let registered = registered.map(|(purpose, sql, parameters)| RegisteredQuery {
            name: "load".parse().unwrap(),
            definition: serde_json::from_value(
                json!({ "purpose": purpose, "sql": sql, "parameters": parameters }),
            )
            .unwrap(),
            version: 4,
            created_by: "ann".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        });
        Plan {
            after_run: serde_json::from_value(json!({ "query": "load", "parameters": parameters }))
                .unwrap(),
            registered,
            is_active: true,
        }
    }

    fn code(progress: &AfterRunProgress) -> Option<AfterRunCode> {
        match progress.state {
            AfterRunState::Failed { code, .. } => Some(code),
            _ => None,
        }
    }

    #[test]
    fn the_query_of_the_moment_is_bound_with_the_runs_own_values() {
        let declared = json!([{ "name": "country", "type": "text" }]);
        let sql = "CALL load(:country, :run_id, :run_flow_id, :run_started_at, :run_ended_at)";
        let plan = plan(
            &json!({ "country": "Germany" }),
            Some(("afterRun", sql, &declared)),
        );
        let run = run();
        let progress = plan.begin(&run, run.updated_at);
        assert_eq!(progress.version, Some(4));
        let AfterRunState::Pending { prepared } = progress.state else {
            panic!("{progress:?}");
        };
        assert_eq!(prepared.sql, sql);
        let (id, flow) = (run.id.to_string(), run.flow_id.to_string());
        let expected = [
            ("country", "Germany"),
            ("run_ended_at", "2026-11-20 10:16:30"),
            ("run_flow_id", &flow),
            ("run_id", &id),
            ("run_started_at", "2026-11-20 10:15:00"),
        ];
        let found = prepared.parameters.iter();
        assert!(
            found
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .eq(expected)
        );
    }

    #[test]
    fn a_query_that_is_gone_or_changed_its_purpose_or_parameters_is_told_and_not_run() {
        let run = run();
        let gone = plan(&json!({}), None).begin(&run, run.updated_at);
        assert_eq!(
            (code(&gone), gone.version),
            (Some(AfterRunCode::QueryGone), None)
        );
        let none = json!([]);
        let other = plan(&json!({}), Some(("query", "SELECT 1", &none)));
        let other = other.begin(&run, run.updated_at);
        assert_eq!(code(&other), Some(AfterRunCode::QueryGone));
        let needs_more = json!([{ "name": "country", "type": "text" }]);
        let misfit = plan(
            &json!({}),
            Some(("afterRun", "CALL load(:country)", &needs_more)),
        );
        let misfit = misfit.begin(&run, run.updated_at);
        assert_eq!(code(&misfit), Some(AfterRunCode::InvalidParameters));
    }

    #[test]
    fn i2_a_copy_from_another_tenants_folder_is_not_run() {
        let (run, none) = (run(), json!([]));
        let landing = "s3://tributary-landing-111122223333-us-east-1";
        for (owner, expected) in [
            (TenantId::new(), Some(AfterRunCode::QueryRejected)),
            (run.tenant_id, None),
        ] {
            let sql = format!("COPY s.t FROM '{landing}/{owner}/crm/' IAM_ROLE default FORMAT CSV");
            let plan = plan(&json!({}), Some(("afterRun", &sql, &none)));
            assert_eq!(code(&plan.begin(&run, run.updated_at)), expected);
        }
    }

    #[test]
    fn nothing_runs_for_a_tenant_that_is_not_active() {
        let none = json!([]);
        let mut plan = plan(&json!({}), Some(("afterRun", "CALL load()", &none)));
        plan.is_active = false;
        let run = run();
        let progress = plan.begin(&run, run.updated_at);
        let skipped = AfterRunState::Skipped {
            reason: SkipReason::TenantSuspended,
            ended_at: run.updated_at,
        };
        assert_eq!(progress.state, skipped);
    }
}

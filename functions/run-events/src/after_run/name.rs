//! The name under which a statement runs, so that its event leads back to its run.

use tributary::{
    id::{FlowId, RunId, TenantId},
    run::Run,
    store::key::sha256_hex,
};

/// What the names begin with; the rule in the template forwards only these.
const PREFIX: &str = "after-run/";

/// Whose statement a name says it is. Unverified until the run's own record has the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnverifiedName {
    /// The tenant.
    pub tenant: TenantId,
    /// Its flow.
    pub flow: FlowId,
    /// The run.
    pub run: RunId,
}

impl UnverifiedName {
    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split('/');
        let name = Self {
            tenant: parts.next()?.parse().ok()?,
            flow: parts.next()?.parse().ok()?,
            run: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(name)
    }
}

/// The name of a run's statement.
pub(crate) fn name_of(run: &Run) -> String {
    format!("{PREFIX}{}/{}/{}", run.tenant_id, run.flow_id, run.id)
}

/// What makes every sending of a run's statement the same one: 64 digits, the most that there may be.
pub(crate) fn client_token(run: RunId) -> String {
    sha256_hex(&run.to_string())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_name_leads_back_to_its_run_and_nothing_else_does() {
        let run = Run::queued(TenantId::new(), FlowId::new(), "e-1", Timestamp::UNIX_EPOCH);
        let name = name_of(&run);
        let expected = UnverifiedName {
            tenant: run.tenant_id,
            flow: run.flow_id,
            run: run.id,
        };
        assert_eq!(UnverifiedName::parse(&name), Some(expected));
        let foreign = [
            "",
            "after-run/",
            "reports/city-totals/v1",
            &name[1..],
            &format!("{name}/x"),
            &name.replace("run_", "flw_"),
            &format!("after-run/{}/{}", run.flow_id, run.id),
        ];
        for text in foreign {
            assert_eq!(UnverifiedName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_token_is_the_runs_own_and_as_long_as_the_data_api_takes() {
        let run = RunId::new();
        assert_eq!(client_token(run).len(), 64);
        assert_eq!(client_token(run), client_token(run));
        assert_ne!(client_token(run), client_token(RunId::new()));
    }
}

//! SQL that people registered: one statement each, with typed parameters and a purpose.
//!
//! A browser names a query and gives values; the text stays on the server. What may be registered,
//! which values fit, and what is sent in the end are pure rules, so that a request that breaks them
//! is refused with every fault at once and before any call. Row-level security and grants are the
//! walls; these rules keep callers from leaning on them.

mod bind;
mod check;
mod copy;
mod failure;
mod parameter;
mod registered;
mod scan;
mod values;

pub use bind::{Bound, bind};
pub use check::check;
pub use copy::{LANDING_BUCKETS, foreign_sources};
pub use failure::{FailureCode, failure_of};
pub use parameter::{Parameter, ParameterKind};
pub use registered::{InvalidQueryName, Purpose, QueryDefinition, QueryName, RegisteredQuery};
pub use scan::{Scanned, SqlFault, scan};
pub use values::{fault, mismatches, values};

/// Names of parameters that are filled in for a statement that runs after a run.
pub const RUN_PARAMETERS: [&str; 4] = ["run_id", "run_flow_id", "run_started_at", "run_ended_at"];

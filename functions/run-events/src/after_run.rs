//! After a run: a registered query in the warehouse, as the tenant's service identity, once.
//!
//! What is to run is decided in the transaction that completes the run (`plan`); how it goes on is
//! one pure state machine ([`machine`]), and each of its steps is a conditional write. The event of
//! the Data API is a hint (`event`): what became of the statement the Data API is asked
//! (`warehouse`), and reconciliation asks where no event came.

pub(crate) mod event;
mod go_on;
pub mod machine;
pub(crate) mod name;
pub(crate) mod plan;
pub mod refusal;
mod warehouse;

pub(crate) use plan::Plan;
pub(crate) use warehouse::ServiceWarehouse;

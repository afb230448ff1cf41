//! `/v1/registered-queries`: what people may run by name, and what runs after a run.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod update;

mod view;

pub use view::RegisteredQueryView;

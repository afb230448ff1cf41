//! The routes, one action per file.

pub mod cancel;
pub mod create;
pub mod get;
pub mod identity;
pub mod list;
pub mod registered;
pub mod results;
pub mod warehouse;

mod answer;
mod query_string;

pub use answer::{Query, QueryFailure};

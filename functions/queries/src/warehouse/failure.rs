//! Why a statement failed: the words of the common crate, which the service identity's statements use too.

pub use tributary::query::{FailureCode, failure_of};

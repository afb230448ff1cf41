//! The HTTP edge that every API function shares: problem documents, extractors, pages, idempotency.

pub mod admission;
pub mod audit;
pub mod body;
pub mod caller;
pub mod idempotent;
pub mod layers;
pub mod list;
pub mod member;
pub mod precondition;
pub mod problem;

pub use admission::Admission;
pub use audit::{Audit, AuditConfig, Trail};
pub use body::Json;
pub use caller::Caller;
pub use idempotent::IdempotencyKey;
pub use list::{List, ListQuery};
pub use member::{Admin, Editor, Operator, SignedIn, Viewer};
pub use precondition::{IfMatch, etag, stale};
pub use problem::Problem;

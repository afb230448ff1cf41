//! What handlers share at the HTTP edge: role extractors, path ids, entity tags, answers.

mod answer;
mod body;
mod query;

pub(crate) use answer::{body_of, created, json, no_content};
pub(crate) use body::{NoBody, OptionalJson};
pub(crate) use query::{Listing, Typed, id_in_path};
pub(crate) use tributary::http::{Admin, Editor, IfMatch, Operator, Viewer, etag, stale};

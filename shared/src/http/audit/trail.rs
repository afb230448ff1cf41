//! What becomes known of a call while it is handled.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::Actor;

/// Takes down who acts and how it ended, where the gateway and the status do not tell.
#[derive(Debug, Clone, Default)]
pub struct Trail(Arc<Mutex<Known>>);

#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) actor: Option<Actor>,
    pub(super) code: Option<String>,
    pub(super) resources: BTreeMap<String, String>,
}

impl Trail {
    /// Says who acts. From here on the call is on record.
    pub fn acts(&self, actor: Actor) {
        self.lock().actor = Some(actor);
    }

    /// Names a thing that the path does not name.
    pub fn touches(&self, name: &str, id: &impl ToString) {
        self.lock()
            .resources
            .insert(name.to_owned(), id.to_string());
    }

    /// Says how it ended, with a stable code.
    pub fn ended(&self, code: &str) {
        self.lock().code = Some(code.to_owned());
    }

    pub(super) fn known(&self) -> Known {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sync> FromRequestParts<S> for Trail {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

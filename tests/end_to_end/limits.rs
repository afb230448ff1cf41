//! How much a tenant may do, and that the others do not feel it.

mod events;
mod guesses;
mod rates;
mod unavailable;
pub(crate) mod world;

//! How much a tenant may do, and that the others do not feel it.

mod rates;
mod unavailable;
mod world;

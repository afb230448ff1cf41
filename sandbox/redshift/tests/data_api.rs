//! The Data API as its clients see it, with the script of row-level security in force.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of these tests fail by panicking"
)]

mod it {
    pub(crate) mod access;
    pub(crate) mod account;
    pub(crate) mod events;
    pub(crate) mod limits;
    pub(crate) mod policies;
    pub(crate) mod results;
    pub(crate) mod service;
    pub(crate) mod statements;
    pub(crate) mod support;
    pub(crate) mod trail;
    pub(crate) mod views;
    pub(crate) mod writes;
}

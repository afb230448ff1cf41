//! Tributary's common crate: what several functions need, and nothing else.
//!
//! Where things are: who calls ([`identity`]), for whom ([`tenancy`]), what is kept ([`store`],
//! [`vault`], [`seal`]), what leaves ([`event`]), how much ([`limit`]), the HTTP edge ([`http`]), and the ground under all
//! of it ([`aws`], [`config`], [`telemetry`], [`error`], [`clean`], [`id`], [`secret`], [`clock`]).

pub mod aws;
pub mod clean;
pub mod clock;
pub mod config;
pub mod connection;
pub mod connector;
pub mod error;
pub mod event;
pub mod http;
pub mod id;
pub mod identity;
pub mod incident;
pub mod jwt;
pub mod limit;
pub mod oauth;
pub mod outbox;
pub mod query;
pub mod run;
pub mod seal;
pub mod secret;
pub mod sign;
pub mod sign_off;
pub mod store;
pub mod subscription;
pub mod telemetry;
pub mod tenancy;
pub mod vault;

//! The stand-ins over HTTP, as the product meets them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "saas/browser.rs"]
mod browser;
#[path = "saas/faults.rs"]
mod faults;
#[path = "saas/oidc.rs"]
mod oidc;
#[path = "saas/query.rs"]
mod query;
#[path = "saas/salesforce.rs"]
mod salesforce;
#[path = "saas/strict.rs"]
mod strict;
#[path = "saas/write.rs"]
mod write;

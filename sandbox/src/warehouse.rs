//! The warehouse of the worked example, as `docs/WAREHOUSE.md` sets it up.

/// The administrator's script: tables, roles, grants, row- and column-level security.
pub const SETUP: &str = include_str!("../../docs/warehouse/sports-gear.sql");
/// Which time zones belong to which sales region.
pub const REGIONS: &str = include_str!("../../docs/warehouse/regions.sql");

/// The database that holds it.
pub const DATABASE: &str = "analytics";
/// The workgroup that serves it.
pub const WORKGROUP: &str = "tributary";

//! What is in the warehouse, and who one is there: read as the caller, never as the role.

pub mod schemas;
pub mod table;
pub mod tables;
pub mod whoami;

mod page;

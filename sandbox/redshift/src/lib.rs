//! x
mod admin; mod catalog; mod decimal; mod error; mod functions; mod query; mod reader; mod sql; mod types; mod warehouse;

//! The end-to-end scenarios live in `end_to_end/`; here is what judges the record that they leave.

pub mod permissions;

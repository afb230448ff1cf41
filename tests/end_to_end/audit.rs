//! A8: every call that may change something leaves one record, and the record stays as it is.

mod kept;
mod outage;
mod records;

//! Everything through the HTTP endpoint, as the functions use it.

mod authorize;
mod buckets;
mod dynamodb;
mod faults;
mod identity_center;
mod in_process;
mod kms;
mod recognition;
mod record;
mod s3;
mod sqs;
mod sts;
mod support;

//! What COPY reads: objects of S3, under the role that the statement names.

use bytes::Bytes;
use sandbox_core::BoxFuture;

use crate::{Inner, error::SqlError, write::Source};

/// Which objects a COPY asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectsAsked {
    /// The warehouse's account.
    pub account: String,
    /// The role under which they are read.
    pub role_arn: String,
    /// The bucket.
    pub bucket: String,
    /// What the objects' keys begin with.
    pub prefix: String,
}

/// Reads objects as Redshift does, or says why not: the role must trust Redshift and may read them.
pub type ReadObjects =
    Box<dyn Fn(ObjectsAsked) -> BoxFuture<'static, Result<Vec<Bytes>, String>> + Send + Sync>;

/// Waits for the objects; called on a blocking thread.
pub(crate) fn fetch(inner: &Inner, account: &str, source: &Source) -> Result<Vec<Bytes>, SqlError> {
    let read = inner
        .objects
        .get()
        .ok_or_else(|| SqlError::Unsupported("COPY without a connection to S3".to_owned()))?;
    let role = source
        .role
        .clone()
        .or_else(|| inner.default_role.get().cloned());
    let asked = ObjectsAsked {
        account: account.to_owned(),
        role_arn: role.ok_or_else(|| {
            SqlError::Other("no default IAM role is set for the namespace".to_owned())
        })?,
        bucket: source.bucket.clone(),
        prefix: source.prefix.clone(),
    };
    let objects = tokio::runtime::Handle::current()
        .block_on(read(asked))
        .map_err(SqlError::Other)?;
    if objects.is_empty() {
        return Err(SqlError::Other(format!(
            "The specified S3 prefix '{}' does not exist",
            source.prefix
        )));
    }
    Ok(objects)
}

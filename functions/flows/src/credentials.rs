//! Long-lived credentials in Secrets Manager: one secret for a connection, one for a tenant's own app.

use aws_sdk_secretsmanager::Client;
use tributary::{aws::Refusal, error::Error, secret::Secret};

/// Keeps a value under a name, whether or not there was one before.
pub(crate) async fn keep(secrets: &Client, name: &str, value: &Secret) -> Result<(), Error> {
    let created = secrets
        .create_secret()
        .name(name)
        .secret_string(value.expose())
        .send()
        .await;
    let Err(refusal) = created.map_err(|error| Refusal::of(&error)) else {
        return Ok(());
    };
    if !refusal.is("ResourceExistsException") {
        return Err(refusal.into_error("CreateSecret"));
    }
    let put = secrets
        .put_secret_value()
        .secret_id(name)
        .secret_string(value.expose())
        .send()
        .await;
    put.map(|_| ())
        .map_err(|error| Refusal::of(&error).into_error("PutSecretValue"))
}

/// What is kept under a name.
pub(crate) async fn read(secrets: &Client, name: &str) -> Result<Option<Secret>, Error> {
    let answer = secrets.get_secret_value().secret_id(name).send().await;
    match answer.map_err(|error| Refusal::of(&error)) {
        Ok(answer) => Ok(answer.secret_string.map(Secret::new)),
        Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(None),
        Err(refusal) => Err(refusal.into_error("GetSecretValue")),
    }
}

/// Forgets a value at once: nobody is to find it in a recovery window.
pub(crate) async fn forget(secrets: &Client, name: &str) -> Result<(), Error> {
    let deleted = secrets
        .delete_secret()
        .secret_id(name)
        .force_delete_without_recovery(true)
        .send()
        .await;
    match deleted.map_err(|error| Refusal::of(&error)) {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(()),
        Err(refusal) => Err(refusal.into_error("DeleteSecret")),
    }
}

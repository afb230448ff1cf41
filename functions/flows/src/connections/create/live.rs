//! The live check: a connection is `active` when it was seen to work (scenario C13).

use aws_sdk_appflow::{Client, types::ConnectorType};
use tributary::{
    aws::Refusal,
    connection::Connection,
    connector::{
        Connector,
        profile::{Credentials, PushFailure, push_credentials},
    },
    error::{Error, Kind},
    oauth::InstanceUrl,
};

use crate::{TenantApp, appflow::refused, connections::row, connectors::method::LiveCheck};

/// What a check that did not pass leaves open.
#[derive(Debug)]
pub(in crate::connections) struct Failed {
    /// What the caller is told.
    pub(in crate::connections) error: Error,
    /// Whether it is certain that the connection cannot work like this.
    pub(in crate::connections) definite: bool,
}

impl Failed {
    fn open(error: Error) -> Self {
        Self {
            error,
            definite: false,
        }
    }

    fn definite(error: Error) -> Self {
        Self {
            error,
            definite: true,
        }
    }
}

/// The answer for credentials that the application does not take. Nothing of them is in it.
pub(in crate::connections) fn invalid_credentials() -> Error {
    Error::new(
        Kind::Conflict,
        "invalid_credentials",
        "The application does not accept these credentials.",
    )
}

/// The answer for an application that is away. The request can be sent again as it was.
pub(in crate::connections) fn application_unavailable() -> Error {
    Error::unavailable("application_unavailable", "the application did not answer")
        .with_retry_after(10)
}

/// Gives AppFlow the credentials and has it use them.
pub(in crate::connections) async fn give(
    app: &TenantApp,
    appflow: &Client,
    connection: &Connection,
    given: &Credentials,
) -> Result<(), Failed> {
    let row = row(connection).map_err(Failed::open)?;
    let instance = instance(app, row, connection).map_err(Failed::definite)?;
    let pushed = push_credentials(appflow, connection, instance.as_ref(), given).await;
    if let Err(error) = pushed {
        return Err(match error.failure {
            PushFailure::TokenRefused => Failed::definite(invalid_credentials()),
            PushFailure::ApplicationUnavailable => Failed::open(application_unavailable()),
            PushFailure::Busy | PushFailure::Throttled | PushFailure::Unknown => {
                Failed::open(error.into())
            }
            PushFailure::QuotaExhausted | PushFailure::AccessDenied | PushFailure::Invalid => {
                Failed::definite(error.into())
            }
        });
    }
    let method = row.method(connection.auth);
    if method.is_some_and(|method| LiveCheck::of(row, method) == LiveCheck::Entities) {
        return list(appflow, row, connection).await;
    }
    Ok(())
}

async fn list(appflow: &Client, row: &Connector, connection: &Connection) -> Result<(), Failed> {
    let version = row
        .api_version
        .and_then(|versions| versions.default.or(versions.known.last().copied()));
    let listed = appflow
        .list_connector_entities()
        .connector_profile_name(&connection.profile_name)
        .connector_type(ConnectorType::from(row.appflow_type))
        .set_api_version(version.map(str::to_owned))
        .send()
        .await;
    let Err(refusal) = listed.map_err(|error| Refusal::of(&error)) else {
        return Ok(());
    };
    if refusal.is("ConnectorAuthenticationException") {
        return Err(Failed::definite(invalid_credentials()));
    }
    if refusal.is("ConnectorServerException") {
        return Err(Failed::open(application_unavailable()));
    }
    // AppFlow's own troubles say nothing about the credentials.
    Err(Failed::open(refused("ListConnectorEntities", refusal)))
}

fn instance(
    app: &TenantApp,
    row: &Connector,
    connection: &Connection,
) -> Result<Option<InstanceUrl>, Error> {
    if row.instance_base().is_none() {
        return Ok(None);
    }
    app.providers
        .instance_of(row, connection.instance.as_deref())
}

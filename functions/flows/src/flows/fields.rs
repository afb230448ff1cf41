//! Whether the applications at a flow's ends have the fields that it names. Asked last: a flow that
//! breaks other rules does not get so far, and AppFlow hears nothing of it.

use std::sync::Arc;

use tributary::{
    connection::Connection,
    connector::connector,
    error::{Error, Fault, Kind},
};

use super::references::{Sound, refused};
use crate::{
    TenantApp,
    compile::known::{Field, Known, unknown_fields},
    connections::discovery::{Age, fields},
    model::{Destination, Trigger},
};

/// Refuses a flow that names objects or fields that are not there.
pub(super) async fn exist(app: &TenantApp, sound: &Sound) -> Result<(), Error> {
    if contradicted(app, sound, Age::Any).await.is_empty() {
        return Ok(());
    }
    // What is remembered may be older than a field: nobody is refused for that.
    match contradicted(app, sound, Age::Now).await {
        none if none.is_empty() => Ok(()),
        faults => Err(refused(faults)),
    }
}

async fn contradicted(app: &TenantApp, sound: &Sound, age: Age) -> Vec<Fault> {
    let definition = sound.flow.definition();
    let mut faults = Vec::new();
    let mut known = [None, None];
    for (known, end) in known.iter_mut().zip(ends(sound)) {
        if let Some(end) = end {
            *known = end.fields(app, age, &mut faults).await;
        }
    }
    let [source, destination] = &known;
    let known = Known {
        source: source.as_deref(),
        destination: destination.as_deref(),
    };
    faults.extend(unknown_fields(definition, known));
    faults
}

/// One end of a flow that can be asked for its fields.
struct End<'a> {
    connection: &'a Connection,
    object: &'a str,
    api_version: Option<&'a str>,
    pointer: &'static str,
}

fn ends(sound: &Sound) -> [Option<End<'_>>; 2] {
    let definition = sound.flow.definition();
    // Channels of events are not described.
    let described = !matches!(definition.trigger, Trigger::Event(_));
    let source = sound.source.as_ref().filter(|_| described);
    let destination = sound.destination.as_ref();
    [
        source.map(|connection| End {
            connection,
            object: definition.source.object(),
            api_version: definition.source.api_version(),
            pointer: "/source",
        }),
        destination.zip(written(&definition.destination)).map(
            |(connection, (object, api_version))| End {
                connection,
                object,
                api_version,
                pointer: "/destination",
            },
        ),
    ]
}

/// What is written, where the application can be asked. Tables of data warehouses cannot: nothing
/// says that AppFlow describes them.
fn written(destination: &Destination) -> Option<(&str, Option<&str>)> {
    match destination {
        Destination::Salesforce(to) => Some((&to.object, None)),
        Destination::Zendesk(to) => Some((&to.object, None)),
        Destination::Marketo(to) => Some((&to.object, None)),
        Destination::SapOData(to) => Some((&to.object_path, None)),
        Destination::GoogleBigQuery(to)
        | Destination::HubSpot(to)
        | Destination::Jdbc(to)
        | Destination::RdsPostgreSql(to)
        | Destination::Custom(to) => Some((&to.entity, to.api_version.as_deref())),
        _ => None,
    }
}

impl End<'_> {
    /// An object that is not there is a fault. An application that does not answer is none: AppFlow
    /// asks it itself in a moment, and says what is wrong.
    async fn fields(
        &self,
        app: &TenantApp,
        age: Age,
        faults: &mut Vec<Fault>,
    ) -> Option<Arc<[Field]>> {
        match fields(app, self.connection, self.object, self.api_version, age).await {
            Ok(fields) => Some(fields),
            Err(error) if error.kind() == Kind::NotFound => {
                let row = connector(&self.connection.connector);
                let member = row.and_then(|row| row.object_member).unwrap_or("object");
                faults.push(Fault::new(
                    format!("{}/{member}", self.pointer),
                    "unknown",
                    "The application does not have this object.",
                ));
                None
            }
            Err(error) => {
                tracing::info!(
                    tenant.id = %self.connection.tenant_id, connection.id = %self.connection.id,
                    error.code = error.code(), "the fields at an end of a flow could not be asked for"
                );
                None
            }
        }
    }
}

//! What a flow refers to: its account and connections, which must be the tenant's and fit together.

use jiff::Timestamp;
use tributary::{
    connection::{Connection, ConnectionState},
    error::{Error, Fault},
    id::{ConnectionId, FlowId, TenantId},
    tenancy::{Account, AccountState},
};

use super::{after_run, hosted};
use crate::{
    TenantApp,
    compile::{
        CheckedFlow, CreateFlowRequest, Staging, Surroundings, check, compile,
        import::{Known, KnownConnection},
    },
    flows::Flow,
    model::FlowDefinition,
};

/// A flow that keeps every rule, with what is around it.
pub(super) struct Sound {
    pub(super) flow: CheckedFlow,
    pub(super) account: Account,
    pub(super) around: Surroundings,
    /// The connections at both ends.
    pub(super) source: Option<Connection>,
    pub(super) destination: Option<Connection>,
    /// The instant with which the rules were applied.
    pub(super) at: Timestamp,
}

/// Applies the rules and looks up what the flow refers to; every fault of both at once (F8).
pub(super) async fn sound(
    app: &TenantApp,
    tenant: TenantId,
    flow_id: FlowId,
    definition: &FlowDefinition,
) -> Result<Sound, Error> {
    let at = Timestamp::now();
    let checked = check(definition, at);
    let mut faults = checked.as_ref().err().cloned().unwrap_or_default();
    let account = Account::load(&app.store, tenant, definition.account_id).await?;
    faults.extend(account_fault(account.as_ref()));
    faults.extend(after_run::faults(app, tenant, definition).await?);
    let mut ends = [None, None];
    for (found, pointer, id, row) in [
        (
            0,
            "/source/connectionId",
            definition.source.connection_id(),
            definition.source.row(),
        ),
        (
            1,
            "/destination/connectionId",
            definition.destination.connection_id(),
            definition.destination.row(),
        ),
    ] {
        if let Some(id) = id {
            let connection = load(app, tenant, id).await?;
            ends[found] = usable(&mut faults, pointer, connection, row.key, definition);
        }
    }
    let [source, destination] = ends;
    if let Some(account) = &account {
        faults.extend(hosted::faults(app, account, definition, destination.as_ref()).await?);
    }
    match (checked, account) {
        (Ok(flow), Some(account)) if faults.is_empty() => Ok(Sound {
            flow,
            around: Surroundings {
                tenant_id: tenant,
                flow_id,
                source_profile: source.as_ref().map(|source| source.profile_name.clone()),
                staging: destination.as_ref().map(staging),
                destination_profile: destination.as_ref().map(|to| to.profile_name.clone()),
                aws_account_id: account.aws_account_id.clone(),
            },
            source,
            destination,
            account,
            at,
        }),
        _ => Err(refused(faults)),
    }
}

/// The answer to a flow that breaks rules.
pub(super) fn refused(faults: Vec<Fault>) -> Error {
    Error::unprocessable("invalid_flow", "The flow breaks rules.", faults)
}

/// A flow that AppFlow has, as it was pushed there.
pub(super) struct Standing {
    /// The request that its definition became.
    pub(super) request: CreateFlowRequest,
    /// What AppFlow's names mean, for reading a flow back.
    pub(super) known: Known,
}

/// The flow as it was pushed. Nothing is refused here: what its connections are fit for today does
/// not change what AppFlow was told. None for a flow that was taken and breaks rules of today.
pub(super) async fn standing(app: &TenantApp, flow: &Flow) -> Result<Option<Standing>, Error> {
    let at = flow.compiled_at.unwrap_or(flow.created_at);
    let Ok(checked) = check(&flow.definition, at) else {
        tracing::warn!(tenant.id = %flow.tenant_id, flow.id = %flow.id, "a flow breaks rules that are newer than it");
        return Ok(None);
    };
    let mut ends = [None, None];
    for (end, id) in ends.iter_mut().zip([
        flow.definition.source.connection_id(),
        flow.definition.destination.connection_id(),
    ]) {
        if let Some(id) = id {
            *end = load(app, flow.tenant_id, id).await?;
        }
    }
    let connections = ends.iter().flatten().map(known).collect();
    let [source, destination] = ends;
    let around = Surroundings {
        tenant_id: flow.tenant_id,
        flow_id: flow.id,
        source_profile: source.map(|source| source.profile_name),
        staging: destination.as_ref().map(staging),
        destination_profile: destination.map(|destination| destination.profile_name),
        aws_account_id: flow.aws_account_id.clone(),
    };
    Ok(Some(Standing {
        request: compile(&checked, &around),
        known: Known {
            name: flow.definition.name.clone(),
            account_id: flow.account_id,
            aws_account_id: flow.aws_account_id.clone(),
            connections,
        },
    }))
}

/// A connection, by the name of its profile, for reading flows back.
pub(super) fn known(connection: &Connection) -> (String, KnownConnection) {
    let known = KnownConnection {
        id: connection.id,
        connector: connection.connector.clone(),
        staging: Some(staging(connection)),
    };
    (connection.profile_name.clone(), known)
}

async fn load(
    app: &TenantApp,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<Option<Connection>, Error> {
    Connection::load(&app.store, tenant, id).await
}

fn account_fault(account: Option<&Account>) -> Option<Fault> {
    let (code, detail) = match account.map(|account| account.state) {
        None => ("unknown", "There is no such account."),
        Some(AccountState::Pending) => ("not_verified", "This account is not verified yet."),
        Some(AccountState::Verified | AccountState::Degraded) => return None,
    };
    Some(Fault::new("/accountId", code, detail))
}

/// The connection, if it is there, of this connector, in this account, and working.
fn usable(
    faults: &mut Vec<Fault>,
    pointer: &str,
    found: Option<Connection>,
    connector: &str,
    definition: &FlowDefinition,
) -> Option<Connection> {
    let mut add = |code: &str, detail: &str| faults.push(Fault::new(pointer, code, detail));
    let Some(connection) = found else {
        add("unknown", "There is no such connection.");
        return None;
    };
    if connection.connector != connector {
        add(
            "wrong_connector",
            "This connection leads to another application.",
        );
    }
    if connection.account_id != definition.account_id {
        add(
            "other_account",
            "This connection is in another account than the flow.",
        );
    }
    match connection.state {
        ConnectionState::Active | ConnectionState::Limited => {}
        ConnectionState::Pending | ConnectionState::Deleted => {
            add(
                "not_connected",
                "Nobody has consented to this connection yet.",
            );
        }
        ConnectionState::ReauthRequired => {
            add("reauth_required", "This connection needs a new consent.");
        }
    }
    Some(connection)
}

fn staging(connection: &Connection) -> Staging {
    let property = |name: &str| {
        let value = connection.properties.get(name).cloned();
        value.filter(|value| !value.is_empty())
    };
    Staging {
        bucket: property("bucketName").unwrap_or_default(),
        prefix: property("bucketPrefix"),
        database: property("databaseName"),
    }
}

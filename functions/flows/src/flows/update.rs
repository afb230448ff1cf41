//! `PUT /v1/flows/{id}`

use aws_sdk_appflow::Client;
use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use tributary::{
    error::{Error, Fault},
    http::{Json, Problem},
    id::FlowId,
    store::{Key, Update},
};

use super::{
    appflow, drift, fields, find,
    operation::{OperationView, Work, is_throttled, later},
    patience::patiently,
    ready,
    record::{Flow, FlowState, after_run_of, definition_text},
    references::{refused, sound},
    sweep,
    view::{FlowView, tagged},
};
use crate::{
    App, TenantApp, accounts,
    compile::compile,
    edge::{Editor, IfMatch, id_in_path, stale},
    model::{FlowDefinition, Source, Trigger},
};

/// Longest that an update may be under way before another may begin.
const WORK_LIMIT: SignedDuration = SignedDuration::from_secs(30);

/// Replaces a flow's definition in place: its runs and its incremental position stay.
#[utoipa::path(put, path = "/v1/flows/{id}", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    ("if-match" = String, Header, description = "ETag of the version that is to be replaced"),
), request_body = FlowDefinition, responses(
    (status = 200, body = FlowView, headers(("etag" = String))),
    (status = 202, body = OperationView, description = "AppFlow throttles: it is replaced later"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn update_flow(
    State(app): State<App>,
    editor: Editor,
    if_match: IfMatch,
    Path(id): Path<String>,
    Json { value, .. }: Json<FlowDefinition>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = find(&app, editor.tenant, id_in_path(&id)?).await?;
    if_match.holds_for(flow.version)?;
    ready(&flow)?;
    drift::none(&flow)?;
    let replaced = patiently(|| replace(&app, &flow, &value)).await;
    if is_throttled(&replaced) {
        let work = Work::Update {
            version: flow.version,
            definition: definition_text(&value).map_err(unwritable)?,
        };
        return later(&app, &flow, work).await;
    }
    tagged(replaced?)
}

/// Replaces the definition of this version of the flow.
pub(super) async fn replace(
    app: &TenantApp,
    flow: &Flow,
    definition: &FlowDefinition,
) -> Result<Flow, Error> {
    ready(flow)?;
    let fixed = changed_for_good(&flow.definition, definition);
    if !fixed.is_empty() {
        return Err(refused(fixed));
    }
    let sound = sound(app, flow.tenant_id, flow.id, definition).await?;
    if is_ours_alone(&flow.definition, definition) {
        return keep(app, flow, definition).await;
    }
    fields::exist(app, &sound).await?;
    let client = accounts::appflow(app, &sound.account).await?;
    let request = compile(&sound.flow, &sound.around);
    // Whether noticed before or not: what somebody else changed is not overwritten in silence.
    drift::none_now(app, &client, flow).await?;
    let until = begin(app, flow).await?;
    let was_active = flow.state == FlowState::Active;
    let next = Flow {
        version: flow.version + 1,
        ..flow.clone()
    };
    match appflow::update(&client, &next, &request).await {
        Ok(state) => {
            let has_status = !matches!(definition.trigger, Trigger::OnDemand(_));
            let state = if has_status && was_active && state != FlowState::Active {
                active_again(&client, flow, state).await
            } else {
                state
            };
            finish(app, &next, definition, state, sound.at, until).await
        }
        Err(error) => {
            abandon(app, flow, until).await;
            Err(error)
        }
    }
}

/// Whether the two differ in what runs after a run and in nothing else: AppFlow has no part in it.
fn is_ours_alone(old: &FlowDefinition, new: &FlowDefinition) -> bool {
    let as_before = FlowDefinition {
        after_run: old.after_run.clone(),
        ..new.clone()
    };
    old.after_run != new.after_run && *old == as_before
}

/// Writes a definition of which AppFlow has all that it needs to know.
async fn keep(app: &TenantApp, flow: &Flow, definition: &FlowDefinition) -> Result<Flow, Error> {
    let now = Timestamp::now();
    let update = Update::new()
        .set(
            "definition",
            definition_text(definition).map_err(unwritable)?,
        )
        .set_or_remove("after_run", after_run_of(definition))
        .set("version", flow.version + 1)
        .set("updated_at", now)
        .when_equal("version", flow.version)
        .when_equal("state", flow.state)
        .when_absent_or_less("updating_until", now.as_millisecond());
    match app
        .store
        .update(&Key::flow(flow.tenant_id, flow.id), update)
        .await
    {
        Ok(flow) => Ok(flow),
        Err(error) if error.is_condition() => Err(stale()),
        Err(error) => Err(error.into()),
    }
}

/// Starts an updated flow again. If that fails the flow is updated all the same, and shows that it
/// is not active.
async fn active_again(client: &Client, flow: &Flow, state: FlowState) -> FlowState {
    match appflow::activate(client, flow).await {
        Ok(()) => FlowState::Active,
        Err(error) => {
            tracing::warn!(
                tenant.id = %flow.tenant_id, flow.id = %flow.id,
                error.code = error.code(), error.chain = error.chain(), "an updated flow was not started again"
            );
            state
        }
    }
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::internal("definition_text", "a definition could not be written").with_source(error)
}

/// What AppFlow does not change in place: it needs a new flow, which loses runs and position.
fn changed_for_good(old: &FlowDefinition, new: &FlowDefinition) -> Vec<Fault> {
    let same_source = (
        old.source.row().key,
        old.source.connection_id(),
        old.source.object(),
    ) == (
        new.source.row().key,
        new.source.connection_id(),
        new.source.object(),
    ) && match (&old.source, &new.source) {
        (Source::S3(old), Source::S3(new)) => old.bucket == new.bucket,
        _ => true,
    };
    let same_destination = old.destination.written() == new.destination.written();
    let same_trigger = std::mem::discriminant(&old.trigger) == std::mem::discriminant(&new.trigger);
    [
        ("/accountId", old.account_id == new.account_id),
        ("/source", same_source),
        ("/destination", same_destination),
        ("/trigger/type", same_trigger),
        ("/kmsKeyArn", old.kms_key_arn == new.kms_key_arn),
        ("/tags", old.tags == new.tags),
    ]
    .into_iter()
    .filter(|(_, same)| !same)
    .map(|(pointer, _)| {
        Fault::new(
            pointer,
            "not_changeable",
            "AppFlow does not change this in place. Make a new flow.",
        )
    })
    .collect()
}

/// Takes the right to update this version; one at a time.
pub(super) async fn begin(app: &TenantApp, flow: &Flow) -> Result<i64, Error> {
    let now = Timestamp::now();
    let until = now
        .saturating_add(WORK_LIMIT)
        .unwrap_or(Timestamp::MAX)
        .as_millisecond();
    let update = Update::new()
        .set("updating_until", until)
        .when_equal("version", flow.version)
        .when_equal("state", flow.state)
        .when_absent_or_less("updating_until", now.as_millisecond());
    match app
        .store
        .update::<IgnoredAny>(&Key::flow(flow.tenant_id, flow.id), update)
        .await
    {
        Ok(_) => Ok(until),
        Err(error) if error.is_condition() => Err(stale()),
        Err(error) => Err(error.into()),
    }
}

async fn finish(
    app: &TenantApp,
    flow: &Flow,
    definition: &FlowDefinition,
    state: FlowState,
    compiled_at: Timestamp,
    until: i64,
) -> Result<Flow, Error> {
    let text = definition_text(definition).map_err(unwritable)?;
    let update = sweep::going(Update::new(), &definition.trigger, state, Timestamp::now())
        .set("definition", text)
        .set_or_remove("after_run", after_run_of(definition))
        .set("state", state)
        .set("version", flow.version)
        .set("compiled_at", compiled_at)
        .set("updated_at", Timestamp::now())
        .remove("updating_until")
        .remove("needs_mapping")
        .remove("appflow_updated_at")
        .remove("status_message")
        .when_equal("updating_until", until);
    Ok(app
        .store
        .update(&Key::flow(flow.tenant_id, flow.id), update)
        .await?)
}

/// Gives the right back; if that fails too, it ends by itself.
pub(super) async fn abandon(app: &TenantApp, flow: &Flow, until: i64) {
    let update = Update::new()
        .remove("updating_until")
        .when_equal("updating_until", until);
    let given_back = app
        .store
        .update::<IgnoredAny>(&Key::flow(flow.tenant_id, flow.id), update)
        .await;
    if let Err(error) = given_back {
        tracing::warn!(
            tenant.id = %flow.tenant_id, flow.id = %flow.id, error.chain = %error,
            "an update was not given back; it ends by itself"
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Where, which member, its new value, and the pointer of the refusal.
    type Case = (&'static str, &'static str, Value, Option<&'static str>);

    fn definition(change: impl FnOnce(&mut Value)) -> FlowDefinition {
        let mut flow = json!({
            "name": "Sales", "accountId": "acc_019364c0a1b27cc3a4d5e6f708192a3b",
            "source": {
                "connector": "salesforce", "connectionId": "con_019364c0a1b27cc3a4d5e6f708192a3b",
                "object": "Account",
            },
            "destination": { "connector": "s3", "bucket": "landing", "format": { "file": "json" } },
            "trigger": { "type": "onDemand" }, "mappings": [{ "type": "all" }],
        });
        change(&mut flow);
        serde_json::from_value(flow).unwrap()
    }

    #[test]
    fn a_change_of_what_runs_after_a_run_is_ours_alone() {
        let old = definition(|_| {});
        let with = |query: &str| {
            definition(|flow| flow["afterRun"] = json!({ "query": query, "parameters": {} }))
        };
        assert!(is_ours_alone(&old, &with("load")));
        assert!(is_ours_alone(&with("load"), &with("refresh")));
        assert!(is_ours_alone(&with("load"), &old));
        assert!(!is_ours_alone(&old, &old));
        let mut both = with("load");
        both.name = "Other".to_owned();
        assert!(!is_ours_alone(&old, &both));
        assert_eq!(changed_for_good(&old, &with("load")), []);
    }

    #[test]
    fn f4_what_appflow_does_not_change_in_place_is_refused_and_nothing_else() {
        let old = definition(|_| {});
        let other = json!("con_00000000000000000000000000000000");
        let cases: [Case; 10] = [
            ("", "name", json!("Other"), None),
            ("", "description", json!("Other"), None),
            ("/source", "includeDeletedRecords", json!(true), None),
            ("/destination/format", "file", json!("csv"), None),
            ("/source", "object", json!("Contact"), Some("/source")),
            ("/source", "connectionId", other, Some("/source")),
            (
                "/destination",
                "bucket",
                json!("other"),
                Some("/destination"),
            ),
            ("/trigger", "type", json!("event"), Some("/trigger/type")),
            (
                "",
                "kmsKeyArn",
                json!("arn:aws:kms:us-east-1:222222222222:key/1"),
                Some("/kmsKeyArn"),
            ),
            ("", "tags", json!({ "team": "sales" }), Some("/tags")),
        ];
        for (parent, member, value, refused) in cases {
            let new = definition(|flow| flow.pointer_mut(parent).unwrap()[member] = value);
            let faults = changed_for_good(&old, &new);
            let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(
                pointers,
                refused.into_iter().collect::<Vec<_>>(),
                "{member}"
            );
        }
    }
}

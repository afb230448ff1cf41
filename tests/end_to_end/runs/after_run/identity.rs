//! Who the service identity is, what it may, and what keeps it from what is another tenant's.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use http::Method;
use sandbox::{
    Sandbox,
    warehouse::{DATABASE, WORKGROUP},
};
use sandbox_aws::ExpectedDenial;
use sandbox_core::REGION;
use serde_json::{Value, json};
use tributary::{aws::Refusal, tenancy::WarehouseSessions};

use super::world::{INSERT, Loads};
use crate::{common, flows::world::World};

/// The configuration of a function that runs under a role of the stack.
fn function(sandbox: &Sandbox, role: &str) -> SdkConfig {
    let arn = sandbox.stack.resources[role].arn().unwrap();
    let given = sandbox.aws.assume_for_function(arn, "tests").unwrap();
    let credentials = Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        given.session_token,
        None,
        "tests",
    );
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url(sandbox.aws_url.as_str())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

async fn failed(loads: &Loads<'_>, flow: &Value) -> Value {
    let run = loads.world.run(flow).await;
    let run = loads.after(flow, &run).await;
    assert_eq!(run["status"], "completed", "its data arrived: {run}");
    assert_eq!(run["afterRun"]["state"], "failed", "{run}");
    run["afterRun"]["error"].clone()
}

/// Each thing that is missing has its own code, and nothing of the warehouse's words is in it.
#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_missing_has_its_own_answer() {
    let world = World::without_schedules().await;
    let loads = Loads::without_secret(&world);
    loads.register("note-load", INSERT).await;
    let flow = loads.flow(&json!({ "query": "note-load" })).await;

    // No secret: nothing falls back to anything.
    let error = failed(&loads, &flow).await;
    assert_eq!(error["code"], "service_identity_missing", "{error}");

    // A secret with a password that is not the user's.
    let password = loads.password();
    loads.admin(&format!("CREATE USER {} PASSWORD '{password}'", loads.user));
    let wrong = loads.password();
    loads.secret(&wrong).await;
    let error = failed(&loads, &flow).await;
    assert_eq!(error["code"], "service_identity_refused", "{error}");

    // The right one, and no right to the table.
    loads.secret(&password).await;
    loads.admin(&format!("GRANT USAGE ON SCHEMA app TO {}", loads.user));
    let error = failed(&loads, &flow).await;
    assert_eq!(error["code"], "forbidden_data", "{error}");
    assert_eq!(error["retryable"], json!(false));
    assert!(!error.to_string().contains("loads"), "{error}");

    // A table that is not there.
    loads
        .register("nowhere", "INSERT INTO app.payroll (a) SELECT :run_id")
        .await;
    let other = loads.flow(&json!({ "query": "nowhere" })).await;
    let error = failed(&loads, &other).await;
    assert_eq!(error["code"], "unknown_object", "{error}");
    assert!(!error.to_string().contains("payroll"), "{error}");

    assert_eq!(loads.rows().len(), 0);
    loads.admin(&format!(
        "GRANT INSERT ON TABLE app.loads TO {}",
        loads.user
    ));
    let run = world.run(&flow).await;
    let run = loads.after(&flow, &run).await;
    assert_eq!(run["afterRun"]["state"], "finished", "{run}");
    assert_eq!(loads.rows().len(), 1);
    common::no_leaks(&world.sandbox).await;
}

/// The query is looked up when the run completes: one that is gone by then, or is for people, or
/// wants other values, is not run.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_gone_when_the_run_completes_is_not_run() {
    let world = World::without_schedules().await;
    let loads = Loads::with_identity(&world).await;
    loads.register("note-load", INSERT).await;
    let flow = loads.flow(&json!({ "query": "note-load" })).await;
    world.slow_runs(300);
    let run = world.start(&flow).await;
    let path = "/v1/registered-queries/note-load";
    let headers = [("if-match", "*")];
    let kept = world.api().call(Method::DELETE, path, None, &headers).await;
    let kept = kept.unwrap();
    assert_eq!((kept.status.as_u16(), kept.code()), (409, "in_use"));
    loads.lose_query("note-load").await;
    let run = world.ended(&flow, &run).await;
    let run = loads.after(&flow, &run).await;
    assert_eq!(run["afterRun"]["error"]["code"], "query_gone", "{run}");
    assert_eq!(run["status"], "completed");

    let narrower = json!({
        "name": "note-load", "purpose": "afterRun", "sql": INSERT,
        "parameters": [{ "name": "country", "type": "text" }],
    });
    let registered = world.api().post("/v1/registered-queries", &narrower).await;
    registered.unwrap().expect(201).unwrap();
    let error = failed(&loads, &flow).await;
    assert_eq!(error["code"], "invalid_parameters", "{error}");
    assert_eq!(loads.rows().len(), 0);
}

/// I2: the role opens the secret of the session's tenant and of no other, whatever is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn i2_another_tenants_identity_is_out_of_reach() {
    let world = World::without_schedules().await;
    let sandbox = &world.sandbox;
    Loads::with_identity(&world).await;
    let other = common::tenant(sandbox, "Others", &[("ming", "admin")]).await;
    for action in ["secretsmanager:GetSecretValue", "sts:AssumeRole"] {
        sandbox.aws.expect_denial(ExpectedDenial {
            role: "WarehouseServiceRole".to_owned(),
            action: action.to_owned(),
        });
    }
    let arn = |name: &str| sandbox.stack.resources[name].arn().unwrap().to_owned();
    let sessions = WarehouseSessions::new(
        function(sandbox, "RunEventsRole"),
        arn("WarehouseServiceRole").parse().unwrap(),
    );
    let secret = format!("tributary/tenants/{}/warehouse", world.tenant.id);
    for (tenant, may) in [(&world.tenant.id, true), (&other.id, false)] {
        let aws = sessions.config(tenant.parse().unwrap()).await.unwrap();
        let answer = aws_sdk_redshiftdata::Client::new(&aws)
            .execute_statement()
            .workgroup_name(WORKGROUP)
            .database(DATABASE)
            .secret_arn(&secret)
            .sql("SELECT 1")
            .send()
            .await;
        match answer {
            Ok(_) => assert!(may, "{tenant} opened another's secret"),
            Err(error) => {
                let refusal = Refusal::of(&error);
                assert!(refusal.is_access_denied() && !may, "{refusal:?}");
            }
        }
    }
    // The functions that read tenants' other secrets do not read this one.
    for role in [
        "FlowsRole",
        "OauthCallbackRole",
        "TokenRefreshRole",
        "RunEventsRole",
    ] {
        sandbox.aws.expect_denial(ExpectedDenial {
            role: role.to_owned(),
            action: "secretsmanager:GetSecretValue".to_owned(),
        });
        let secrets = aws_sdk_secretsmanager::Client::new(&function(sandbox, role));
        let read = secrets.get_secret_value().secret_id(&secret).send().await;
        let refusal = Refusal::of(&read.expect_err(role));
        assert!(refusal.is_access_denied(), "{role}: {refusal:?}");
    }
}

/// Nothing runs for a tenant that is suspended, also for a run that was under way.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_for_a_suspended_tenant() {
    let world = World::without_schedules().await;
    let loads = Loads::with_identity(&world).await;
    loads.register("note-load", INSERT).await;
    let flow = loads.flow(&json!({ "query": "note-load" })).await;
    let operator = world.sandbox.operator().await.unwrap();
    world.slow_runs(1500);
    let run = world.start(&flow).await;
    let standing = format!("/v1/tenants/{}", world.tenant.id);
    let reason = json!({ "reason": "Invoice 2026-113 is unpaid." });
    let suspended = operator.post(&format!("{standing}/suspend"), &reason).await;
    suspended.unwrap().expect(200).unwrap();
    world.settled().await;
    let resumed = operator
        .post(&format!("{standing}/resume"), &json!({}))
        .await;
    resumed.unwrap().expect(200).unwrap();
    let run = common::eventually("the tenant's return", || async {
        let path = format!("/v1/flows/{}/runs/{run}", flow["id"].as_str().unwrap());
        let answer = world.api().get(&path).await.unwrap();
        (answer.status.as_u16() == 200).then_some(answer.body)
    })
    .await;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(run["afterRun"]["state"], "skipped", "{run}");
    assert_eq!(run["afterRun"]["error"]["code"], "tenant_suspended");
    loads.reconciled().await;
    assert_eq!(loads.rows().len(), 0);
    assert_eq!(loads.statements().len(), 0);
}

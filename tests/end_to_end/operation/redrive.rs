//! A message that nobody could work on is kept, and sent again when its cause is gone.

use std::{collections::BTreeMap, path::Path, process::Command};

use sandbox_core::{CUSTOMER_ACCOUNT, Fault, FaultRule, Queues, REGION, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use crate::{
    common,
    flows::world::World,
    runs::events::{dead_letters, event},
};

const EXECUTION: &str = "22222222-0000-4000-8000-000000000001";

/// U3: the end of a run that could not be written goes to the dead-letter queue; `docs/redrive.py`
/// sends it again, and it is recorded and told once, however often it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_is_kept_and_after_its_redrive_recorded_and_told_once() {
    let Some(python) = std::env::var_os("TRIBUTARY_PYTHON") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "TRIBUTARY_PYTHON must name a Python with tests/independent_client/requirements.txt"
        );
        eprintln!("not run: TRIBUTARY_PYTHON is not set, see tests/independent_client/check.py");
        return;
    };
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let refusal = "com.amazonaws.dynamodb.v20120810#ValidationException";
    world.sandbox.faults.add(FaultRule {
        service: "dynamodb".to_owned(),
        operation: "TransactWriteItems".to_owned(),
        fault: Fault::Status {
            status: 400,
            retry_after: None,
            body: json!({ "__type": refusal, "message": "on demand" }).to_string(),
        },
        times: 1_000,
    });
    let end = event(&flow, EXECUTION, Some("Execution Successful"));
    world.sandbox.events.put_event(CUSTOMER_ACCOUNT, end);
    world.settled().await;
    world.sandbox.faults.clear();
    assert!(world.runs(&flow).await.is_empty());

    // Twice in the queue, as after a redrive that broke off before it deleted.
    let kept = dead_letters(&world).await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    let resources = &world.sandbox.stack.resources;
    let dead = resources["EventsDeadLetterQueue"].arn().unwrap();
    let queues: &dyn Queues = &*world.sandbox.aws;
    for _ in 0..2 {
        let sent = queues.send(dead, kept[0].clone(), BTreeMap::new());
        sent.await.unwrap();
    }

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/redrive.py");
    let admin = world.sandbox.aws.admin_credentials(VENDOR_ACCOUNT);
    let output = Command::new(python)
        .arg(script)
        .args(["--from", resources["EventsDeadLetterQueue"].physical_id()])
        .args(["--to", resources["EventQueue"].physical_id()])
        .args(["--endpoint", world.sandbox.aws_url.as_str()])
        .args(["--region", REGION])
        .env("AWS_ACCESS_KEY_ID", &admin.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &admin.secret_access_key)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{out}{err}");
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(said, json!({ "sent": 2, "kept": 0 }));

    let runs = world.ended_runs(&flow, 1).await;
    assert_eq!(runs[0]["executionId"], EXECUTION);
    let told = common::eventually("the notification", || async {
        let told = world.told_of(&runs[0]["id"]).await;
        (!told.is_empty()).then_some(told)
    })
    .await;
    world.settled().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(world.told_of(&runs[0]["id"]).await, told);
    assert!(dead_letters(&world).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

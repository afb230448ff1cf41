//! What a million runs cost, from the calls that the function makes for one: counted on the wire, priced
//! by AWS's public pages. `docs/PERFORMANCE.md` has the table; `--nocapture` prints it.

use serde_json::{Value, json};

use super::{
    events::event,
    lab::{Lab, LabFlow, Outcome, prove},
};

const EXECUTION: &str = "00000000-0000-4000-8000-0000000c0575";

/// Dollars of a million units in us-east-1.
mod price {
    /// Write request unit on demand, standard table: <https://aws.amazon.com/dynamodb/pricing/on-demand/>.
    pub(super) const WRITE: f64 = 0.625;
    /// Read request unit on demand: the same page.
    pub(super) const READ: f64 = 0.125;
    /// Publish of up to 64 KB; deliveries to queues and functions are free: <https://aws.amazon.com/sns/pricing/>.
    pub(super) const PUBLISH: f64 = 0.50;
    /// Request of up to 64 KB to a standard queue: <https://aws.amazon.com/sqs/pricing/>.
    pub(super) const QUEUE: f64 = 0.40;
    /// Invocation: <https://aws.amazon.com/lambda/pricing/>.
    pub(super) const INVOCATION: f64 = 0.20;
    /// A GB-second on arm64: the same page.
    pub(super) const GIGABYTE_SECOND: f64 = 13.3334;
}

/// Memory of the function, in GB, and what an invocation is billed for at least: `docs/PERFORMANCE.md`
/// says how long one takes.
const MEMORY: f64 = 0.25;
const BILLED_SECONDS: f64 = 0.060;

/// What a run's events take.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Bill {
    invocations: u32,
    /// Write units, of which each item of a transaction takes two a KB.
    writes: u32,
    /// Read units.
    reads: u32,
    publishes: u32,
    queue: u32,
    /// Sessions, which are free, and other calls.
    sessions: u32,
}

impl Bill {
    fn of(invocations: u32, calls: &[(String, Value)]) -> Self {
        let mut bill = Self {
            invocations,
            ..Self::default()
        };
        for (operation, body) in calls {
            match operation.as_str() {
                "TransactWriteItems" => bill.writes += transaction(body),
                // The item that an update changes has at most a KB; it is in one index.
                "UpdateItem" | "PutItem" | "DeleteItem" => bill.writes += 1,
                "GetItem" | "Query" => bill.reads += 1,
                "Publish" => bill.publishes += 1,
                "SendMessage" => bill.queue += 1,
                "AssumeRole" => bill.sessions += 1,
                other => panic!("{other} has no price"),
            }
        }
        bill
    }

    /// Dollars of a million of these.
    fn dollars(self) -> f64 {
        let invocations = f64::from(self.invocations);
        f64::from(self.writes) * price::WRITE
            + f64::from(self.reads) * price::READ
            + f64::from(self.publishes) * price::PUBLISH
            + f64::from(self.queue) * price::QUEUE
            + invocations * price::INVOCATION
            + invocations * MEMORY * BILLED_SECONDS * price::GIGABYTE_SECOND
    }
}

/// Write units of a transaction: two for each KB of each item, and as many again in the due index for an
/// item that is in it.
fn transaction(body: &Value) -> u32 {
    let actions = body["TransactItems"].as_array().unwrap();
    let units = actions.iter().map(|action| {
        let (put, update) = (&action["Put"]["Item"], &action["Update"]);
        let (item, indexes) = if put.is_object() {
            (put, u32::from(!put["due_shard"].is_null()))
        } else if update.is_object() {
            (&update["ExpressionAttributeValues"], 1)
        } else {
            (&action["Delete"]["Key"], 0)
        };
        let kilobytes = u32::try_from(size(item).div_ceil(1024)).unwrap();
        2 * kilobytes + indexes
    });
    units.sum()
}

/// Bytes of an item: names and values, without DynamoDB's JSON around them.
fn size(value: &Value) -> usize {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let is_type =
                    matches!(name.as_str(), "S" | "N" | "M" | "L" | "BOOL" | "NULL" | "B");
                size(value) + if is_type { 1 } else { name.len() }
            })
            .sum(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::String(text) => text.len(),
        _ => 1,
    }
}

async fn billed(lab: &Lab, flow: &LabFlow, status: Option<&str>) -> Bill {
    let mut event = event(&json!({ "appflowName": flow.name }), EXECUTION, status);
    event["account"] = json!(sandbox_core::CUSTOMER_ACCOUNT);
    event["time"] = json!("2026-08-29T12:55:33Z");
    lab.wire.open_bill();
    let outcome = lab.invoke(&event, None).await;
    assert_eq!(outcome, Outcome::Answered(Value::Null));
    let calls = lab.wire.bill();
    println!(
        "{status:?}: {:?}",
        calls.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    Bill::of(1, &calls)
}

/// The calls of a run are as many as the document says: more would cost more.
#[test]
fn a_million_runs_cost_what_the_document_says() {
    prove(bill);
}

async fn bill() {
    let lab = Lab::new().await;
    // The process knows its tenants' sessions and has tokens of its limit.
    let warm = lab.flow().await;
    billed(&lab, &warm, None).await;
    lab.forget(&warm).await;
    let flow = lab.flow().await;
    let start = billed(&lab, &flow, None).await;
    let end = billed(&lab, &flow, Some("Execution Successful")).await;
    let repeated = billed(&lab, &flow, Some("Execution Successful")).await;
    let table = [("start", start), ("end", end), ("end, again", repeated)];
    for (name, bill) in table {
        println!(
            "| {name} | {} | {} | {} | {} | {} | {:.2} |",
            bill.invocations,
            bill.writes,
            bill.reads,
            bill.publishes,
            bill.queue,
            bill.dollars()
        );
    }
    let run = start.dollars() + end.dollars();
    println!("| a million runs | | | | | | {run:.2} |");
    assert_eq!((start.sessions, end.sessions), (0, 0), "sessions are kept");
    assert_eq!(
        (start.publishes, end.publishes, repeated.publishes),
        (1, 1, 0)
    );
    assert!(
        start.writes <= MOST_WRITES && end.writes <= MOST_WRITES,
        "{start:?} {end:?}"
    );
    assert!(run < MOST_DOLLARS, "{run}");
}

/// Write units of one event, as documented.
const MOST_WRITES: u32 = 17;
/// Dollars of a million runs, as documented.
const MOST_DOLLARS: f64 = 25.0;

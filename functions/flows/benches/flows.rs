//! What it costs to check, compile, read back and print a flow, in time and allocations.
//!
//! ```sh
//! cargo bench -p flows --bench flows
//! ```

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up is not run"
)]

use divan::{AllocProfiler, Bencher, black_box};
use flows::{
    compile::{
        CheckedFlow, CreateFlowRequest, Surroundings, check, compile,
        import::{Known, KnownConnection, import},
    },
    model::FlowDefinition,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tributary::id::{FlowId, TenantId};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const PROFILE: &str = "sf-prod";
const SIZES: [Size; 3] = [Size::Small, Size::Typical, Size::Largest];

fn main() {
    divan::main();
}

/// How much a flow says.
#[derive(Debug, Clone, Copy)]
enum Size {
    /// Everything, under its own name.
    Small,
    /// Fifty fields, a few filters, masks and validations.
    Typical,
    /// A thousand fields with the longest names, the most filters and the longest values.
    Largest,
}

impl Size {
    fn flow(self) -> FlowDefinition {
        let mut flow = json!({
            "name": "City sales to S3",
            "accountId": "acc_019364c0a1b27cc3a4d5e6f708192a3b",
            "source": {
                "connector": "salesforce",
                "connectionId": "con_019364c0a1b27cc3a4d5e6f708192a3b",
                "object": "City_Sales__c",
            },
            "destination": { "connector": "s3", "bucket": "appflow-landing-123456789012" },
            "trigger": { "type": "scheduled", "every": "rate(1 hour)", "pull": "incremental" },
            "mappings": [{ "type": "all" }],
        });
        let (fields, filters, length) = match self {
            Self::Small => return serde_json::from_value(flow).expect("a flow"),
            Self::Typical => (50, 3, 20),
            Self::Largest => (1_000, 10, 250),
        };
        let name = |index: usize| format!("{index:04}{}", "f".repeat(length - 4));
        let list = |of: &dyn Fn(usize) -> Value, count| (0..count).map(of).collect::<Value>();
        flow["mappings"] = list(
            &|index| json!({ "type": "field", "from": name(index), "to": name(index), "fromType": "string", "toType": "string" }),
            fields,
        );
        flow["filters"] = list(
            &|index| json!({ "field": name(index), "fieldType": "string", "operator": "equals", "values": [name(1), name(2)] }),
            filters,
        );
        flow["transforms"] = list(
            &|index| json!({ "type": "mask", "field": name(index), "part": "last", "length": 4 }),
            fields / 10,
        );
        flow["validations"] = list(
            &|index| json!({ "field": name(index), "must": "notBeNull", "otherwise": "dropRecord" }),
            fields / 10,
        );
        serde_json::from_value(flow).expect("a flow")
    }

    fn checked(self) -> CheckedFlow {
        check(&self.flow(), now()).expect("a sound flow")
    }

    fn request(self) -> CreateFlowRequest {
        compile(&self.checked(), &around())
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_780_000_000).expect("an instant")
}

fn around() -> Surroundings {
    Surroundings {
        tenant_id: TenantId::new(),
        flow_id: FlowId::new(),
        source_profile: Some(PROFILE.to_owned()),
        destination_profile: None,
        staging: None,
        aws_account_id: "123456789012".to_owned(),
    }
}

fn known(flow: &FlowDefinition) -> Known {
    let connection = KnownConnection {
        id: flow.source.connection_id().expect("a connection"),
        connector: flow.source.row().key.to_owned(),
        staging: None,
    };
    Known {
        name: flow.name.clone(),
        account_id: flow.account_id,
        aws_account_id: "123456789012".to_owned(),
        connections: [(PROFILE.to_owned(), connection)].into(),
    }
}

#[divan::bench(args = SIZES)]
fn checking(bencher: Bencher<'_, '_>, size: Size) {
    let flow = size.flow();
    bencher.bench(|| check(black_box(&flow), now()));
}

#[divan::bench(args = SIZES)]
fn compiling(bencher: Bencher<'_, '_>, size: Size) {
    let (checked, around) = (size.checked(), around());
    bencher.bench(|| compile(black_box(&checked), &around));
}

#[divan::bench(args = SIZES)]
fn reading_back(bencher: Bencher<'_, '_>, size: Size) {
    let (request, known) = (size.request(), known(&size.flow()));
    import(&request, &known).expect("what compiles reads back");
    bencher.bench(|| import(black_box(&request), &known));
}

#[divan::bench(args = SIZES)]
fn to_json(bencher: Bencher<'_, '_>, size: Size) {
    let request = size.request();
    bencher.bench(|| serde_json::to_string(black_box(&request)));
}

//! Flows of every kind, for property tests: [`sound_flow`] keeps every rule, [`any_flow`] may not.

use proptest::{
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Value, json};
use tributary::connector::{Connector, connector};

use crate::{
    compile::{Staging, Surroundings, samples},
    model::FlowDefinition,
};

const CONNECTION: &str = "con_019364c0a1b27cc3a4d5e6f708192a3b";
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";

/// Every source, sparse and full, without its connection.
pub(crate) const SOURCES: &[(&str, &str)] = &[
    ("salesforce", r#"{"object":"Account"}"#),
    (
        "salesforce",
        r#"{"object":"A__c","dataTransferApi":"bulkV2","includeDeletedRecords":true,"apiVersion":"v58.0"}"#,
    ),
    ("salesforce", r#"{"object":"AccountChangeEvent"}"#),
    ("salesforce", r#"{"object":"Order_Event__e"}"#),
    ("s3", r#"{"bucket":"landing","prefix":"in"}"#),
    (
        "s3",
        r#"{"bucket":"landing","prefix":"in/json","file":"json"}"#,
    ),
    ("serviceNow", r#"{"object":"incident"}"#),
    ("zendesk", r#"{"object":"tickets","apiVersion":"v2"}"#),
    ("slack", r#"{"object":"conversations/C1"}"#),
    ("marketo", r#"{"object":"leads"}"#),
    (
        "sapOData",
        r#"{"objectPath":"/sap/opu/odata/sap/S/A_Order","maxParallelism":10,"maxPageSize":1}"#,
    ),
    ("sapOData", r#"{"objectPath":"/sap/opu/odata/sap/S/A"}"#),
    ("veeva", r#"{"object":"product__v"}"#),
    (
        "veeva",
        r#"{"object":"documents/types/base__v","documentType":"base__v","includeSourceFiles":true,"includeRenditions":false,"includeAllVersions":true}"#,
    ),
    ("pardot", r#"{"object":"prospects"}"#),
    ("datadog", r#"{"object":"metrics"}"#),
    ("dynatrace", r#"{"object":"problems"}"#),
    ("inforNexus", r#"{"object":"orders"}"#),
    ("singular", r#"{"object":"reporting"}"#),
    ("trendMicro", r#"{"object":"events"}"#),
    ("googleAnalytics", r#"{"object":"reports"}"#),
    ("amplitude", r#"{"object":"events"}"#),
    ("asana", r#"{"entity":"tasks"}"#),
    ("asana", r#"{"entity":"tasks","apiVersion":"1.0"}"#),
    ("gitHub", r#"{"entity":"issues","apiVersion":"v3"}"#),
    ("googleAds", r#"{"entity":"campaign","apiVersion":"v16"}"#),
    (
        "googleAnalytics4",
        r#"{"entity":"reports","apiVersion":"v1beta"}"#,
    ),
    (
        "googleBigQuery",
        r#"{"entity":"table/p/d/t","apiVersion":"v2"}"#,
    ),
    (
        "hubSpot",
        r#"{"entity":"crm/objects/contacts","apiVersion":"v3"}"#,
    ),
    ("jdbc", r#"{"entity":"public.orders"}"#),
    ("mailchimp", r#"{"entity":"lists","apiVersion":"3.0"}"#),
    (
        "dynamics365",
        r#"{"entity":"accounts","apiVersion":"v9.2"}"#,
    ),
    (
        "sharePoint",
        r#"{"site":"sites/root","items":["drives/b!1","drives/b!1/items/2"],"apiVersion":"v1.0"}"#,
    ),
    (
        "marketingCloud",
        r#"{"entity":"subscribers","apiVersion":"v1"}"#,
    ),
    (
        "custom",
        r#"{"entity":"Thing","apiVersion":"7","properties":{"region":"eu"}}"#,
    ),
];

/// Every destination, sparse and full, without its connection and what is done with records.
pub(crate) const DESTINATIONS: &[(&str, &str)] = &[
    ("s3", r#"{"bucket":"landing"}"#),
    (
        "s3",
        r#"{"bucket":"landing","prefix":"out","format":{"file":"json","aggregation":"singleFile","targetFileSizeMb":64,"prefix":{"place":"pathAndFileName","depth":"hour","folders":["executionId","schemaVersion"]}},"catalog":{"roleArn":"arn:aws:iam::123456789012:role/glue","databaseName":"lake","tablePrefix":"t"}}"#,
    ),
    ("redshift", r#"{"table":"t"}"#),
    (
        "redshift",
        r#"{"schema":"s","table":"t","errorHandling":{"bucket":"errors","prefix":"p","stopOnFirstError":false}}"#,
    ),
    ("snowflake", r#"{"schema":"S","table":"T"}"#),
    (
        "salesforce",
        r#"{"object":"Account","dataTransferApi":"restSync"}"#,
    ),
    (
        "eventBridge",
        r#"{"suffix":"acme-cdc","errorHandling":{"bucket":"large-events"}}"#,
    ),
    ("eventBridge", "{}"),
    ("zendesk", r#"{"object":"tickets"}"#),
    (
        "marketo",
        r#"{"object":"leads","errorHandling":{"stopOnFirstError":true}}"#,
    ),
    (
        "sapOData",
        r#"{"objectPath":"/sap/opu/odata/sap/S/A","successResponses":{"bucket":"answers","prefix":"sap"}}"#,
    ),
    (
        "googleBigQuery",
        r#"{"entity":"table/p/d/t","apiVersion":"v2"}"#,
    ),
    ("hubSpot", r#"{"entity":"crm/deals","apiVersion":"v3"}"#),
    ("jdbc", r#"{"entity":"public.orders"}"#),
    (
        "rdsPostgreSql",
        r#"{"entity":"public.orders","apiVersion":"1.0"}"#,
    ),
    (
        "custom",
        r#"{"entity":"Thing","apiVersion":"7","properties":{"k":"v"},"errorHandling":{"bucket":"errors"}}"#,
    ),
    (
        "customerProfiles",
        r#"{"domain":"people","objectType":"Account"}"#,
    ),
    (
        "upsolver",
        r#"{"bucket":"upsolver-appflow-1","format":{"file":"parquet","prefix":{"place":"path","depth":"day"}}}"#,
    ),
    ("lookoutMetrics", "{}"),
    ("honeycode", r#"{"object":"table"}"#),
];

/// The end of an application, read from its table, with its connection where it has one.
pub(crate) fn end(key: &str, members: &str) -> Value {
    let mut end: Value = serde_json::from_str(members).unwrap();
    end["connector"] = key.into();
    if row(key).has_profile() {
        end["connectionId"] = CONNECTION.into();
    }
    end
}

fn row(key: &str) -> &'static Connector {
    connector(key).unwrap()
}

fn sends_events(source: &Value) -> bool {
    let object = source["object"].as_str().unwrap_or_default();
    source["connector"] == "salesforce"
        && (object.ends_with("ChangeEvent") || object.ends_with("__e"))
}

fn brings_documents(source: &Value) -> bool {
    let object = source["object"].as_str().unwrap_or_default();
    source["connector"] == "veeva" && object.starts_with("documents")
}

fn ends() -> impl Strategy<Value = (Value, Value)> {
    select(SOURCES).prop_flat_map(|(from, members)| {
        let source = end(from, members);
        let fitting: Vec<_> = DESTINATIONS
            .iter()
            .filter(|(to, _)| row(from).destinations.contains(to))
            .filter(|(to, _)| *to != "eventBridge" || sends_events(&source))
            .filter(|(to, _)| *to != "lookoutMetrics" || !sends_events(&source))
            .filter(|(to, _)| *to == "s3" || !brings_documents(&source))
            .copied()
            .collect();
        (Just(source), select(fitting), any::<usize>())
            .prop_map(|(source, (to, members), pick)| (source, destination(to, members, pick)))
    })
}

fn destination(key: &str, members: &str, pick: usize) -> Value {
    let mut destination = end(key, members);
    let writes = row(key).writes;
    // Warehouses and Marketo have nothing to choose.
    let chooses = !["redshift", "snowflake", "marketo", "honeycode"].contains(&key);
    if chooses && let Some(write) = writes.get(pick % writes.len().max(1)) {
        destination["write"] = json!(write);
        if destination["write"] != "insert" {
            destination["idFields"] = json!(["Id"]);
        }
    }
    if key == "s3" && pick % 3 == 0 {
        destination["partitionBy"] = json!(["Id"]);
    }
    destination
}

fn trigger(source: &Value, destination: &Value) -> BoxedStrategy<Value> {
    if sends_events(source) {
        return Just(json!({ "type": "event" })).boxed();
    }
    let row = row(source["connector"].as_str().unwrap());
    let least = row.shortest_schedule_minutes.unwrap_or(1);
    let least = if brings_documents(source) { 60 } else { least };
    let every = prop_oneof![
        (least..20_000).prop_map(|minutes| format!("rate({minutes} minutes)")),
        (1..40_u32).prop_map(|days| format!("rate({days} days)")),
        Just("rate(1 month)".to_owned()),
        Just("cron(0 3 ? * MON-FRI *)".to_owned()),
    ];
    let instant = |from| {
        (from..from + 100_000_000_i64)
            .prop_map(|second| jiff::Timestamp::from_second(second).unwrap().to_string())
    };
    let scheduled = (
        every,
        any::<bool>(),
        proptest::option::of(instant(2_000_000_000)),
        proptest::option::of(instant(4_000_000_000)),
        proptest::option::of(instant(1_600_000_000)),
        proptest::option::of((0..=36_000_i64, 1..=100_i32)),
    )
        .prop_map(|(every, incremental, start, end, first, numbers)| {
            let pull = if incremental {
                "incremental"
            } else {
                "complete"
            };
            let mut trigger = json!({ "type": "scheduled", "every": every, "pull": pull });
            for (name, instant) in [("start", start), ("end", end)] {
                if let Some(instant) = instant {
                    trigger[name] = instant.into();
                }
            }
            if let Some(first) = first.filter(|_| incremental) {
                trigger["firstFrom"] = first.into();
                trigger["timestampField"] = "LastModifiedDate".into();
            }
            if let Some((offset, failures)) = numbers {
                trigger["offsetSeconds"] = offset.into();
                trigger["stopAfterFailures"] = failures.into();
                trigger["timeZone"] = "Europe/Berlin".into();
            }
            trigger
        });
    if destination["connector"] == "lookoutMetrics" {
        scheduled.boxed()
    } else {
        prop_oneof![Just(json!({ "type": "onDemand" })), scheduled].boxed()
    }
}

/// Always with a target `Id`, which destinations may want.
fn mappings(source: &Value) -> BoxedStrategy<Vec<Value>> {
    let row = row(source["connector"].as_str().unwrap());
    if !row.projects {
        return Just(vec![json!({ "type": "all" })]).boxed();
    }
    let all = subsequence(vec!["Secret__c", "a\"b", "c,d"], 0..=3)
        .prop_map(|excluded| vec![json!({ "type": "all", "exclude": excluded })]);
    let fields =
        subsequence(vec!["Name", "Phone", "City__c", "Größe"], 0..=4).prop_map(|fields| {
            let mut mappings = vec![json!({
                "type": "field", "from": "Id", "to": "Id", "fromType": "id", "toType": "string",
            })];
            mappings.extend(fields.iter().map(
                |field| json!({ "type": "field", "from": field, "to": format!("to {field}") }),
            ));
            mappings
        });
    let base = prop_oneof![all, fields];
    if !row.changes_values || brings_documents(source) {
        return base.boxed();
    }
    let concatenation = Just(json!({
        "type": "concatenate", "from": ["Name", "City__c"], "format": "${Name}, ${City__c}",
        "to": "Title", "toType": "string",
    }));
    let calculation = select(vec!["add", "subtract", "multiply", "divide"]).prop_map(|operation| {
        json!({
            "type": "calculate", "operation": operation, "left": "Amount__c", "right": "Rate__c",
            "to": "Total", "toType": "double",
        })
    });
    (
        base,
        proptest::option::of(concatenation),
        proptest::option::of(calculation),
    )
        .prop_map(|(mut mappings, concatenation, calculation)| {
            mappings.extend(concatenation.into_iter().chain(calculation));
            mappings
        })
        .boxed()
}

fn filters(source: &Value) -> BoxedStrategy<Vec<Value>> {
    let row = row(source["connector"].as_str().unwrap());
    let filter = (select(row.comparisons), 0..3_usize, 1..4_i64, any::<bool>()).prop_map(
        |(comparison, kind, number, several)| {
            let operator = json!(comparison);
            let word = operator.as_str().unwrap().to_owned();
            let day = format!("2026-01-0{number}");
            let (field_type, value) = match (word.as_str(), kind) {
                ("contains", _) | ("equals" | "notEquals", 0) => ("string", json!("x y")),
                ("equals" | "notEquals", 1) => ("boolean", json!(true)),
                ("between", _) | (_, 2) => ("datetime", json!(day)),
                _ => ("double", json!(number)),
            };
            let mut filter = json!({
                "field": format!("F{number}"), "fieldType": field_type, "operator": operator,
            });
            match word.as_str() {
                "between" => {
                    filter["lower"] = value;
                    filter["upper"] = "2026-02-01T00:00:00Z".into();
                }
                "contains" | "equals" | "notEquals" if several => filter["values"] = json!([value]),
                _ => filter["value"] = value,
            }
            filter
        },
    );
    // One filter of a field and an operator is enough; more would repeat each other.
    proptest::collection::vec(filter, 0..=1).boxed()
}

fn changes(source: &Value) -> BoxedStrategy<(Vec<Value>, Vec<Value>)> {
    let row = row(source["connector"].as_str().unwrap());
    if !row.changes_values || brings_documents(source) {
        return Just((Vec::new(), Vec::new())).boxed();
    }
    let transforms = subsequence(
        vec![
            json!({ "type": "mask", "field": "Id", "part": "last", "length": 4, "with": "#" }),
            json!({ "type": "truncate", "field": "Id", "length": 20 }),
        ],
        0..=2,
    );
    let requirements = vec!["notBeNull", "notBeZero", "notBeNegative", "beNumeric"];
    let validations = subsequence(requirements, 0..=4).prop_map(|musts| {
        musts
            .iter()
            .map(|must| json!({ "field": "Id", "must": must, "otherwise": "dropRecord" }))
            .collect()
    });
    (transforms, validations).boxed()
}

/// A flow that keeps every rule, from any source to any destination that the source offers.
pub(crate) fn sound_flow() -> impl Strategy<Value = FlowDefinition> {
    ends()
        .prop_flat_map(|(source, destination)| {
            let trigger = trigger(&source, &destination);
            let mappings = mappings(&source);
            let filters = filters(&source);
            let changes = changes(&source);
            (
                Just((source, destination)),
                trigger,
                mappings,
                filters,
                changes,
                any::<bool>(),
            )
        })
        .prop_map(|(ends, trigger, mappings, filters, changes, full)| {
            let (mut source, destination) = ends;
            let everything = mappings[0]["type"] == "all";
            if everything
                && full
                && source["connector"] == "salesforce"
                && destination["connector"] == "s3"
            {
                source["addNewFields"] = true.into();
            }
            let mut flow = serde_json::to_value(samples::flow(|_| {})).unwrap();
            if full || destination["connector"] == "lookoutMetrics" {
                flow["kmsKeyArn"] = KEY.into();
                flow["description"] = "Every day, at 3.".into();
                flow["tags"] = json!({ "team": "sales/eu 1", "cost-center": "" });
            }
            for (name, part) in [
                ("source", source),
                ("destination", destination),
                ("trigger", trigger),
                ("mappings", mappings.into()),
                ("filters", filters.into()),
                ("transforms", changes.0.into()),
                ("validations", changes.1.into()),
            ] {
                flow[name] = part;
            }
            serde_json::from_value(flow).unwrap()
        })
}

/// Something that is done to a part of a flow to break it.
#[derive(Debug, Clone)]
enum Harm {
    /// A text, number or other leaf becomes this.
    Leaf(usize, Value),
    /// An element of a list is there once more.
    Double(usize),
    /// A part comes from another flow.
    Swap(&'static str, Box<FlowDefinition>),
    /// Members or elements are gone.
    Remove(usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let leaf = prop_oneof![
        "\\PC{0,6}".prop_map(Value::from),
        "[a-z ,./\n]{0,6}".prop_map(Value::from),
        (250..2100_usize).prop_map(|length| "x".repeat(length).into()),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!([])),
    ];
    let parts = vec![
        "source",
        "destination",
        "trigger",
        "mappings",
        "filters",
        "transforms",
        "validations",
    ];
    prop_oneof![
        4 => (any::<usize>(), leaf).prop_map(|(at, value)| Harm::Leaf(at, value)),
        1 => any::<usize>().prop_map(Harm::Double),
        2 => (select(parts), sound_flow()).prop_map(|(part, flow)| Harm::Swap(part, Box::new(flow))),
        1 => any::<usize>().prop_map(Harm::Remove),
    ]
}

/// A flow that may break rules; it always reads as a flow.
pub(crate) fn any_flow() -> impl Strategy<Value = FlowDefinition> {
    (sound_flow(), proptest::collection::vec(harm(), 0..5)).prop_map(|(flow, harms)| {
        harms.into_iter().fold(flow, |flow, harm| {
            let mut value = serde_json::to_value(&flow).unwrap();
            break_it(&mut value, harm);
            serde_json::from_value(value).unwrap_or(flow)
        })
    })
}

fn break_it(flow: &mut Value, harm: Harm) {
    let mut places = Vec::new();
    collect(flow, String::new(), &mut places);
    let at = |which: usize| places[which % places.len()].clone();
    match harm {
        Harm::Leaf(which, value) => *flow.pointer_mut(&at(which)).unwrap() = value,
        Harm::Swap(part, other) => {
            let other = serde_json::to_value(other).unwrap();
            flow[part] = other.get(part).cloned().unwrap_or_else(|| json!([]));
        }
        Harm::Double(which) => {
            let place = at(which);
            let element = flow.pointer(&place).unwrap().clone();
            let parent = place.rsplit_once('/').unwrap().0;
            if let Some(Value::Array(list)) = flow.pointer_mut(parent) {
                list.push(element);
            }
        }
        Harm::Remove(which) => {
            let place = at(which);
            let (parent, name) = place.rsplit_once('/').unwrap();
            match flow.pointer_mut(parent).unwrap() {
                Value::Object(members) => _ = members.remove(name),
                Value::Array(list) => _ = list.pop(),
                _ => {}
            }
        }
    }
}

/// Pointers to everything in a value.
fn collect(value: &Value, pointer: String, places: &mut Vec<String>) {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(k, v)| (escape(k), v)).collect(),
        Value::Array(list) => (0..)
            .map(|index: usize| index.to_string())
            .zip(list)
            .collect(),
        _ => Vec::new(),
    };
    for (name, value) in inside {
        collect(value, format!("{pointer}/{name}"), places);
    }
    if !pointer.is_empty() {
        places.push(pointer);
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Names around a flow, with profiles where its ends have connections.
pub(crate) fn around(flow: &FlowDefinition) -> Surroundings {
    let profile = |row: &Connector| row.has_profile().then(|| format!("{}-prod", row.key));
    let (from, to) = (flow.source.row(), flow.destination.row());
    Surroundings {
        source_profile: profile(from),
        destination_profile: profile(to),
        staging: ["redshift", "snowflake"]
            .contains(&to.key)
            .then(|| Staging {
                bucket: "stage-bucket".to_owned(),
                prefix: Some("stage".to_owned()),
                database: Some("SALES".to_owned()),
            }),
        ..samples::around()
    }
}

#[test]
fn the_tables_name_every_connector() {
    for row in tributary::connector::CONNECTORS {
        let is_in = |table: &[(&str, &str)]| table.iter().any(|(key, _)| *key == row.key);
        assert_eq!(is_in(SOURCES), row.source, "{}", row.key);
        assert_eq!(is_in(DESTINATIONS), row.destination, "{}", row.key);
    }
}

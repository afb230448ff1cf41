//! The requests of the reference (`events/appflow/create-flow-*.json`), each with the flow that a
//! person would write for it (`flow-*.json`): there and back.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    CreateFlowRequest, Staging, Surroundings, check, compile,
    described::{self, tests::as_described},
    import::import,
    normal::normal,
    samples::{around, known},
};
use crate::model::{FlowDefinition, Mapping};

pub(super) fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// A request of the reference, its flow, and what is around it.
pub(super) struct Reference {
    pub(super) name: &'static str,
    request: &'static str,
    flow: &'static str,
    profiles: [Option<&'static str>; 2],
    staging: Option<[&'static str; 2]>,
}

macro_rules! reference {
    ($request:literal, $flow:literal, $from:expr, $to:expr, $staging:expr) => {
        Reference {
            name: $request,
            request: include_str!(concat!("../../../../events/appflow/", $request, ".json")),
            flow: include_str!(concat!("../../../../events/appflow/", $flow, ".json")),
            profiles: [$from, $to],
            staging: $staging,
        }
    };
}

#[rustfmt::skip]
pub(super) const REFERENCES: &[Reference] = &[
    reference!("create-flow-01-salesforce-to-s3-full", "flow-01-salesforce-to-s3-full", Some("sf-prod"), None, None),
    reference!("create-flow-02-salesforce-to-s3-incremental-parquet-glue", "flow-02-salesforce-to-s3-incremental-parquet-glue", Some("sf-prod"), None, None),
    reference!("create-flow-03-salesforce-event-to-eventbridge", "flow-03-salesforce-event-to-eventbridge", Some("sf-prod"), None, None),
    reference!("create-flow-04-servicenow-to-redshift", "flow-04-servicenow-to-redshift", Some("servicenow-prod"), Some("redshift-dwh"), Some(["appflow-redshift-stage-123456789012", "incident"])),
    reference!("create-flow-05-s3-to-salesforce-upsert", "flow-05-s3-to-salesforce-upsert", None, Some("sf-prod"), None),
    reference!("create-flow-06-salesforce-to-s3-transform", "flow-06-salesforce-to-s3-transform", Some("sf-prod"), None, None),
    reference!("create-flow-07-hubspot-customconnector-to-s3", "flow-07-hubspot-to-s3", Some("hubspot-acme"), None, None),
    reference!("create-flow-08-sapodata-to-s3-parallel", "flow-08-sap-to-s3-parallel", Some("sap-prod"), None, None),
    reference!("create-flow-09-s3-to-customconnector", "flow-09-s3-to-custom-connector", None, Some("crm-acme"), None),
    reference!("create-flow-10-zendesk-to-snowflake", "flow-10-zendesk-to-snowflake", Some("zendesk-acme"), Some("snowflake-dwh"), Some(["appflow-snowflake-stage-123456789012", "tickets"])),
    reference!("create-flow-11-partition-by-field-UNVERIFIED-ENCODING", "flow-11-partition-by-field", Some("sf-prod"), None, None),
];

impl Reference {
    pub(super) fn flow(&self) -> FlowDefinition {
        serde_json::from_str(self.flow).unwrap()
    }

    pub(super) fn around(&self) -> Surroundings {
        let [source, destination] = self.profiles.map(|profile| profile.map(str::to_owned));
        Surroundings {
            source_profile: source,
            destination_profile: destination,
            staging: self.staging.map(|[bucket, prefix]| Staging {
                bucket: bucket.to_owned(),
                prefix: Some(prefix.to_owned()),
                database: None,
            }),
            ..around()
        }
    }

    pub(super) fn compiled(&self) -> CreateFlowRequest {
        let checked = check(&self.flow(), now()).unwrap_or_else(|faults| {
            panic!("{}: {faults:?}", self.name);
        });
        compile(&checked, &self.around())
    }
}

/// The request without its name, token and tags, tasks in one order, without empty maps.
fn comparable(text: &str) -> Map<String, Value> {
    let mut request: Map<String, Value> = serde_json::from_str(text).unwrap();
    for name in ["flowName", "clientToken", "tags"] {
        request.remove(name);
    }
    request.values_mut().for_each(without_empty_maps);
    let tasks = request["tasks"].as_array_mut().unwrap();
    tasks.sort_by_key(ToString::to_string);
    request
}

fn without_empty_maps(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(without_empty_maps);
            members.retain(|_, member| member.as_object().is_none_or(|map| !map.is_empty()));
        }
        Value::Array(list) => list.iter_mut().for_each(without_empty_maps),
        _ => {}
    }
}

fn assert_same(name: &str, ours: &CreateFlowRequest, expected: &str) {
    let ours = comparable(&serde_json::to_string(ours).unwrap());
    let expected = comparable(expected);
    let names = |request: &Map<String, Value>| request.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&expected), "{name}");
    for (member, value) in &expected {
        assert_eq!(ours[member], *value, "{name}: {member}");
    }
}

#[test]
fn f2_every_request_of_the_reference_is_what_its_flow_compiles_to() {
    for reference in REFERENCES {
        assert_same(reference.name, &reference.compiled(), reference.request);
    }
}

#[test]
fn every_request_of_the_reference_reads_back_as_its_flow() {
    for reference in REFERENCES {
        let (flow, name) = (reference.flow(), reference.name);
        let around = known(&flow, &reference.around());
        let request: CreateFlowRequest = serde_json::from_str(reference.request).unwrap();
        let read = import(&request, &around).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert_eq!(unordered(&read), unordered(&flow), "{name}");
        let described = described::request(&as_described(&request)).unwrap();
        let read = import(&described, &around).unwrap();
        assert_eq!(unordered(&read), unordered(&flow), "{name}, described");
    }
}

/// The normal form with the mappings in one order: that of tasks says nothing.
fn unordered(flow: &FlowDefinition) -> FlowDefinition {
    let mut flow = normal(flow);
    flow.mappings
        .sort_by_key(|mapping| mapping.target().cloned());
    flow
}

#[test]
fn what_a_request_says_explicitly_stays_said() {
    for reference in &REFERENCES[..5] {
        let flow = reference.flow();
        let request: CreateFlowRequest = serde_json::from_str(reference.request).unwrap();
        let read = import(&request, &known(&flow, &reference.around())).unwrap();
        assert_eq!(read, flow, "{}", reference.name);
    }
}

#[test]
fn f4_the_references_update_is_what_its_changed_flow_compiles_to() {
    let mut flow = REFERENCES[0].flow();
    flow.description = Some("Full copy minus two fields".to_owned());
    let Mapping::All(all) = &mut flow.mappings[0] else {
        panic!("another mapping");
    };
    all.exclude = vec!["Jigsaw".to_owned(), "SicDesc".to_owned()];
    let checked = check(&flow, now()).unwrap();
    let request = compile(&checked, &REFERENCES[0].around());
    let expected = include_str!("../../../../events/appflow/update-flow-01-change-mapping.json");
    assert_same("update-flow-01", &request, expected);
    let input = super::update_flow_input(&request).unwrap().build().unwrap();
    assert_eq!(input.description(), Some("Full copy minus two fields"));
}

#[test]
fn the_references_answer_of_describe_flow_reads_as_a_flow() {
    let text = include_str!("../../../../events/appflow/response-describe-flow.json");
    let mut answer: Value = serde_json::from_str(text).unwrap();
    as_the_sdk_reads(&mut answer);
    let request: CreateFlowRequest = serde_json::from_value(answer).unwrap();
    let request = described::request(&as_described(&request)).unwrap();
    let reference = &REFERENCES[1];
    let read = import(&request, &known(&reference.flow(), &reference.around())).unwrap();
    let mut expected = reference.flow();
    expected.description = Some("Hourly incremental Account feed".to_owned());
    expected.kms_key_arn = None;
    expected.tags = [("tenant".to_owned(), "t-acme".to_owned())].into();
    expected
        .mappings
        .retain(|mapping| ["Id", "LastModifiedDate"].contains(&mapping.target().unwrap().as_str()));
    if let crate::model::Trigger::Scheduled(scheduled) = &mut expected.trigger {
        scheduled.first_from = None;
    }
    assert_eq!(normal(&read), normal(&expected));
}

/// A null is an absence, and an instant of whole seconds a whole number.
fn as_the_sdk_reads(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(as_the_sdk_reads);
        }
        Value::Array(list) => list.iter_mut().for_each(as_the_sdk_reads),
        Value::Number(number) if number.is_f64() => {
            let seconds = number.as_f64().unwrap().to_string();
            *value = serde_json::from_str(&seconds).unwrap();
        }
        _ => {}
    }
}

//! `docs/events/` says what subscribers are told, and they are told nothing else.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::OnceLock};

use jsonschema::{Registry, Validator};
use serde_json::Value;
use tributary::{event::CloudEvent, subscription::EventType};

/// The schema of each type, and what checks it.
static SCHEMAS: OnceLock<BTreeMap<&'static str, (Value, Validator)>> = OnceLock::new();

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/events")
}

fn read(name: &str) -> Value {
    let path = folder().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn schemas() -> &'static BTreeMap<&'static str, (Value, Validator)> {
    SCHEMAS.get_or_init(|| {
        let envelope = read("envelope.schema.json");
        let id = envelope["$id"].as_str().unwrap().to_owned();
        let registry = Registry::new().add(id, envelope).unwrap();
        let registry = registry.prepare().unwrap();
        let compiled = EventType::ALL.iter().map(|kind| {
            let schema = read(&format!("{}.schema.json", kind.as_str()));
            let validator = jsonschema::options()
                .with_registry(&registry)
                .should_validate_formats(true)
                .build(&schema)
                .unwrap_or_else(|error| panic!("{kind:?}: {error}"));
            (kind.as_str(), (schema, validator))
        });
        compiled.collect()
    })
}

/// What is wrong with an event, one line each.
fn faults(event: &Value) -> Vec<String> {
    let kind = event["type"].as_str().unwrap_or_default();
    let Some((schema, validator)) = schemas().get(kind) else {
        return vec![format!("no schema: {event}")];
    };
    let mut faults: Vec<String> = validator
        .iter_errors(event)
        .map(|error| format!("{kind}{}: {error}", error.instance_path()))
        .collect();
    // Schemas allow what later versions may add; this one adds nothing that they do not name.
    let named = &schema["properties"]["data"]["properties"];
    let data = event["data"].as_object().into_iter().flatten();
    faults.extend(
        data.filter(|(name, _)| named.get(name).is_none() && *name != "omitted")
            .map(|(name, _)| format!("{kind}: the schema does not name {name}")),
    );
    faults
}

/// Everything that was told keeps to its schema, and no two facts about a subject have the same place.
pub(crate) fn assert_told_as_documented(told: &[Value]) {
    let faults: Vec<String> = told.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "not as documented: {faults:#?}");
    let mut places: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for event in told {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let first = places.insert((text("subject"), text("sequence")), text("id"));
        assert!(
            first.is_none_or(|first| first == text("id")),
            "two facts have one sequence: {first:?}, {event}"
        );
    }
}

/// N1: each type has a schema and an example that keeps to it; nothing else lies about.
#[test]
fn n1_each_type_has_a_schema_and_an_example() {
    let mut files: Vec<String> = Vec::new();
    for kind in EventType::ALL {
        let name = kind.as_str();
        let example = read(&format!("examples/{name}.json"));
        assert_eq!(example["type"], name);
        assert_eq!(faults(&example), Vec::<String>::new());
        // As the functions read and write it.
        let event: CloudEvent = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), example);
        files.push(format!("{name}.schema.json"));
    }
    files.extend(["envelope.schema.json".to_owned(), "examples".to_owned()]);
    files.sort();
    let mut found: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, files);
    assert_eq!(
        faults(&read("examples/reference.json")),
        Vec::<String>::new()
    );
}

/// A check that finds nothing wrong with anything would prove nothing.
#[test]
fn n1_what_is_not_as_documented_is_found() {
    let good = read("examples/tributary.run.failed.json");
    for (pointer, value) in [
        ("/sequence", Value::from("20")),
        ("/id", Value::from("1")),
        ("/time", Value::from("yesterday")),
        ("/tenantid", Value::from("Blue")),
        (
            "/subject",
            Value::from("flw_019364c0a1b27cc3a4d5e6f708192a3b"),
        ),
        ("/data/status", Value::from("completed")),
        ("/data/recordsFailed", Value::from(-1)),
        ("/type", Value::from("tributary.run.lost")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert!(!faults(&bad).is_empty(), "{pointer}");
    }
    for name in ["data", "sequence", "id"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(name);
        assert!(!faults(&bad).is_empty(), "without {name}");
    }
    let mut bad = good.clone();
    bad["data"].as_object_mut().unwrap().remove("flowId");
    assert!(!faults(&bad).is_empty(), "without flowId");
    let mut bad = good.clone();
    bad["data"]["surprise"] = Value::from(1);
    assert!(!faults(&bad).is_empty(), "with a member that is not named");
    let mut both = good;
    both["dataref"] =
        Value::from("https://api.example.com/v1/events/2c281412-1696-5210-a21b-26036a49ff14");
    assert!(!faults(&both).is_empty(), "with data and a reference");
}

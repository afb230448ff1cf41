//! Bodies that nobody meant: what comes over the wire is read or refused, and never more than that.

use proptest::prelude::*;
use serde_json::{Value, json};
use tributary::http::body::parse;

use super::{super::arbitrary::any_flow, now};
use crate::{compile::check, model::FlowDefinition};

/// What a caller is told about a body that cannot be read.
fn fault(body: &[u8]) -> Option<(String, String)> {
    let error = parse::<FlowDefinition>(body).err()?;
    assert_eq!(error.code(), "malformed_body");
    let [fault] = error.faults() else {
        panic!("{error:?}");
    };
    Some((fault.pointer.clone(), fault.detail.clone()))
}

fn sound() -> Value {
    serde_json::to_value(crate::compile::samples::full_flow()).unwrap()
}

#[test]
fn f8_a_key_that_stands_twice_is_refused_also_where_any_key_may_stand() {
    let text = sound().to_string();
    assert_eq!(fault(text.as_bytes()), None);
    for (tags, pointer) in [
        (r#"{"a":"1","a":"2"}"#, "/tags/a"),
        (r#"{"a/b":"1","a/b":"1"}"#, "/tags/a~1b"),
    ] {
        let body = text.replacen('{', &format!(r#"{{"tags":{tags},"#), 1);
        assert_eq!(fault(body.as_bytes()).unwrap().0, pointer);
    }
    let body = text.replacen('{', r#"{"name":"x","#, 1);
    assert_eq!(fault(body.as_bytes()).unwrap().0, "/name");
}

#[test]
fn f8_a_value_of_another_type_is_refused_with_its_place() {
    for (member, wrong, pointer) in [
        ("name", json!(1), "/name"),
        ("accountId", json!("acc_1"), "/accountId"),
        ("mappings", json!({}), "/mappings"),
        (
            "source",
            json!({ "connector": "floppy" }),
            "/source/connector",
        ),
        ("source", json!("salesforce"), "/source"),
        ("trigger", json!({ "type": "hourly" }), "/trigger/type"),
        ("filters", json!([1]), "/filters/0"),
        ("tags", json!({ "a": 1 }), "/tags/a"),
        ("extra", json!(null), "/extra"),
    ] {
        let mut flow = sound();
        flow[member] = wrong.clone();
        let (found, detail) = fault(flow.to_string().as_bytes()).unwrap();
        assert_eq!(found, pointer, "{member}: {wrong}");
        assert!(!detail.is_empty());
    }
}

/// Changes bytes of a text in a few places.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let changes =
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6);
    (any_flow(), changes).prop_map(|(flow, changes)| {
        let mut bytes = serde_json::to_vec(&flow).unwrap();
        for (place, byte, how) in changes {
            let at = place.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(1)),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A4, F8: whatever the bytes are, they are read or refused with one pointer; what is read is
    /// checked. Neither step has anything to call AWS with.
    #[test]
    fn f8_a4_damaged_bodies_are_read_or_refused_and_nothing_panics(body in damaged()) {
        match parse::<FlowDefinition>(&body) {
            Ok(flow) => drop(check(&flow, now())),
            Err(error) => {
                prop_assert_eq!(error.code(), "malformed_body");
                prop_assert_eq!(error.faults().len(), 1);
            }
        }
    }

    #[test]
    fn a4_no_bytes_at_all_make_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(parse::<FlowDefinition>(&body));
    }
}

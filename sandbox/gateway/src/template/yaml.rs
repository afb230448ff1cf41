//! YAML with CloudFormation's short tags, as JSON with the long intrinsic functions.

use serde_json::{Map, Number, Value, json};
use serde_yaml_ng::Value as Yaml;

use super::fault::Faults;

/// The short tags, without the exclamation mark, and their long forms.
const TAGS: [(&str, &str); 16] = [
    ("Ref", "Ref"),
    ("Condition", "Condition"),
    ("Sub", "Fn::Sub"),
    ("GetAtt", "Fn::GetAtt"),
    ("Join", "Fn::Join"),
    ("Select", "Fn::Select"),
    ("Split", "Fn::Split"),
    ("If", "Fn::If"),
    ("Equals", "Fn::Equals"),
    ("Not", "Fn::Not"),
    ("And", "Fn::And"),
    ("Or", "Fn::Or"),
    ("FindInMap", "Fn::FindInMap"),
    ("Base64", "Fn::Base64"),
    ("ImportValue", "Fn::ImportValue"),
    ("GetAZs", "Fn::GetAZs"),
];

/// Rewrites short tags as long forms; keys become text.
pub(crate) fn to_json(at: &str, yaml: &Yaml, faults: &Faults) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(*value),
        Yaml::Number(number) => number_to_json(number),
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::Sequence(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| to_json(&format!("{at}.{index}"), item, faults))
            .collect(),
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                let Some(key) = key_text(key) else {
                    faults.add(at, "a key is neither text nor a number");
                    continue;
                };
                let value = to_json(&below(at, &key), value, faults);
                object.insert(key, value);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let short = tag.trim_start_matches('!');
            let Some((_, long)) = TAGS.iter().find(|(name, _)| *name == short) else {
                faults.add(at, format!("unknown tag {tag}"));
                return Value::Null;
            };
            let mut argument = to_json(at, &tagged.value, faults);
            if *long == "Fn::GetAtt"
                && let Some((resource, attribute)) =
                    argument.as_str().and_then(|t| t.split_once('.'))
            {
                argument = json!([resource, attribute]);
            }
            json!({ *long: argument })
        }
    }
}

/// A path one step further down.
pub(crate) fn below(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}

fn key_text(key: &Yaml) -> Option<String> {
    match key {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn number_to_json(number: &serde_yaml_ng::Number) -> Value {
    number
        .as_i64()
        .map(Number::from)
        .or_else(|| number.as_u64().map(Number::from))
        .or_else(|| number.as_f64().and_then(Number::from_f64))
        .map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Value, Faults) {
        let faults = Faults::default();
        let yaml: Yaml = serde_yaml_ng::from_str(text).unwrap();
        (to_json("", &yaml, &faults), faults)
    }

    #[test]
    fn short_tags_become_long_forms() {
        let (value, faults) = read(
            "a: !Ref Table\nb: !GetAtt Queue.Arn\nc: !Join [',', [!Ref A, !Sub '${B}']]\nd: !Not [!Condition C]",
        );
        assert_eq!(
            value,
            json!({
                "a": { "Ref": "Table" },
                "b": { "Fn::GetAtt": ["Queue", "Arn"] },
                "c": { "Fn::Join": [",", [{ "Ref": "A" }, { "Fn::Sub": "${B}" }]] },
                "d": { "Fn::Not": [{ "Condition": "C" }] },
            })
        );
        assert!(faults.into_result().is_ok());
    }

    #[test]
    fn an_unknown_tag_is_refused_with_its_place() {
        let (_, faults) = read("Resources:\n  A: !Cidr [1]");
        let error = faults.into_result().unwrap_err();
        assert_eq!(error.0[0].to_string(), "Resources.A: unknown tag !Cidr");
    }
}

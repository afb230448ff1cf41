//! What a target gets: the event, a part of it, a constant, or a template filled from it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a target gets of an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Input {
    /// The whole event.
    #[default]
    Event,
    /// `InputPath`: a part of it, `$.detail`.
    Path(String),
    /// `Input`: a constant.
    Constant(Value),
    /// `InputTransformer`.
    Template {
        /// `InputPathsMap`: names and paths.
        paths: BTreeMap<String, String>,
        /// `InputTemplate` with `<name>` where values go.
        template: String,
    },
}

impl Input {
    pub(super) fn apply(&self, event: &Value) -> Value {
        match self {
            Self::Event => event.clone(),
            Self::Path(path) => at(event, path).cloned().unwrap_or(Value::Null),
            Self::Constant(value) => value.clone(),
            Self::Template { paths, template } => {
                let text = fill(template, paths, event);
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            }
        }
    }
}

/// Puts values where `<name>` stands: as JSON, and inside a string as its text.
fn fill(template: &str, paths: &BTreeMap<String, String>, event: &Value) -> String {
    let mut filled = String::new();
    let mut inside_string = false;
    let mut rest = template;
    while let Some(next) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|text| text.split_once('>'));
        if let Some((path, after)) = name.and_then(|(name, after)| Some((paths.get(name)?, after)))
        {
            let value = at(event, path).cloned().unwrap_or(Value::Null);
            if inside_string {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                let quoted = Value::String(text).to_string();
                filled.push_str(&quoted[1..quoted.len() - 1]);
            } else {
                filled.push_str(&value.to_string());
            }
            rest = after;
            continue;
        }
        if next == '\\' {
            let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            filled.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        inside_string ^= next == '"';
        filled.push(next);
        rest = &rest[next.len_utf8()..];
    }
    filled
}

/// `$.detail.flow-name`; `$` is the event.
fn at<'a>(event: &'a Value, path: &str) -> Option<&'a Value> {
    path.strip_prefix('$')?
        .split('.')
        .filter(|step| !step.is_empty())
        .try_fold(event, |value, step| value.get(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_target_gets_what_it_asked_for() {
        let event = json!({ "id": "1", "detail": { "flow-name": "f", "n": 2 } });
        assert_eq!(Input::Event.apply(&event), event);
        assert_eq!(Input::Path("$.detail.n".to_owned()).apply(&event), json!(2));
        let template = Input::Template {
            paths: [
                ("flow".to_owned(), "$.detail.flow-name".to_owned()),
                ("n".to_owned(), "$.detail.n".to_owned()),
            ]
            .into(),
            template: r#"{"flow": "<flow> says \"<n>\"", "also": <flow>, "n": <n>}"#.to_owned(),
        };
        assert_eq!(
            template.apply(&event),
            json!({ "flow": "f says \"2\"", "also": "f", "n": 2 })
        );
    }
}

//! Evaluation of intrinsic functions and conditions.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value, json};

use super::{Context, Template, fault::Faults, identity, parameter, yaml::below};

/// Everything that an expression may refer to.
pub(crate) struct Scope<'a> {
    pub(crate) template: &'a Template,
    pub(crate) context: &'a Context,
    pub(crate) faults: &'a Faults,
    parameters: BTreeMap<&'a str, Value>,
    /// Names under evaluation, to notice circles.
    open: RefCell<BTreeSet<String>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(template: &'a Template, context: &'a Context, faults: &'a Faults) -> Self {
        Self {
            template,
            context,
            faults,
            parameters: parameter::values(template, context, faults),
            open: RefCell::default(),
        }
    }

    /// The value of an expression; `None` stands for `AWS::NoValue`.
    pub(crate) fn evaluate(&self, at: &str, value: &Value) -> Option<Value> {
        match value {
            Value::Object(object) => match intrinsic(object) {
                Some((function, argument)) => self.call(&below(at, function), function, argument),
                None => Some(Value::Object(
                    object
                        .iter()
                        .filter_map(|(key, value)| {
                            Some((key.clone(), self.evaluate(&below(at, key), value)?))
                        })
                        .collect(),
                )),
            },
            Value::Array(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .filter_map(|(index, item)| self.evaluate(&format!("{at}.{index}"), item))
                    .collect(),
            ),
            scalar => Some(scalar.clone()),
        }
    }

    /// Whether a condition of the template holds.
    pub(crate) fn condition(&self, at: &str, name: &str) -> bool {
        let Some(expression) = self.template.conditions.get(name) else {
            self.faults.add(at, format!("no condition {name}"));
            return false;
        };
        self.guarded(at, &format!("condition {name}"), false, || {
            self.test(&format!("Conditions.{name}"), expression)
        })
    }

    fn call(&self, at: &str, function: &str, argument: &Value) -> Option<Value> {
        match function {
            "Ref" => {
                let name = argument.as_str().unwrap_or_default();
                (name != "AWS::NoValue").then(|| self.reference(at, name))
            }
            "Fn::GetAtt" => Some(self.attribute_of(at, argument)),
            "Fn::Sub" => Some(self.substitute(at, argument)),
            "Fn::Join" => Some(self.join(at, argument)),
            "Fn::Select" => Some(self.select(at, argument)),
            "Fn::Split" => Some(self.split(at, argument)),
            "Fn::FindInMap" => Some(self.find_in_map(at, argument)),
            "Fn::If" => {
                let [condition, then, otherwise] = self.arguments(at, argument)?;
                let name = condition.as_str().unwrap_or_default();
                self.evaluate(
                    at,
                    if self.condition(at, name) {
                        then
                    } else {
                        otherwise
                    },
                )
            }
            "Fn::Base64" => {
                use base64::Engine as _;
                let text = self.text(at, argument);
                Some(
                    base64::engine::general_purpose::STANDARD
                        .encode(text)
                        .into(),
                )
            }
            "Fn::ToJsonString" => Some(self.evaluate(at, argument)?.to_string().into()),
            "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => {
                Some(self.test(at, &json!({ function: argument })).into())
            }
            "Fn::ImportValue" => {
                self.faults
                    .add(at, "values of other stacks are not available");
                Some(Value::Null)
            }
            _ => {
                self.faults.add(at, "unknown intrinsic function");
                Some(Value::Null)
            }
        }
    }

    fn test(&self, at: &str, expression: &Value) -> bool {
        let call = expression.as_object().and_then(|object| {
            let (key, argument) = object.iter().next()?;
            (object.len() == 1).then_some((key.as_str(), argument))
        });
        match call {
            Some(("Condition", name)) => self.condition(at, name.as_str().unwrap_or_default()),
            Some(("Fn::Equals", argument)) => {
                let Some([left, right]) = self.arguments(at, argument) else {
                    return false;
                };
                let plain = |value| {
                    self.evaluate(at, value)
                        .map(|value| scalar_text(&value).unwrap_or_else(|| value.to_string()))
                };
                plain(left) == plain(right)
            }
            Some(("Fn::Not", argument)) => self
                .arguments(at, argument)
                .is_some_and(|[inner]| !self.test(at, inner)),
            Some((function @ ("Fn::And" | "Fn::Or"), argument)) => {
                let parts = argument.as_array().map(Vec::as_slice).unwrap_or_default();
                if !(2..=10).contains(&parts.len()) {
                    self.faults
                        .add(at, format!("{function} takes two to ten conditions"));
                }
                if function == "Fn::And" {
                    parts.iter().all(|part| self.test(at, part))
                } else {
                    parts.iter().any(|part| self.test(at, part))
                }
            }
            _ => {
                self.faults.add(at, "not a condition");
                false
            }
        }
    }

    /// What `Ref` gives for a parameter, pseudo parameter or resource.
    fn reference(&self, at: &str, name: &str) -> Value {
        if let Some(value) = self.pseudo(name) {
            return value.into();
        }
        if let Some(value) = self.parameters.get(name) {
            return value.clone();
        }
        if self.template.parameters.contains_key(name) {
            return Value::Null; // reported once, as a parameter without a value
        }
        self.attribute(at, name, "Ref")
    }

    fn attribute_of(&self, at: &str, argument: &Value) -> Value {
        let parts = match argument {
            Value::String(text) => text.split_once('.').map(|(id, name)| (id, name.to_owned())),
            Value::Array(_) => self
                .arguments(at, argument)
                .and_then(|[id, name]| Some((id.as_str()?, self.text(at, name)))),
            _ => None,
        };
        let Some((id, name)) = parts else {
            self.faults.add(at, "takes a logical id and an attribute");
            return Value::Null;
        };
        self.attribute(at, id, &name)
    }

    /// An attribute of a resource, `Ref` among them.
    pub(crate) fn attribute(&self, at: &str, id: &str, name: &str) -> Value {
        let Some(resource) = self.template.resources.get(id) else {
            self.faults
                .add(at, format!("no parameter or resource {id}"));
            return Value::Null;
        };
        if let Some(given) = self.context.attributes.get(id).and_then(|a| a.get(name)) {
            return given.clone().into();
        }
        if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
            && !self.condition(at, condition)
        {
            self.faults
                .add(at, format!("{id} is left out by its condition {condition}"));
            return Value::Null;
        }
        let attributes = self.guarded(
            at,
            &format!("resource {id}"),
            identity::Identity::default(),
            || identity::of(self, id, resource),
        );
        if let Some(value) = attributes.get(name) {
            return value.clone().into();
        }
        let kind = resource
            .get("Type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        self.faults
            .add(at, format!("{kind} {id} has no known attribute {name}"));
        Value::Null
    }

    fn pseudo(&self, name: &str) -> Option<String> {
        Some(match name {
            "AWS::AccountId" => self.context.account.clone(),
            "AWS::Region" => self.context.region.clone(),
            "AWS::StackName" => self.context.stack_name.clone(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackId" => identity::stack_id(self.context),
            _ => return None,
        })
    }

    fn substitute(&self, at: &str, argument: &Value) -> Value {
        let list = argument.as_array().map(Vec::as_slice);
        let (pattern, variables) = match (argument, list) {
            (Value::String(text), _) => (text.as_str(), None),
            (_, Some([Value::String(text), Value::Object(variables)])) => {
                (text.as_str(), Some(variables))
            }
            _ => {
                self.faults.add(at, "takes a text, or a text and a mapping");
                return Value::Null;
            }
        };
        let mut text = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                self.faults.add(at, "${ without }");
                return Value::Null;
            };
            if let Some(literal) = name.strip_prefix('!') {
                text.push_str("${");
                text.push_str(literal);
                text.push('}');
            } else {
                let value = match variables.and_then(|variables| variables.get(name)) {
                    Some(expression) => self.evaluate(at, expression).unwrap_or(Value::Null),
                    None => match name.split_once('.') {
                        Some((id, attribute)) => self.attribute(at, id, attribute),
                        None => self.reference(at, name),
                    },
                };
                text.push_str(&self.as_text(at, &value));
            }
            rest = after;
        }
        text.push_str(rest);
        text.into()
    }

    fn join(&self, at: &str, argument: &Value) -> Value {
        let Some([separator, list]) = self.arguments(at, argument) else {
            return Value::Null;
        };
        let separator = separator.as_str().unwrap_or_default();
        let parts: Vec<String> = self
            .list(at, list)
            .iter()
            .map(|part| self.as_text(at, part))
            .collect();
        parts.join(separator).into()
    }

    fn select(&self, at: &str, argument: &Value) -> Value {
        let Some([index, list]) = self.arguments(at, argument) else {
            return Value::Null;
        };
        let index = self.text(at, index);
        let list = self.list(at, list);
        let chosen = index.parse().ok().and_then(|index: usize| list.get(index));
        chosen.cloned().unwrap_or_else(|| {
            self.faults
                .add(at, format!("no item {index} in a list of {}", list.len()));
            Value::Null
        })
    }

    fn split(&self, at: &str, argument: &Value) -> Value {
        let Some([separator, text]) = self.arguments(at, argument) else {
            return Value::Null;
        };
        let separator = separator.as_str().unwrap_or_default();
        self.text(at, text).split(separator).collect()
    }

    fn find_in_map(&self, at: &str, argument: &Value) -> Value {
        let Some([map, top, second]) = self.arguments(at, argument) else {
            return Value::Null;
        };
        let keys = [map, top, second].map(|key| self.text(at, key));
        let found = self
            .template
            .mappings
            .get(&keys[0])
            .and_then(|map| map.get(&keys[1])?.get(&keys[2]));
        found.cloned().unwrap_or_else(|| {
            self.faults
                .add(at, format!("nothing in Mappings at {}", keys.join(".")));
            Value::Null
        })
    }

    fn list(&self, at: &str, expression: &Value) -> Vec<Value> {
        match self.evaluate(at, expression) {
            Some(Value::Array(items)) => items,
            Some(Value::Null) => Vec::new(), // its fault is reported where it arose
            _ => {
                self.faults.add(at, "not a list");
                Vec::new()
            }
        }
    }

    fn text(&self, at: &str, expression: &Value) -> String {
        let value = self.evaluate(at, expression).unwrap_or(Value::Null);
        self.as_text(at, &value)
    }

    fn as_text(&self, at: &str, value: &Value) -> String {
        scalar_text(value).unwrap_or_else(|| {
            self.faults
                .add(at, "a list or mapping where a text is needed");
            String::new()
        })
    }

    fn arguments<'v, const N: usize>(&self, at: &str, value: &'v Value) -> Option<[&'v Value; N]> {
        let arguments = value
            .as_array()
            .and_then(|items| items.iter().collect::<Vec<_>>().try_into().ok());
        if arguments.is_none() {
            self.faults.add(at, format!("takes a list of {N}"));
        }
        arguments
    }

    fn guarded<T>(&self, at: &str, name: &str, circle: T, inner: impl FnOnce() -> T) -> T {
        if !self.open.borrow_mut().insert(name.to_owned()) {
            self.faults.add(at, format!("{name} depends on itself"));
            return circle;
        }
        let value = inner();
        self.open.borrow_mut().remove(name);
        value
    }
}

/// A scalar as CloudFormation writes it into a text; null is empty, because its fault is known.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn intrinsic(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (key, argument) = object.iter().next()?;
    (object.len() == 1 && (key == "Ref" || key.starts_with("Fn::"))).then_some((key, argument))
}

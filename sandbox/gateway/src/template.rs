//! Reads SAM and CloudFormation templates and evaluates them for one stack.
//!
//! Nothing is skipped in silence: an unknown tag, function, parameter, reference or SAM property is
//! a [`Fault`], and all faults are reported together. Properties that have no meaning on one machine
//! (tracing, log retention, throttling) are in explicit lists beside the code that reads the rest.

mod api;
mod evaluate;
mod fault;
mod fields;
mod function;
mod identity;
mod parameter;
mod resolve;
mod source;
mod yaml;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use api::{Api, Authorizer, Cors, Method, Route};
pub use fault::{Fault, TemplateError};
pub use function::Function;
pub use resolve::{Resolved, Resource};
pub use source::{EventRule, QueueSource, Schedule};

use fault::Faults;

/// A parsed template, not evaluated yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub(crate) parameters: Map<String, Value>,
    pub(crate) mappings: Map<String, Value>,
    pub(crate) conditions: Map<String, Value>,
    pub(crate) globals: Map<String, Value>,
    pub(crate) resources: Map<String, Value>,
    pub(crate) outputs: Map<String, Value>,
}

/// Attributes of one resource; `Ref` under that name.
pub type Attributes = BTreeMap<String, String>;

/// The stack that a template is evaluated for.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// `AWS::AccountId`.
    pub account: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::StackName`, and the prefix of names that the template leaves open.
    pub stack_name: String,
    /// Values of the template's parameters; lists are comma separated.
    pub parameters: BTreeMap<String, String>,
    /// Attributes that differ from the default ones, per logical id (`Ref`, `Arn`, ...).
    pub attributes: BTreeMap<String, Attributes>,
    /// Address of the AWS endpoint, for queue URLs (`<endpoint>/<account>/<queue>`).
    pub endpoint: String,
}

/// Sections of a template that say nothing about the stack's resources.
const SILENT_SECTIONS: [&str; 5] = [
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Metadata",
    "Rules",
];

impl Template {
    /// Reads a template; short tags become the long forms.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let faults = Faults::default();
        let json = match serde_yaml_ng::from_str(text) {
            Ok(yaml) => yaml::to_json("", &yaml, &faults),
            Err(error) => {
                faults.add("template", format!("not YAML: {error}"));
                Value::Null
            }
        };
        let mut sections = match json {
            Value::Object(sections) => sections,
            Value::Null => Map::new(),
            _ => {
                faults.add("template", "not a mapping");
                Map::new()
            }
        };
        let mut section = |name: &str| match sections.remove(name) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(section)) => section,
            Some(_) => {
                faults.add(name, "not a mapping");
                Map::new()
            }
        };
        let template = Self {
            parameters: section("Parameters"),
            mappings: section("Mappings"),
            conditions: section("Conditions"),
            globals: section("Globals"),
            resources: section("Resources"),
            outputs: section("Outputs"),
        };
        for name in sections.keys() {
            if !SILENT_SECTIONS.contains(&name.as_str()) {
                faults.add(name, "unknown section");
            }
        }
        faults.into_result().map(|()| template)
    }

    /// Evaluates the template for one stack.
    pub fn resolve(&self, context: &Context) -> Result<Resolved, TemplateError> {
        resolve::resolve(self, context)
    }
}

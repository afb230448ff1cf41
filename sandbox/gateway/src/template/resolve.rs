//! A template evaluated for one stack.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Api, Attributes, Authorizer, Context, Cors, EventRule, Function, QueueSource, Route, Schedule,
    Template, TemplateError, api, evaluate::Scope, fault::Faults, function, identity,
};

/// One resource with its properties evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Type (`AWS::SQS::Queue`).
    pub kind: String,
    /// Properties, evaluated; `Globals` are merged in.
    pub properties: Value,
    /// `Metadata`, as it stands in the template.
    pub metadata: Value,
    /// What `Ref` and `Fn::GetAtt` give for it.
    pub attributes: Attributes,
}

impl Resource {
    /// The physical id: what `Ref` gives.
    pub fn physical_id(&self) -> &str {
        self.attributes.get("Ref").map_or("", String::as_str)
    }

    /// The ARN, for types that have one.
    pub fn arn(&self) -> Option<&str> {
        let names = ["Arn", "TopicArn", "PolicyArn", "Id"];
        names
            .iter()
            .find_map(|name| self.attributes.get(*name).map(String::as_str))
    }
}

/// A template evaluated for one stack: what to create, and what leads to which function.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolved {
    /// Resources by logical id, without those that their condition leaves out.
    pub resources: BTreeMap<String, Resource>,
    /// Outputs by name.
    pub outputs: BTreeMap<String, Value>,
    pub(crate) api: Option<Api>,
    pub(crate) functions: Vec<Function>,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) event_rules: Vec<EventRule>,
    pub(crate) queue_sources: Vec<QueueSource>,
}

impl Resolved {
    /// The HTTP API, if the template has one.
    pub fn api(&self) -> Option<&Api> {
        self.api.as_ref()
    }

    /// Routes of the HTTP API.
    pub fn routes(&self) -> &[Route] {
        self.api.as_ref().map_or(&[], |api| &api.routes)
    }

    /// JWT authorizers of the HTTP API, by name.
    pub fn jwt_authorizers(&self) -> impl Iterator<Item = (&str, &Authorizer)> {
        let authorizers = self.api.iter().flat_map(|api| &api.authorizers);
        authorizers.map(|(name, authorizer)| (name.as_str(), authorizer))
    }

    /// CORS rules of the HTTP API.
    pub fn cors(&self) -> Option<&Cors> {
        self.api.as_ref()?.cors.as_ref()
    }

    /// The functions.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// A function by its logical id.
    pub fn function(&self, id: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.id == id)
    }

    /// Schedules that invoke functions.
    pub fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    /// Event rules that invoke functions. Rules with other targets are plain resources
    /// (`AWS::Events::Rule`).
    pub fn event_rules(&self) -> &[EventRule] {
        &self.event_rules
    }

    /// Queues that feed functions.
    pub fn queue_sources(&self) -> &[QueueSource] {
        &self.queue_sources
    }

    /// ARN of the queue that gets a function's failed asynchronous invocations.
    pub fn on_failure(&self, function: &str) -> Option<&str> {
        self.function(function)?.on_failure.as_deref()
    }

    /// Resources of one type, with their logical ids.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Resource)> {
        let resources = self
            .resources
            .iter()
            .filter(move |(_, resource)| resource.kind == kind);
        resources.map(|(id, resource)| (id.as_str(), resource))
    }

    /// An output as text.
    pub fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name)?.as_str()
    }
}

/// Types that would add routes, sources or functions past the SAM resources that are read here.
const SAM_FORM_EXISTS: [&str; 7] = [
    "AWS::Lambda::Function",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
];

/// Resource attributes that stand beside `Type` and `Properties`.
const RESOURCE_ATTRIBUTES: [&str; 9] = [
    "Type",
    "Properties",
    "Condition",
    "Metadata",
    "DependsOn",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "UpdatePolicy",
    "CreationPolicy",
];

pub(crate) fn resolve(template: &Template, context: &Context) -> Result<Resolved, TemplateError> {
    let faults = Faults::default();
    let scope = Scope::new(template, context, &faults);
    for section in template.globals.keys() {
        if section != "Function" && section != "HttpApi" {
            faults.add(
                &format!("Globals.{section}"),
                "a section that the sandbox does not understand",
            );
        }
    }
    for name in template.conditions.keys() {
        scope.condition("Conditions", name);
    }
    let mut resolved = Resolved::default();
    for (id, declared) in &template.resources {
        if let Some(resource) = resource(&scope, id, declared) {
            resolved.resources.insert(id.clone(), resource);
        }
    }
    for (name, declared) in &template.outputs {
        let at = format!("Outputs.{name}");
        let condition = declared.get("Condition").and_then(Value::as_str);
        if condition.is_none_or(|condition| scope.condition(&at, condition)) {
            let value = scope.evaluate(&at, declared.get("Value").unwrap_or(&Value::Null));
            resolved
                .outputs
                .insert(name.clone(), value.unwrap_or(Value::Null));
        }
    }
    resolved.api = api::read(&resolved.resources, &faults);
    let functions: Vec<(String, Resource)> = resolved
        .of_kind("AWS::Serverless::Function")
        .map(|(id, resource)| (id.to_owned(), resource.clone()))
        .collect();
    for (id, resource) in functions {
        function::read(&id, &resource, &mut resolved, &faults);
    }
    if let Some(api) = &resolved.api {
        api::check(api, &faults);
    }
    faults.into_result().map(|()| resolved)
}

fn resource(scope: &Scope<'_>, id: &str, declared: &Value) -> Option<Resource> {
    let at = format!("Resources.{id}");
    for key in declared.as_object().into_iter().flat_map(Map::keys) {
        if !RESOURCE_ATTRIBUTES.contains(&key.as_str()) {
            scope
                .faults
                .add(&format!("{at}.{key}"), "unknown resource attribute");
        }
    }
    let Some(kind) = declared.get("Type").and_then(Value::as_str) else {
        scope.faults.add(&at, "has no Type");
        return None;
    };
    if SAM_FORM_EXISTS.contains(&kind) {
        scope
            .faults
            .add(&at, format!("{kind} is not read; declare it in SAM's form"));
    }
    if let Some(condition) = declared.get("Condition").and_then(Value::as_str)
        && !scope.condition(&at, condition)
    {
        return None;
    }
    let mut properties = declared.get("Properties").cloned().unwrap_or(Value::Null);
    let global = match kind {
        "AWS::Serverless::Function" => scope.template.globals.get("Function"),
        "AWS::Serverless::HttpApi" => scope.template.globals.get("HttpApi"),
        _ => None,
    };
    if let Some(global) = global {
        properties = merged(global, &properties);
    }
    let properties = scope.evaluate(&format!("{at}.Properties"), &properties);
    let mut attributes = identity::of(scope, id, declared);
    if let Some(given) = scope.context.attributes.get(id) {
        attributes.extend(given.clone());
    }
    Some(Resource {
        kind: kind.to_owned(),
        properties: properties.unwrap_or(Value::Null),
        metadata: declared.get("Metadata").cloned().unwrap_or(Value::Null),
        attributes,
    })
}

/// `Globals` as SAM merges them: mappings key by key, lists one after the other, else the
/// resource's own value.
fn merged(global: &Value, own: &Value) -> Value {
    match (global, own) {
        (Value::Object(global), Value::Object(own))
            if !is_intrinsic(global) && !is_intrinsic(own) =>
        {
            let mut all = global.clone();
            for (key, value) in own {
                let value = match global.get(key) {
                    Some(global) => merged(global, value),
                    None => value.clone(),
                };
                all.insert(key.clone(), value);
            }
            Value::Object(all)
        }
        (Value::Array(global), Value::Array(own)) => global.iter().chain(own).cloned().collect(),
        (global, Value::Null) => global.clone(),
        (_, own) => own.clone(),
    }
}

fn is_intrinsic(object: &Map<String, Value>) -> bool {
    object.len() == 1
        && object
            .keys()
            .all(|key| key == "Ref" || key.starts_with("Fn::"))
}

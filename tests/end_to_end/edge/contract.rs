//! The OpenAPI document as a list of operations, each with the places in which it names something.
//!
//! What the tests of the edge call is made from here, not from a list of their own: an operation that
//! has a parameter, a member or a body that nothing is known about fails
//! [`i1_a4_a6_every_operation_of_the_document_can_be_called`] by its name.

pub(crate) mod ids;
mod schema;
mod table;

use std::collections::BTreeSet;

use serde_json::Value;

pub(crate) use self::{ids::Ids, schema::leaves, table::Means};
use super::routes::{ROUTES, Who};

/// The document, as the functions generate it.
pub(crate) fn document() -> Value {
    serde_json::from_str(&sandbox::openapi::document().unwrap()).unwrap()
}

/// Where an operation names something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum At {
    /// A parameter of the path.
    Path(String),
    /// A parameter of the query.
    Query(String),
    /// A member of the body (JSON pointer; `*` is any member of a map, or any element).
    Body(String),
}

/// A place and what kind of thing is named there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) at: At,
    /// Name of the id's schema (`AccountId`), or the kind that the table gives.
    pub(crate) kind: String,
    /// Whether no request can leave it out.
    pub(crate) required: bool,
    /// Whether it is a tenant's, so that it is unknown to another.
    pub(crate) is_a_tenants: bool,
}

/// An operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) who: Who,
    pub(crate) places: Vec<Place>,
    /// Parameters of the query, by name.
    pub(crate) query: BTreeSet<String>,
    /// Schema of its JSON body.
    pub(crate) body: Option<Value>,
    /// Whether the body can be left out.
    pub(crate) is_body_optional: bool,
    /// Good bodies with the kinds of ids in braces, the first of which is the usual one.
    samples: &'static [&'static str],
}

/// A request that is ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

/// All operations, in the document's order. Panics with the name of one that cannot be called.
pub(crate) fn operations() -> Vec<Operation> {
    let document = document();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            operations.push(operation(&document, path, method, described));
        }
    }
    operations
}

fn operation(document: &Value, path: &str, method: &str, described: &Value) -> Operation {
    let id = described["operationId"].as_str().unwrap().to_owned();
    let method = method.to_uppercase();
    let who = ROUTES
        .iter()
        .find(|route| route.method == method && route.path == path)
        .unwrap_or_else(|| panic!("{id}: nobody said who may call it"))
        .who;
    let (mut places, mut query) = (Vec::new(), BTreeSet::new());
    for parameter in described["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let at = match parameter["in"].as_str().unwrap() {
            "path" => At::Path(name.to_owned()),
            "query" => {
                query.insert(name.to_owned());
                At::Query(name.to_owned())
            }
            _ => continue,
        };
        let required = parameter["required"] == true;
        let kind = match table::parameter(&id, name) {
            Some(Means::Names(kind) | Means::Everybodys(kind, _)) => Some(kind.to_owned()),
            Some(Means::Nothing) if !required => None,
            None if schema::id_of(document, &parameter["schema"]).is_some() => {
                schema::id_of(document, &parameter["schema"])
            }
            other => panic!("{id}: what does its parameter {name} name? {other:?}"),
        };
        places.extend(kind.map(|kind| place(&id, at, kind, required)));
    }
    let content = &described["requestBody"]["content"];
    let body = content["application/json"]["schema"].clone();
    let body = (!body.is_null()).then_some(body);
    for leaf in body.iter().flat_map(|schema| leaves(document, schema)) {
        let at = At::Body(leaf.pointer.clone());
        let kind = match &leaf.id {
            Some(id) => Some(id.clone()),
            None if leaf.is_text => match table::member(&id, &leaf.pointer) {
                Some(Means::Names(kind) | Means::Everybodys(kind, _)) => Some(kind.to_owned()),
                Some(Means::Nothing) => None,
                None => panic!("{id}: what does {} of its body name?", leaf.pointer),
            },
            None => None,
        };
        places.extend(kind.map(|kind| place(&id, at, kind, leaf.required)));
    }
    places.extend(
        table::hidden(&id).map(|(pointer, kind)| {
            place(&id, At::Body(pointer.to_owned()), kind.to_owned(), false)
        }),
    );
    places.sort();
    places.dedup();
    let samples = table::samples(&id);
    assert_eq!(
        body.is_some() && who != Who::Public,
        !samples.is_empty(),
        "{id}: its body and the table of bodies disagree"
    );
    Operation {
        id,
        method,
        path: path.to_owned(),
        who,
        places,
        query,
        is_body_optional: described["requestBody"]["required"] != true,
        body,
        samples,
    }
}

fn place(operation: &str, at: At, kind: String, required: bool) -> Place {
    let is_a_tenants = table::is_a_tenants(operation, &kind);
    Place {
        at,
        kind,
        required,
        is_a_tenants,
    }
}

impl Operation {
    /// Whether it changes nothing by its nature. Some operations ask with a body.
    pub(crate) fn is_read(&self) -> bool {
        self.method == "GET" || table::READS.contains(&self.id.as_str())
    }

    /// Whether its path or a parameter that it cannot do without names something of a tenant's.
    pub(crate) fn names_something(&self) -> bool {
        self.places
            .iter()
            .any(|place| place.required && place.is_a_tenants && !matches!(place.at, At::Body(_)))
    }

    /// A good request about these things.
    pub(crate) fn request(&self, ids: &Ids) -> Request {
        self.requests(ids).swap_remove(0)
    }

    /// Good requests about these things: one for each sample of its body, or the one without a body.
    pub(crate) fn requests(&self, ids: &Ids) -> Vec<Request> {
        let path = self.path_for(ids, &[]);
        let with = |body| Request {
            method: self.method.clone(),
            path: path.clone(),
            body,
        };
        if self.samples.is_empty() {
            // Actions without a body are posted with an empty object, as clients do.
            let body = (self.method == "POST").then(|| serde_json::json!({}));
            return vec![with(body)];
        }
        let bodies = self.samples.iter().map(|sample| ids.fill(&self.id, sample));
        bodies.map(|body| with(Some(body))).collect()
    }

    /// The requests that name this value in this place and are otherwise about `own` things.
    pub(crate) fn naming(&self, own: &Ids, place: &Place, value: &str) -> Vec<Request> {
        match &place.at {
            At::Path(name) | At::Query(name) => {
                let path = self.path_for(own, &[(name, value)]);
                let requests = self.requests(own).into_iter();
                requests
                    .map(|request| Request {
                        path: path.clone(),
                        ..request
                    })
                    .collect()
            }
            At::Body(pattern) => {
                let mut requests = Vec::new();
                for mut request in self.requests(own) {
                    let body = request.body.as_mut().unwrap();
                    let found = schema::matching(body, pattern);
                    for pointer in &found {
                        *body.pointer_mut(pointer).unwrap() = Value::from(value);
                    }
                    if !found.is_empty() {
                        requests.push(request);
                    }
                }
                requests
            }
        }
    }

    /// The path with its parameters filled in; `instead` stands for a value of `ids`, and makes an
    /// optional parameter be sent.
    fn path_for(&self, ids: &Ids, instead: &[(&String, &str)]) -> String {
        let (mut path, mut query) = (self.path.clone(), Vec::new());
        for place in &self.places {
            let (At::Path(name) | At::Query(name)) = &place.at else {
                continue;
            };
            let given = instead.iter().find(|(other, _)| *other == name);
            let value = given.map_or_else(|| ids.get(&self.id, &place.kind), |(_, value)| *value);
            if matches!(place.at, At::Path(_)) {
                path = path.replace(&format!("{{{name}}}"), value);
            } else if place.required || given.is_some() {
                query.push(format!("{name}={value}"));
            }
        }
        assert!(!path.contains('{'), "{}: {path} is not filled", self.id);
        if query.is_empty() {
            return path;
        }
        format!("{path}?{}", query.join("&"))
    }
}

/// I1, A4, A6: a new operation has to say who may call it, what it names and what it is sent, before
/// these tests pass again; and nothing is said about operations that are not there.
#[test]
fn i1_a4_a6_every_operation_of_the_document_can_be_called() {
    let operations = operations();
    let unknown = Ids::unknown();
    for operation in &operations {
        for place in &operation.places {
            if let At::Body(pattern) = &place.at
                && operation.who != Who::Public
            {
                let made = operation.naming(&unknown, place, "x");
                assert!(
                    !made.is_empty(),
                    "{}: no sample of its body has {pattern}",
                    operation.id
                );
            }
        }
        assert!(!operation.requests(&unknown).is_empty());
    }
    let documented: BTreeSet<(&str, &str)> = operations
        .iter()
        .map(|operation| (operation.method.as_str(), operation.path.as_str()))
        .collect();
    let rows: BTreeSet<(&str, &str)> = ROUTES
        .iter()
        .map(|route| (route.method, route.path))
        .collect();
    assert_eq!(rows.len(), ROUTES.len(), "a route stands twice");
    assert_eq!(rows, documented);
    table::assert_no_row_is_idle(&operations);
}

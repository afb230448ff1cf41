//! Says of every operation that it can be refused for its tenant's limit: one layer does that, so no
//! handler says it.

use serde_json::{Value, json};

/// Adds 429 to each operation that does not describe it itself.
pub(super) fn describe(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operations in paths
        .into_iter()
        .flat_map(|paths| paths.values_mut())
        .filter_map(Value::as_object_mut)
    {
        let responses = operations
            .values_mut()
            .filter_map(|operation| operation.get_mut("responses"))
            .filter_map(Value::as_object_mut);
        for responses in responses {
            responses.entry("429").or_insert_with(too_many_requests);
        }
    }
}

fn too_many_requests() -> Value {
    json!({
        "description": "`rate_limited`: wait as long as `Retry-After` says.",
        "headers": {
            "Retry-After": {
                "description": "Whole seconds until the same request can be let in.",
                "schema": { "type": "integer", "minimum": 1 },
            },
        },
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operation_says_itself_stays() {
        let mut document = json!({ "paths": { "/a": {
            "get": { "responses": { "200": {} } },
            "post": { "responses": { "429": { "description": "own" } } },
        } } });
        describe(&mut document);
        let of = |method: &str| document["paths"]["/a"][method]["responses"]["429"].clone();
        assert_eq!(of("post"), json!({ "description": "own" }));
        assert_eq!(of("get"), too_many_requests());
    }
}

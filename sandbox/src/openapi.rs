//! The OpenAPI document: the functions' own descriptions, merged, written to `docs/openapi.json`.

mod complete;
mod limited;
mod members;

use std::path::Path;

/// The document, as it is checked in.
pub fn document() -> Result<String, serde_json::Error> {
    let mut merged = flows::openapi();
    merged.merge(queries::openapi());
    merged.merge(oauth_callback::openapi());
    "Tributary".clone_into(&mut merged.info.title);
    env!("CARGO_PKG_VERSION").clone_into(&mut merged.info.version);
    merged.info.description =
        Some("Data integration that software vendors embed in their product.".to_owned());
    let mut merged = serde_json::to_value(&merged)?;
    complete::complete(&mut merged);
    limited::describe(&mut merged);
    let mut text = serde_json::to_string_pretty(&merged)?;
    text.push('\n');
    Ok(text)
}

/// Whether the file holds the document of today.
pub fn is_current(path: &Path) -> Result<bool, Box<dyn std::error::Error>> {
    Ok(std::fs::read_to_string(path)? == document()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binaries::workspace_root;

    #[test]
    fn the_checked_in_document_is_the_one_of_today() {
        let path = workspace_root().join("docs/openapi.json");
        assert!(
            is_current(&path).unwrap(),
            "run `cargo run -p sandbox -- openapi`"
        );
    }

    fn of_today() -> serde_json::Value {
        serde_json::from_str(&document().unwrap()).unwrap()
    }

    #[test]
    fn every_schema_and_every_member_has_a_description_and_an_example() {
        let gaps = complete::gaps(&mut of_today());
        assert!(gaps.is_empty(), "{gaps:#?}");
    }

    #[test]
    fn no_row_of_the_table_of_members_is_idle() {
        let mut merged = flows::openapi();
        merged.merge(queries::openapi());
        merged.merge(oauth_callback::openapi());
        let used = complete::complete(&mut serde_json::to_value(&merged).unwrap());
        let idle: Vec<_> = members::MEMBERS
            .iter()
            .zip(used)
            .filter(|(_, used)| !used)
            .map(|(row, _)| format!("{}.{}", row.schema, row.name))
            .collect();
        assert!(idle.is_empty(), "{idle:?}");
    }

    /// Generated clients name functions after them.
    #[test]
    fn every_operation_has_a_name_of_its_own_a_summary_and_a_tag() {
        let document = of_today();
        let mut names = std::collections::BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap_or_default();
                assert!(
                    !name.is_empty() && names.insert(name),
                    "{method} {path}: {name:?}"
                );
                assert!(operation["summary"].is_string(), "{method} {path}");
                assert!(operation["tags"][0].is_string(), "{method} {path}");
            }
        }
    }
}

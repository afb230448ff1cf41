//! The OpenAPI document: the functions' own descriptions, merged, written to `docs/openapi.json`.

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
}

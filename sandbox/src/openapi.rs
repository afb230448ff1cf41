//! The OpenAPI document: the functions' own descriptions, merged, written to `docs/openapi.json`.

use std::path::Path;

/// The document, as it is checked in.
pub fn document() -> Result<String, serde_json::Error> {
    let mut merged = flows::openapi();
    merged.merge(queries::openapi());
    merged.merge(oauth_callback::openapi());
    merged.info.title = "Tributary".to_owned();
    merged.info.version = env!("CARGO_PKG_VERSION").to_owned();
    merged.info.description = Some("Data integration that software vendors embed in their product.".to_owned());
    let mut text = serde_json::to_string_pretty(&merged)?;
    text.push('\n');
    Ok(text)
}

/// Whether the file holds the document of today.
pub fn is_current(path: &Path) -> Result<bool, Box<dyn std::error::Error>> {
    Ok(std::fs::read_to_string(path)? == document()?)
}

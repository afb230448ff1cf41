//! The fenced blocks of the guide.

use std::path::Path;

/// A fenced block.
pub(super) struct Block {
    /// What stands behind the fence: `sh`, `sql`.
    pub(super) language: String,
    /// The heading that it stands under.
    pub(super) heading: String,
    pub(super) text: String,
}

/// The guide.
pub(super) fn text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/WAREHOUSE.md");
    std::fs::read_to_string(path).unwrap()
}

/// The blocks of a document, in their order.
pub(super) fn of(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut heading = String::new();
    let mut open: Option<Block> = None;
    for line in document.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.to_owned(),
                    heading: heading.clone(),
                    text: String::new(),
                });
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    title.clone_into(&mut heading);
                }
            }
        }
    }
    assert!(open.is_none(), "a block of the guide has no end");
    blocks
}

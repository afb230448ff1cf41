//! Pages of a list.

/// Which page of a list is wanted.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// At most so many items.
    pub limit: usize,
    /// Sort key after which the page begins.
    pub after: Option<String>,
    /// Whether the list runs from the newest item to the oldest.
    pub newest_first: bool,
}

impl PageRequest {
    /// The first page, oldest first.
    pub const fn first(limit: usize) -> Self {
        Self {
            limit,
            after: None,
            newest_first: false,
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Sort key after which the next page begins; none when this is the last.
    pub next: Option<String>,
}

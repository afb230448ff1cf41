//! How rows are written.

use http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::ToSchema;

/// How rows are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, with the query.
    #[default]
    Json,
    /// Comma-separated values.
    Csv,
}

impl Format {
    /// What the caller takes rather: the first type of `Accept` that we write.
    pub(super) fn preferred(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter();
        let lists = accepted.filter_map(|value| value.to_str().ok());
        lists
            .flat_map(|list| list.split(','))
            .find_map(Self::named)
            .unwrap_or_default()
    }

    fn named(range: &str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let is_refused = parts.any(|part| {
            let quality = part.strip_prefix("q=");
            quality.is_some_and(|quality| quality.trim_matches(['0', '.']).is_empty())
        });
        match kind.as_str() {
            _ if is_refused => None,
            "text/csv" => Some(Self::Csv),
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_first_type_that_is_written_here_counts() {
        for (accept, expected) in [
            ("text/csv", Format::Csv),
            ("Text/CSV; charset=utf-8", Format::Csv),
            ("text/html, text/csv;q=0.9, */*;q=0.1", Format::Csv),
            ("application/json, text/csv", Format::Json),
            ("text/csv;q=0, application/json", Format::Json),
            ("text/csv;q=0.0", Format::Json),
            ("*/*", Format::Json),
            ("text/html", Format::Json),
            ("", Format::Json),
        ] {
            let value = HeaderValue::from_static(accept);
            let headers: HeaderMap = [(header::ACCEPT, value)].into_iter().collect();
            assert_eq!(Format::preferred(&headers), expected, "{accept}");
        }
        assert_eq!(Format::preferred(&HeaderMap::new()), Format::Json);
    }
}

//! Single values of an event's detail, all of them text.

use jiff::Timestamp;
use serde_json::Value;

/// A text that says something.
pub(super) fn text(value: &Value) -> Option<&str> {
    value
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// A number, as text or as a number.
pub(super) fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| text(value)?.parse().ok())
}

/// A time: ISO 8601, with Java's zone in brackets or without.
pub(crate) fn timestamp(value: &Value) -> Option<Timestamp> {
    let text = text(value)?;
    let instant = text.split_once('[').map_or(text, |(instant, _)| instant);
    instant.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_with_and_without_javas_zone() {
        let expected: Timestamp = "2023-08-29T12:55:23.835Z".parse().unwrap();
        for text in [
            "2023-08-29T12:55:23.835Z[UTC]",
            "2023-08-29T12:55:23.835Z",
            "2023-08-29T14:55:23.835+02:00[Europe/Berlin]",
        ] {
            assert_eq!(timestamp(&json!(text)), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "[UTC]", "2023-08-29"] {
            assert_eq!(timestamp(&json!(text)), None, "{text}");
        }
    }

    #[test]
    fn counts_are_read_as_text_and_as_numbers() {
        assert_eq!(count(&json!("63000")), Some(63_000));
        assert_eq!(count(&json!(63_000)), Some(63_000));
        for unreadable in [json!("-1"), json!("many"), json!(null), json!("")] {
            assert_eq!(count(&unreadable), None);
        }
    }
}

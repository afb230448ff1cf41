//! Texts of task properties become values.

use jiff::Timestamp;

use crate::{compile::check::filters::Class, model::FilterValue};

/// One value; none for what is not of this class.
pub(in crate::compile) fn value(text: &str, class: Class) -> Option<FilterValue> {
    match class {
        Class::Text => Some(FilterValue::Text(text.to_owned())),
        Class::Truth => text.parse().ok().map(FilterValue::Truth),
        Class::Number => serde_json::from_str(text).ok().map(FilterValue::Number),
        Class::Instant => {
            let at = Timestamp::from_millisecond(text.parse().ok()?).ok()?;
            Some(FilterValue::Text(at.to_string()))
        }
    }
}

/// Several, joined by commas.
pub(super) fn values(text: &str, class: Class) -> Option<Vec<FilterValue>> {
    text.split(',').map(|part| value(part, class)).collect()
}

/// A list of names, written as a JSON array.
pub(super) fn names(text: &str) -> Option<Vec<String>> {
    serde_json::from_str(text).ok()
}

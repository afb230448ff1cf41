//! Times as the API writes them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Epoch seconds with milliseconds.
pub(crate) fn epoch(at: Timestamp) -> Value {
    let millis = SignedDuration::from_millis(at.as_millisecond());
    Value::from(millis.as_secs_f64())
}

/// Epoch seconds or null.
pub(crate) fn epoch_or_null(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, epoch)
}

/// `2023-08-29T12:55:23.835Z`.
pub(crate) fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Java's `ZonedDateTime.toString()`, which AppFlow's events carry: `2023-08-29T12:55:23.835Z[UTC]`.
pub(crate) fn zoned(at: Timestamp) -> String {
    format!("{}[UTC]", iso(at))
}

/// Reads an optional time in epoch seconds.
pub(crate) fn optional_time<'de, D: Deserializer<'de>>(
    source: D,
) -> Result<Option<Timestamp>, D::Error> {
    let Some(seconds) = Option::<f64>::deserialize(source)? else {
        return Ok(None);
    };
    SignedDuration::try_from_secs_f64(seconds)
        .and_then(Timestamp::from_duration)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_forms_of_the_wire() {
        let at = Timestamp::from_millisecond(1_693_313_723_835).expect("time");
        assert_eq!(epoch(at).to_string(), "1693313723.835");
        assert_eq!(zoned(at), "2023-08-29T12:55:23.835Z[UTC]");
        assert_eq!(epoch_or_null(None), Value::Null);
    }
}

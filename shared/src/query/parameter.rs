//! Typed parameters: what their values look like, and the text that is sent for one.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Longest text that is a value, in bytes.
const LONGEST_TEXT: usize = 10_000;
/// Most digits of Redshift's DECIMAL.
const MOST_DIGITS: usize = 38;

/// What the values of a parameter look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// 1 to 10,000 bytes of text.
    Text,
    /// A 64-bit integer, as a number or as text.
    Integer,
    /// A number of at most 38 digits without exponent, as a number or as text.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// `2026-11-20`.
    Date,
    /// RFC 3339, `2026-11-20T10:15:04Z`; it is sent in UTC.
    Timestamp,
}

/// A parameter of a registered query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// Its name, as the statement has it behind the colon.
    #[schema(example = "country")]
    pub name: String,
    /// What its values look like.
    #[serde(rename = "type")]
    pub kind: ParameterKind,
    /// What it means; at most 2,048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Country of the city")]
    pub description: Option<String>,
    /// What counts when none is given; without it the parameter must be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>, example = "Germany")]
    pub default: Option<Value>,
    /// The only values that are taken; any of the type when empty. At most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Value>, example = json!(["Germany", "France"]))]
    pub allowed: Vec<Value>,
    /// How many values it takes at most, as a list, 1 to 100; one plain value when absent. The
    /// statement writes `IN (:name)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100, example = 20)]
    pub many: Option<u16>,
}

impl ParameterKind {
    /// What its values look like, for a person.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Text => "A text of 1 to 10,000 bytes.",
            Self::Integer => "A whole number of 64 bits.",
            Self::Decimal => "A number of at most 38 digits, without exponent.",
            Self::Boolean => "true or false.",
            Self::Date => "A date such as 2026-11-20.",
            Self::Timestamp => "A time such as 2026-11-20T10:15:04Z.",
        }
    }

    /// The text that is sent for a value; nothing if it is not of the kind. The Data API takes
    /// values as text, and none of them empty.
    pub fn text_of(self, value: &Value) -> Option<String> {
        let plain = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        match self {
            Self::Text => {
                let fits = value.is_string()
                    && (1..=LONGEST_TEXT).contains(&plain.len())
                    && !plain.contains('\0');
                fits.then_some(plain)
            }
            Self::Integer => plain.parse::<i64>().ok().map(|number| number.to_string()),
            Self::Decimal => is_decimal(&plain).then_some(plain),
            Self::Boolean => matches!(plain.as_str(), "true" | "false").then_some(plain),
            Self::Date => date(&plain),
            Self::Timestamp => timestamp(&plain),
        }
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    are_digits(whole)
        && are_digits(decimals)
        && digits.bytes().filter(u8::is_ascii_digit).count() <= MOST_DIGITS
}

fn date(text: &str) -> Option<String> {
    // The parser takes more forms than are told to people; only the plain one is passed on.
    let date: civil::Date = text.parse().ok()?;
    (date.to_string() == text).then(|| text.to_owned())
}

fn timestamp(text: &str) -> Option<String> {
    let at: Timestamp = text.parse().ok()?;
    let civil = at.to_zoned(TimeZone::UTC).datetime();
    Some(civil.to_string().replace('T', " "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_each_kind_become_the_text_that_is_sent() {
        use ParameterKind::{Boolean, Date, Decimal, Integer, Text};
        let cases = [
            (Text, json!("Köln"), "Köln"),
            (Integer, json!(-7), "-7"),
            (Integer, json!("9223372036854775807"), "9223372036854775807"),
            (Decimal, json!(12.5), "12.5"),
            (Decimal, json!("0.10"), "0.10"),
            (Decimal, json!(100), "100"),
            (Boolean, json!(true), "true"),
            (Boolean, json!("false"), "false"),
            (Date, json!("2026-11-20"), "2026-11-20"),
            (
                ParameterKind::Timestamp,
                json!("2026-11-20T10:15:04+01:00"),
                "2026-11-20 09:15:04",
            ),
        ];
        for (kind, value, text) in cases {
            assert_eq!(kind.text_of(&value).as_deref(), Some(text), "{value}");
        }
    }

    #[test]
    fn what_is_not_of_the_kind_has_no_text() {
        use ParameterKind::{Boolean, Date, Decimal, Integer, Text};
        let long = "9".repeat(39);
        let cases = [
            (Text, json!("")),
            (Text, json!(7)),
            (Text, json!("x".repeat(10_001))),
            (Text, json!("a\0b")),
            (Integer, json!(1.5)),
            (Integer, json!("9223372036854775808")),
            (Integer, json!("1; DROP TABLE t")),
            (Decimal, json!("1e5")),
            (Decimal, json!(1e300)),
            (Decimal, json!(".5")),
            (Decimal, json!("1.")),
            (Decimal, json!(long)),
            (Boolean, json!(1)),
            (Boolean, json!("TRUE")),
            (Date, json!("20.11.2026")),
            (Date, json!("2026-02-30")),
            (Date, json!("20261120")),
            (ParameterKind::Timestamp, json!("2026-11-20")),
            (ParameterKind::Timestamp, json!("2026-11-20T10:15:04")),
        ];
        for (kind, value) in cases {
            assert_eq!(kind.text_of(&value), None, "{kind:?} {value}");
        }
        for kind in [Text, Integer, Decimal, Boolean, Date] {
            for value in [json!(null), json!([1]), json!({})] {
                assert_eq!(kind.text_of(&value), None, "{kind:?} {value}");
            }
        }
    }
}

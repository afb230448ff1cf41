//! Names of alarms.

use std::str::FromStr;

/// The name of an alarm, unique among its flow's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlarmName(String);

/// Not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("1 to 64 small letters, digits and hyphens; the first is no hyphen.")]
pub(super) struct NotAName;

/// Longest name. CloudWatch takes 255 characters, of which the flow's name is less than half.
const LENGTH: usize = 64;

impl AlarmName {
    /// The name as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AlarmName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let sound = (1..=LENGTH).contains(&text.len())
            && !text.starts_with('-')
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        sound.then(|| Self(text.to_owned())).ok_or(NotAName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_small_letters_digits_and_hyphens() {
        for good in ["a", "no-records", "3-failures", &"a".repeat(64)] {
            assert!(good.parse::<AlarmName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "a/b", "a_b", "ä", &"a".repeat(65)] {
            assert_eq!(bad.parse::<AlarmName>(), Err(NotAName), "{bad}");
        }
    }
}

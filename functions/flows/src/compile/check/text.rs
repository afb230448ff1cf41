//! Lengths and characters of texts (service model, flow-model section 12).

use super::Faults;

/// Characters.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

/// Characters of a list as a JSON array, which is how AppFlow gets lists of names.
pub(super) fn json_length(list: &[String]) -> usize {
    serde_json::to_string(list).map_or(usize::MAX, |json| length(&json))
}

/// A member's name as a part of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Not empty, no blanks, not too long.
pub(super) fn is_word(text: &str, most: usize) -> bool {
    !text.is_empty() && length(text) <= most && !text.chars().any(char::is_whitespace)
}

/// A name that people read.
pub(super) fn name(faults: &mut Faults, pointer: &str, text: &str) {
    if text.trim().is_empty() || length(text) > 256 || text.chars().any(char::is_control) {
        faults.add(
            pointer,
            "invalid_name",
            "1 to 256 characters, not only blanks, no control characters.",
        );
    }
}

/// AppFlow's description.
pub(super) fn description(faults: &mut Faults, pointer: &str, text: &str) {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "_!@#-.?,".contains(c);
    if length(text) > 2048 || !text.chars().all(plain) {
        faults.add(
            pointer,
            "invalid_description",
            "Up to 2048 letters, digits, blanks and _ ! @ # - . ? ,",
        );
    }
}

/// An object or table.
pub(super) fn object(faults: &mut Faults, pointer: &str, text: &str) {
    if !is_word(text, 512) {
        faults.add(
            pointer,
            "invalid_object",
            "1 to 512 characters without blanks.",
        );
    }
}

/// An entity of a custom connector.
pub(super) fn entity(faults: &mut Faults, pointer: &str, text: &str) {
    if !is_word(text, 1024) {
        faults.add(
            pointer,
            "invalid_entity",
            "1 to 1024 characters without blanks.",
        );
    }
}

/// A bucket.
pub(super) fn bucket(faults: &mut Faults, pointer: &str, text: &str) {
    let sound = (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric());
    if !sound {
        faults.add(
            pointer,
            "invalid_bucket",
            "3 to 63 lower-case letters, digits, dots and hyphens, as S3 names buckets.",
        );
    }
}

/// A folder in a bucket; may be empty.
pub(super) fn prefix(faults: &mut Faults, pointer: &str, text: &str) {
    if length(text) > 512 || text.chars().any(char::is_control) {
        faults.add(
            pointer,
            "invalid_prefix",
            "Up to 512 characters, no control characters.",
        );
    }
}

/// A field of the source.
pub(super) fn source_field(faults: &mut Faults, pointer: &str, text: &str) {
    if text.is_empty() || length(text) > 2048 || text.chars().any(char::is_control) {
        faults.add(
            pointer,
            "invalid_field",
            "Name a field: 1 to 2048 characters, no control characters.",
        );
    }
}

/// A field of the destination, or a timestamp field.
pub(super) fn destination_field(faults: &mut Faults, pointer: &str, text: &str) {
    if text.is_empty() || length(text) > 256 || text.chars().any(char::is_control) {
        faults.add(
            pointer,
            "invalid_field",
            "Name a field: 1 to 256 characters, no control characters.",
        );
    }
}

/// A value of a task property that is a word of a connector (a data type).
pub(super) fn data_type(faults: &mut Faults, pointer: &str, text: &str) {
    if text.is_empty() || length(text) > 2048 || text.chars().any(char::is_whitespace) {
        faults.add(
            pointer,
            "invalid_type",
            "Name the type as the connector does: no blanks, not empty.",
        );
    }
}

/// ARN of a role that AppFlow is handed.
pub(super) fn role_arn(faults: &mut Faults, pointer: &str, text: &str) {
    if text.len() > 512 || text.parse::<tributary::tenancy::RoleArn>().is_err() {
        faults.add(
            pointer,
            "invalid_role_arn",
            "An ARN of the form arn:aws:iam::<12 digits>:role/<name>.",
        );
    }
}

//! The character classes that the service model writes as regular expressions. A pattern always
//! covers the whole value; `\w` is ASCII there.

/// The expression that `value` should match but does not; `None` when it matches.
pub(crate) fn mismatch(class: &str, value: &str) -> Option<&'static str> {
    let (expression, matches) = check(class, value);
    (!matches).then_some(expression)
}

fn check(class: &str, v: &str) -> (&'static str, bool) {
    match class {
        "line" => (".*", !v.contains(['\n', '\r'])),
        "no-space" => (r"\S+", !v.is_empty() && !v.contains(char::is_whitespace)),
        "printable" => (
            "[ -~]+",
            !v.is_empty() && v.bytes().all(|b| (b' '..=b'~').contains(&b)),
        ),
        "digits" => (r"^\d{3}$", v.bytes().all(|b| b.is_ascii_digit())),
        "word" => (r"[\w]+", !v.is_empty() && only(v, "")),
        "name" => (
            r"[a-zA-Z0-9][\w!@#.-]+",
            v.len() > 1 && v.starts_with(|c: char| c.is_ascii_alphanumeric()) && only(v, "!@#.-"),
        ),
        "profile-name" => (r"[\w/!@#+=.-]+", !v.is_empty() && only(v, "/!@#+=.-")),
        "flow-description" => (r"[\w!@#\-.?,\s]*", spaced(v, "!@#-.?,")),
        "connector-description" => (r"[\s\w/!@#+=.-]*", spaced(v, "/!@#+=.-")),
        "entities-path" => (r"[\s\w/!@#+=,.-]*", spaced(v, "/!@#+=,.-")),
        "tag-key" => (
            r"^(?!aws:)[a-zA-Z+-=._:/]+$",
            !v.is_empty()
                && !v.starts_with("aws:")
                && v.chars().all(|c| {
                    c.is_ascii_alphabetic() || ('+'..='=').contains(&c) || "._:/".contains(c)
                }),
        ),
        "tag-value" => (
            r"[\s\w+-=\.:/@]*",
            v.chars().all(|c| {
                c.is_whitespace()
                    || c.is_ascii_alphanumeric()
                    || ('+'..='=').contains(&c)
                    || "_@".contains(c)
            }),
        ),
        "secret-arn" => (
            "arn:aws:secretsmanager:.*:[0-9]+:.*",
            arn(v, "arn:aws:secretsmanager:"),
        ),
        "key-arn" => ("arn:aws:kms:.*:[0-9]+:.*", arn(v, "arn:aws:kms:")),
        "appflow-arn" => ("arn:aws:appflow:.*:[0-9]+:.*", arn(v, "arn:aws:appflow:")),
        "iam-arn" => ("arn:aws:iam:.*:[0-9]+:.*", arn(v, "arn:aws:iam:")),
        "lambda-arn" => ("arn:aws:lambda:.*:[0-9]+:.*", arn(v, "arn:aws:lambda:")),
        "web-url" => (
            "^(https?)://.*",
            v.starts_with("https://") || v.starts_with("http://"),
        ),
        "private-link" => (
            r"^$|com.amazonaws.vpce.[\w/!:@#.\-]+",
            v.is_empty() || (v.starts_with("com.amazonaws.vpce.") && only(v, "/!:@#.-")),
        ),
        "jwt" => (
            r"^([a-zA-Z0-9_=]+)\.([a-zA-Z0-9_=]+)\.([a-zA-Z0-9_\-\+\/=]*)",
            jwt(v),
        ),
        _ => ("a known class", false),
    }
}

fn only(value: &str, more: &str) -> bool {
    value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || more.contains(c))
}

fn spaced(value: &str, more: &str) -> bool {
    value
        .chars()
        .all(|c| c.is_whitespace() || c.is_ascii_alphanumeric() || c == '_' || more.contains(c))
}

/// `<prefix>.*:[0-9]+:.*`: somewhere after the prefix stands an account number between colons.
fn arn(value: &str, prefix: &str) -> bool {
    let Some(rest) = value.strip_prefix(prefix) else {
        return false;
    };
    let parts: Vec<&str> = rest.split(':').collect();
    parts.len() > 2
        && parts[1..parts.len() - 1]
            .iter()
            .any(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// The model admits no `-` in the first two segments, although base64url has it. Real tokens with
/// one are refused by a literal reading; this reading lets them pass.
fn jwt(value: &str) -> bool {
    let segments: Vec<&str> = value.splitn(3, '.').collect();
    segments.len() == 3
        && segments[..2].iter().all(|s| !s.is_empty() && only(s, "=-"))
        && only(segments[2], "-+/=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_accept_and_refuse_as_the_model_says() {
        for (class, value, matches) in [
            ("name", "tributary-ten_1-flw_2", true),
            ("name", "a", false),
            ("name", "-ab", false),
            ("name", "has space", false),
            ("profile-name", "a/b=c+d", true),
            ("profile-name", "a:b", false),
            ("flow-description", "Full copy, all fields?", true),
            ("flow-description", "no (parentheses)", false),
            ("no-space", "", false),
            ("no-space", "a b", false),
            ("tag-key", "tributary:tenant", true),
            ("tag-key", "aws:x", false),
            ("tag-key", "with space", false),
            (
                "secret-arn",
                "arn:aws:secretsmanager:us-east-1:1234:secret:x",
                true,
            ),
            (
                "secret-arn",
                "arn:aws:secretsmanager:us-east-1:x:secret:x",
                false,
            ),
            ("iam-arn", "arn:aws:iam::123456789012:role/x", true),
            ("web-url", "ftp://x", false),
            ("jwt", "aa.bb.cc", true),
            ("jwt", "aa.bb", false),
            ("private-link", "", true),
        ] {
            assert_eq!(
                mismatch(class, value).is_none(),
                matches,
                "{class} {value:?}"
            );
        }
    }
}

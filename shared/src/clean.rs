//! Providers' texts without what must not leave: tokens, session ids, keys.

/// Longest text that is kept, in characters.
const LONGEST: usize = 500;
/// What stands where a secret was.
const REMOVED: &str = "[removed]";
/// Names after which a value is taken for a secret.
const NAMES: [&str; 7] = [
    "secret",
    "token",
    "password",
    "passwd",
    "apikey",
    "api_key",
    "assertion",
];

/// A provider's text with secrets removed, cut to 500 characters.
///
/// Goes by looks, and rather removes too much: after `Bearer`, `Basic` and names of secrets; JWTs
/// (`eyJ`), Salesforce session ids (`00D...!`), AWS access keys, and long runs of base64 or
/// hexadecimal digits.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(LONGEST));
    let mut secret_follows = false;
    for piece in pieces(text) {
        if !piece.starts_with(is_word_character) {
            cleaned.push_str(piece);
            continue;
        }
        cleaned.push_str(&clean_word(piece, secret_follows));
        secret_follows = announces_secret(piece);
    }
    cut(cleaned.trim())
}

/// The text as words and what is between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_word = is_word_character(rest.chars().next()?);
        let end = rest
            .find(|character| is_word_character(character) != is_word)
            .unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

/// Characters of tokens in all their encodings.
fn is_word_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+/=_.!~-%".contains(character)
}

fn clean_word(word: &str, is_announced: bool) -> String {
    // `name=value`; a trailing `=` is padding, not a name.
    if let Some((name, value)) = word.split_once('=')
        && !value.trim_matches('=').is_empty()
    {
        let value = if announces_secret(name) {
            REMOVED.to_owned()
        } else {
            clean_word(value, false)
        };
        return format!("{name}={value}");
    }
    if looks_secret(word) || (is_announced && looks_like_a_value(word)) {
        return REMOVED.to_owned();
    }
    word.to_owned()
}

fn announces_secret(word: &str) -> bool {
    let lower = word.trim_end_matches(['=', '.']).to_ascii_lowercase();
    lower == "bearer" || lower == "basic" || NAMES.iter().any(|name| lower.ends_with(name))
}

/// After a name of a secret, ordinary words (`token has expired`) are no values.
fn looks_like_a_value(word: &str) -> bool {
    word.len() >= 8 && word.bytes().any(|byte| !byte.is_ascii_lowercase())
}

fn looks_secret(word: &str) -> bool {
    let is_jwt = word.len() >= 10 && word.contains("eyJ");
    let is_session_id = word
        .find("00D")
        .is_some_and(|at| word[at..].contains('!') && word.len() >= 15);
    is_jwt || is_session_id || has_access_key(word) || has_long_run(word)
}

/// `AKIA` or `ASIA` and sixteen upper-case characters.
fn has_access_key(word: &str) -> bool {
    ["AKIA", "ASIA"].iter().any(|prefix| {
        word.find(prefix).is_some_and(|at| {
            let digits = word[at + prefix.len()..]
                .bytes()
                .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            digits.count() >= 16
        })
    })
}

/// A long run in which upper case, lower case and digits mix, or of 40 and more hexadecimal digits.
/// Our own ids are 32 lower-case digits and stay.
fn has_long_run(word: &str) -> bool {
    let is_mixed = |run: &str| {
        run.len() >= 24
            && run.bytes().any(|byte| byte.is_ascii_uppercase())
            && run.bytes().any(|byte| byte.is_ascii_lowercase())
            && run.bytes().any(|byte| byte.is_ascii_digit())
    };
    let is_hex = |run: &str| run.len() >= 40 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_mixed(word) || word.split(|c: char| !c.is_ascii_alphanumeric()).any(is_hex)
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRETS: [&str; 9] = [
        "00DxxCANARY00001!AQEAQHh4Y2FuYXJ5",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2ln",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "5Aep8610zMxDlBhTqY_ZbLCanaryRefresh1",
        "E1A5F90D3C2B4A6E8F7091A2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D5E6",
        "d2hhdGV2ZXIgdGhpcyBpcyBzZWNyZXQgMQ==",
        "deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    ];

    #[test]
    fn secrets_by_looks_are_removed_wherever_they_stand() {
        for secret in SECRETS {
            for text in [
                format!("Refused: {secret}"),
                format!("(\"{secret}\")"),
                format!("https://host/path?x={secret}&y=1"),
                format!("sid:{secret}, try again"),
            ] {
                let cleaned = clean(&text);
                assert!(!cleaned.contains(secret), "{text} -> {cleaned}");
                assert!(cleaned.contains(REMOVED), "{text} -> {cleaned}");
            }
        }
    }

    #[test]
    fn secrets_by_name_are_removed_and_the_sentence_stays() {
        let cases = [
            (
                "Authorization: Bearer abc.DEF-123",
                "Authorization: Bearer [removed]",
            ),
            (
                "client_secret=hunter2 was refused",
                "client_secret=[removed] was refused",
            ),
            (
                "{\"password\":\"Sommer2026\"}",
                "{\"password\":\"[removed]\"}",
            ),
            ("refresh_token: 5Aep86-x", "refresh_token: [removed]"),
            (
                "the access token expired yesterday",
                "the access token expired yesterday",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected);
        }
    }

    #[test]
    fn names_that_people_need_stay() {
        for text in [
            "No such column 'Region__c' on entity 'Account'",
            "Flow tributary-ten_019364c0a1b27cc3a4d5e6f708192a3b-flw_019364c0a1b27cc3a4d5e6f708192a3c failed",
            "Access Denied for s3://tributary-landing-222222222222/salesforce/",
            "Execution 2c07e424-21e4-4ee3-b70f-4fb55b2ecf79 ended",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let cleaned = clean(&"ä ".repeat(2_000));
        assert_eq!(cleaned.chars().count(), LONGEST);
        assert!(cleaned.ends_with('…'));
    }

    proptest! {
        #[test]
        fn no_text_around_a_secret_saves_it(
            before in "[ -~äß]{0,40}[ \"'(:,]",
            after in "([ \"'),;][ -~]{0,40})?",
            secret in proptest::sample::select(SECRETS.to_vec()),
        ) {
            let cleaned = clean(&format!("{before}{secret}{after}"));
            prop_assert!(!cleaned.contains(secret), "{cleaned}");
        }
    }
}

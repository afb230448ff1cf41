//! Cookies: `__Host-` only, so that no other host and no plain connection can set or read them.

use http::{HeaderMap, HeaderValue, header};
use tributary::{
    error::{Error, Result},
    secret::Secret,
    store::key::sha256_hex,
};

/// The cookie of a sign-in session.
pub(crate) const SESSION: &str = "__Host-tributary-session";
/// Length of the random values that we put into cookies, states and links.
const VALUE_LENGTH: usize = 43;

/// Name of the cookie that binds a transaction to its browser: one per transaction, so that two
/// in parallel do not overwrite each other.
pub(crate) fn transaction(kind: &str, state: &Secret) -> String {
    format!(
        "__Host-tributary-{kind}-{}",
        &sha256_hex(state.expose())[..16]
    )
}

/// A cookie for a browser. `Lax`, because `Strict` is not sent when a provider sends the browser back.
pub(crate) fn set(name: &str, value: &Secret, max_age_seconds: i64) -> Result<HeaderValue> {
    header_value(&format!(
        "{name}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={max_age_seconds}",
        value.expose()
    ))
}

/// Takes a cookie away.
pub(crate) fn clear(name: &str) -> Result<HeaderValue> {
    header_value(&format!(
        "{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
    ))
}

fn header_value(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|error| Error::internal("cookie", "a cookie has bad bytes").with_source(error))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The value of a cookie of ours. One that stands twice or does not look like ours is not there.
pub(crate) fn get(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(have, _)| *have == name)
        .map(|(_, value)| value);
    let value = found.next()?;
    (found.next().is_none() && is_ours(value)).then(|| Secret::new(value))
}

/// Whether a text can be one of our random values.
pub(crate) fn is_ours(text: &str) -> bool {
    text.len() == VALUE_LENGTH
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use tributary::oauth::random_token;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| (header::COOKIE, HeaderValue::from_str(line).unwrap()))
            .collect()
    }

    #[test]
    fn cookies_are_host_bound_secure_and_out_of_reach_of_scripts() {
        let value = random_token().unwrap();
        let cookie = set(SESSION, &value, 600).unwrap();
        let text = cookie.to_str().unwrap();
        assert!(text.starts_with(&format!("__Host-tributary-session={}; ", value.expose())));
        for attribute in [
            "; Path=/",
            "; Secure",
            "; HttpOnly",
            "; SameSite=Lax",
            "; Max-Age=600",
        ] {
            assert!(text.contains(attribute), "{text}");
        }
        assert!(!text.contains("Domain"), "__Host- cookies have no domain");
        assert!(!format!("{cookie:?}").contains(value.expose()));
        assert!(
            clear(SESSION)
                .unwrap()
                .to_str()
                .unwrap()
                .contains("session=; ")
        );
    }

    #[test]
    fn a_cookie_is_found_among_others_and_in_several_headers() {
        let value = "a".repeat(43);
        let ours = format!("{SESSION}={value}");
        for lines in [
            vec![ours.clone()],
            vec![format!("x=1;{ours}; y=2")],
            vec!["x=1".to_owned(), ours.clone()],
        ] {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert!(
                get(&headers(&lines), SESSION).unwrap().same_as(&value),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn a_doubled_foreign_or_misshapen_cookie_is_none() {
        let good = "a".repeat(43);
        for line in [
            String::new(),
            format!("{SESSION}={good}; {SESSION}={good}"),
            format!("{SESSION}={}", "a".repeat(42)),
            format!("{SESSION}=\"{good}\""),
            format!("{SESSION}={}.", "a".repeat(42)),
            format!("tributary-session={good}"),
        ] {
            assert!(get(&headers(&[&line]), SESSION).is_none(), "{line}");
        }
    }

    #[test]
    fn parallel_transactions_have_cookies_of_their_own() {
        let (one, two) = (random_token().unwrap(), random_token().unwrap());
        assert_ne!(transaction("login", &one), transaction("login", &two));
        assert_ne!(transaction("login", &one), transaction("connect", &one));
        assert!(!transaction("login", &one).contains(one.expose()));
    }
}

//! Pagination: 20 by default, opaque tokens that remember the last key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::error::ApiError;

/// Cuts a page out of `items`, which are in the order of their keys. The token is bound to the
/// list it came from.
pub(crate) fn page(
    list: &str,
    request: &Value,
    default: usize,
    items: Vec<(String, Value)>,
) -> Result<(Vec<Value>, Value), ApiError> {
    let most = request
        .get("maxResults")
        .and_then(Value::as_u64)
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(default);
    let start = match request.get("nextToken").and_then(Value::as_str) {
        None => 0,
        Some(token) => after(list, token, &items)
            .ok_or_else(|| ApiError::validation("The next token is not valid"))?,
    };
    let more = items.len() > start + most;
    let kept: Vec<(String, Value)> = items.into_iter().skip(start).take(most).collect();
    let token = match kept.last() {
        Some((key, _)) if more => Value::from(URL_SAFE_NO_PAD.encode(format!("{list}\n{key}"))),
        _ => Value::Null,
    };
    Ok((kept.into_iter().map(|(_, item)| item).collect(), token))
}

/// Where the page after the token's key starts. Lists from which items can go are sorted by key.
fn after(list: &str, token: &str, items: &[(String, Value)]) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let key = text.strip_prefix(list)?.strip_prefix('\n')?;
    let at = items.iter().position(|(k, _)| k == key).map(|at| at + 1);
    let beyond = || items.iter().position(|(k, _)| k.as_str() > key);
    Some(at.or_else(beyond).unwrap_or(items.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn items() -> Vec<(String, Value)> {
        (0..45).map(|n| (format!("k{n:02}"), json!(n))).collect()
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let mut seen = Vec::new();
        let mut request = json!({});
        loop {
            let (page, token) = page("ListFlows", &request, 20, items()).expect("page");
            assert!(page.len() <= 20);
            seen.extend(page);
            if token.is_null() {
                break;
            }
            request["nextToken"] = token;
        }
        assert_eq!(seen, (0..45).map(|n| json!(n)).collect::<Vec<_>>());
    }

    #[test]
    fn a_token_of_another_list_is_refused() {
        let (_, token) = page("ListFlows", &json!({ "maxResults": 1 }), 20, items()).expect("page");
        let request = json!({ "nextToken": token });
        assert!(page("ListConnectors", &request, 20, items()).is_err());
        assert!(page("ListFlows", &json!({ "nextToken": "junk" }), 20, items()).is_err());
    }
}

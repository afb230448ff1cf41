//! Trusted token issuers. The issuer's address is not looked at here: a wrong one shows when a token
//! is exchanged.

use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        refusal::{Refusal, is_name, page, pattern, text},
        state::{INSTANCE_ID, State, TokenIssuer, shown},
    },
    check_instance,
};

/// An instance has at most so many.
const MOST: usize = 10;

/// `CreateTrustedTokenIssuer`
pub(super) fn create(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    check_instance(body)?;
    let name = text(body, "Name", 255)?;
    pattern(name, "name", is_name)?;
    if body["TrustedTokenIssuerType"] != "OIDC_JWT" {
        return Err(Refusal::validation(
            "TrustedTokenIssuerType must be OIDC_JWT",
        ));
    }
    let asked = &body["TrustedTokenIssuerConfiguration"]["OidcJwtConfiguration"];
    let url = text(asked, "IssuerUrl", 512)?;
    pattern(url, "issuerUrl", is_url)?;
    let claim_path = text(asked, "ClaimAttributePath", 255)?;
    pattern(claim_path, "claimAttributePath", |path| {
        is_path(path, &['.', '_'])
    })?;
    let store_path = text(asked, "IdentityStoreAttributePath", 255)?;
    pattern(store_path, "identityStoreAttributePath", |path| {
        is_path(path, &['.'])
    })?;
    if !["username", "emails.value", "externalids.id"]
        .contains(&store_path.to_ascii_lowercase().as_str())
    {
        return Err(Refusal::validation(format!(
            "IdentityStoreAttributePath {store_path} is not supported"
        )));
    }
    if asked["JwksRetrievalOption"] != "OPEN_ID_DISCOVERY" {
        return Err(Refusal::validation(
            "JwksRetrievalOption must be OPEN_ID_DISCOVERY",
        ));
    }
    if state
        .issuers
        .values()
        .any(|issuer| issuer.name == name || issuer.url == url)
    {
        return Err(Refusal::conflict(
            "a trusted token issuer with this name or address exists",
        ));
    }
    if state.issuers.len() >= MOST {
        return Err(Refusal::new(
            "ServiceQuotaExceededException",
            "an instance has at most 10 trusted token issuers",
        ));
    }
    let arn = new_arn();
    let issuer = TokenIssuer {
        arn: arn.clone(),
        name: name.to_owned(),
        url: url.to_owned(),
        claim_path: claim_path.to_owned(),
        store_path: store_path.to_owned(),
        keys_url: None,
    };
    state.issuers.insert(arn.clone(), issuer);
    Ok(json!({ "TrustedTokenIssuerArn": arn }))
}

/// `DescribeTrustedTokenIssuer`
pub(super) fn describe(state: &State, body: &Value) -> Result<Value, Refusal> {
    let issuer = body["TrustedTokenIssuerArn"]
        .as_str()
        .and_then(|arn| state.issuers.get(arn))
        .ok_or_else(|| Refusal::not_found("TrustedTokenIssuer"))?;
    Ok(json!({
        "TrustedTokenIssuerArn": issuer.arn,
        "Name": issuer.name,
        "TrustedTokenIssuerType": "OIDC_JWT",
        "TrustedTokenIssuerConfiguration": shown(issuer),
    }))
}

/// `ListTrustedTokenIssuers`
pub(super) fn list(state: &State, body: &Value) -> Result<Value, Refusal> {
    check_instance(body)?;
    let list = state.issuers.values().map(|issuer| {
        json!({
            "TrustedTokenIssuerArn": issuer.arn,
            "Name": issuer.name,
            "TrustedTokenIssuerType": "OIDC_JWT",
        })
    });
    page(body, "TrustedTokenIssuers", list.collect())
}

/// ARN for a new issuer.
pub(in crate::identity_center) fn new_arn() -> String {
    format!(
        "arn:aws:sso::{VENDOR_ACCOUNT}:trustedTokenIssuer/{INSTANCE_ID}/tti-{}",
        Uuid::new_v4()
    )
}

/// Up to three words of letters.
fn is_path(path: &str, separators: &[char]) -> bool {
    let words: Vec<&str> = path.split(separators).collect();
    words.len() <= 3
        && words
            .iter()
            .all(|word| !word.is_empty() && word.chars().all(char::is_alphabetic))
}

fn is_url(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        rest.chars()
            .all(|c| c.is_ascii_alphanumeric() || "-+&@/%=~_|!:,.;".contains(c))
            && !rest.ends_with(['!', ':', ',', '.', ';'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_up_to_three_words_and_addresses_no_query() {
        for (path, fits) in [
            ("email", true),
            ("custom_user_email", true),
            ("emails.value", true),
            ("a.b.c.d", false),
            ("a..b", false),
            ("claim1", false),
        ] {
            assert_eq!(is_path(path, &['.', '_']), fits, "{path}");
        }
        assert!(is_url("https://issuer.example/pool_1"));
        assert!(!is_url("https://issuer.example/?x=1"));
        assert!(!is_url("ftp://issuer.example"));
    }
}

//! Grants: in which ways an application gets tokens.

use serde_json::{Value, json};

use super::{
    super::{
        refusal::{Refusal, page},
        state::State,
    },
    application,
};

/// Grant types and the member of `Grant` that each needs.
const GRANTS: [(&str, &str); 4] = [
    ("authorization_code", "AuthorizationCode"),
    ("refresh_token", "RefreshToken"),
    ("urn:ietf:params:oauth:grant-type:jwt-bearer", "JwtBearer"),
    (
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "TokenExchange",
    ),
];

/// `PutApplicationGrant`
pub(super) fn put(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    application(state, body)?;
    let (kind, member) = kind(body)?;
    let grant = &body["Grant"];
    let is_alone = grant.as_object().is_some_and(|members| members.len() == 1);
    if !is_alone || !grant[member].is_object() {
        return Err(Refusal::validation(format!(
            "Grant must have exactly the member {member} for this grant type"
        )));
    }
    match kind {
        // Seen of the real service, for customer-managed applications.
        "authorization_code" => {
            return Err(Refusal::validation(
                "Grant type: authorization_code not supported",
            ));
        }
        "refresh_token" | "urn:ietf:params:oauth:grant-type:token-exchange" => {}
        _ => check_issuers(state, &grant[member]["AuthorizedTokenIssuers"])?,
    }
    application(state, body)?
        .grants
        .insert(kind.to_owned(), grant.clone());
    Ok(json!({}))
}

fn check_issuers(state: &State, issuers: &Value) -> Result<(), Refusal> {
    let between = |list: &Value| {
        list.as_array()
            .filter(|list| (1..=10).contains(&list.len()))
            .cloned()
    };
    let issuers = between(issuers).ok_or_else(|| {
        Refusal::validation("AuthorizedTokenIssuers must have between 1 and 10 issuers")
    })?;
    for issuer in &issuers {
        issuer["TrustedTokenIssuerArn"]
            .as_str()
            .and_then(|arn| state.issuers.get(arn))
            .ok_or_else(|| Refusal::not_found("TrustedTokenIssuer"))?;
        let audiences = between(&issuer["AuthorizedAudiences"]).ok_or_else(|| {
            Refusal::validation("AuthorizedAudiences must have between 1 and 10 audiences")
        })?;
        let fits = |audience: &Value| {
            audience
                .as_str()
                .is_some_and(|text| (1..=512).contains(&text.chars().count()))
        };
        if !audiences.iter().all(fits) {
            return Err(Refusal::validation(
                "an audience has between 1 and 512 characters",
            ));
        }
    }
    Ok(())
}

/// `GetApplicationGrant`
pub(super) fn get(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let (kind, _) = kind(body)?;
    let grant = application(state, body)?
        .grants
        .get(kind)
        .ok_or_else(|| Refusal::not_found("Grant"))?;
    Ok(json!({ "Grant": grant }))
}

/// `ListApplicationGrants`
pub(super) fn list(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let grants = application(state, body)?.grants.iter();
    let list = grants.map(|(kind, grant)| json!({ "GrantType": kind, "Grant": grant }));
    page(body, "Grants", list.collect())
}

/// `DeleteApplicationGrant`
pub(super) fn delete(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let (kind, _) = kind(body)?;
    application(state, body)?
        .grants
        .remove(kind)
        .map(|_| json!({}))
        .ok_or_else(|| Refusal::not_found("Grant"))
}

fn kind(body: &Value) -> Result<(&'static str, &'static str), Refusal> {
    let asked = body["GrantType"].as_str().unwrap_or_default();
    GRANTS
        .into_iter()
        .find(|(kind, _)| *kind == asked)
        .ok_or_else(|| Refusal::validation("GrantType is not one of the grant types"))
}

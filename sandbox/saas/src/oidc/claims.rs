//! What stands in the tokens, and what the trigger may change of it.

use serde_json::{Map, Value, json};

use super::{options::OidcUser, sessions::Session};

/// Claims that no trigger changes, in either token.
const RESERVED: &[&str] = &[
    "acr",
    "amr",
    "at_hash",
    "auth_time",
    "azp",
    "client_id",
    "cognito:groups",
    "cognito:preferred_role",
    "cognito:roles",
    "cognito:username",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "scope",
    "sub",
    "token_use",
    "username",
    "version",
];

/// What the two tokens of one answer have in common.
pub(super) struct Issue<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) user: &'a OidcUser,
    pub(super) session: &'a Session,
    pub(super) event_id: String,
    /// Wall clock, epoch seconds.
    pub(super) now: i64,
    /// Seconds.
    pub(super) life: i64,
}

impl Issue<'_> {
    /// Claims of the access token before the trigger.
    pub(super) fn access(&self) -> Map<String, Value> {
        let mut claims = self.common("access");
        claims.extend(object(json!({
            "version": 2,
            "client_id": self.client_id,
            "scope": self.session.scopes.join(" "),
            "username": self.user.sub,
        })));
        claims
    }

    /// Claims of the ID token before the trigger.
    pub(super) fn id(&self, nonce: Option<&str>) -> Map<String, Value> {
        let mut claims = self.common("id");
        claims.extend(object(json!({
            "aud": self.client_id,
            "cognito:username": self.user.sub,
            "email": self.user.email,
            "email_verified": true,
        })));
        claims.extend(
            self.user
                .attributes
                .iter()
                .map(|(name, value)| (name.clone(), json!(value))),
        );
        if let Some(nonce) = nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        claims
    }

    fn common(&self, token_use: &str) -> Map<String, Value> {
        let mut claims = object(json!({
            "sub": self.user.sub,
            "iss": self.issuer,
            "origin_jti": self.session.origin,
            "event_id": self.event_id,
            "token_use": token_use,
            "auth_time": self.session.auth_time,
            "iat": self.now,
            "exp": self.now + self.life,
            "jti": uuid::Uuid::new_v4().to_string(),
        }));
        set_groups(&mut claims, &json!(self.user.groups));
        claims
    }
}

/// Applies `response.claimsAndScopeOverrideDetails` of a version 2 trigger as Cognito does.
pub(super) fn apply(details: &Value, id: &mut Map<String, Value>, access: &mut Map<String, Value>) {
    let client = access.get("client_id").cloned().unwrap_or_default();
    override_claims(&details["idTokenGeneration"], id, |name, _| name != "aud");
    let generation = &details["accessTokenGeneration"];
    override_claims(generation, access, |name, value| {
        // An access token may get an audience, if it is the client itself.
        name != "aud" || *value == client
    });
    override_scopes(generation, access);
    // A group object that is there replaces the groups, an empty one by none.
    let groups = &details["groupOverrideDetails"];
    if groups.is_object() {
        let groups = &groups["groupsToOverride"];
        set_groups(id, groups);
        set_groups(access, groups);
    }
}

fn override_claims(
    generation: &Value,
    claims: &mut Map<String, Value>,
    allowed: impl Fn(&str, &Value) -> bool,
) {
    let free = |name: &str| !RESERVED.contains(&name) && !name.starts_with("dev:");
    for (name, value) in generation["claimsToAddOrOverride"]
        .as_object()
        .into_iter()
        .flatten()
    {
        if free(name) && allowed(name, value) {
            claims.insert(name.clone(), value.clone());
        }
    }
    for name in strings(&generation["claimsToSuppress"]) {
        if free(&name) && name != "aud" {
            claims.remove(&name);
        }
    }
}

fn override_scopes(generation: &Value, access: &mut Map<String, Value>) {
    let suppressed = strings(&generation["scopesToSuppress"]);
    let mut scopes: Vec<String> = access
        .get("scope")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .split(' ')
        .filter(|scope| !suppressed.iter().any(|s| s == scope))
        .map(str::to_owned)
        .collect();
    for scope in strings(&generation["scopesToAdd"]) {
        if !scope.contains(' ') && !scope.starts_with("aws.cognito") && !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    access.insert("scope".to_owned(), json!(scopes.join(" ")));
}

/// Writes the groups, or no claim at all for none.
fn set_groups(claims: &mut Map<String, Value>, groups: &Value) {
    let groups = strings(groups);
    if groups.is_empty() {
        claims.remove("cognito:groups");
    } else {
        claims.insert("cognito:groups".to_owned(), json!(groups));
    }
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> (Map<String, Value>, Map<String, Value>) {
        let user = OidcUser::new("frank", "amer-sales");
        let session = Session::new("frank", vec!["openid".into(), "email".into()], 1);
        let issue = Issue {
            issuer: "http://127.0.0.1:1",
            client_id: "app",
            user: &user,
            session: &session,
            event_id: "e".into(),
            now: 10,
            life: 3600,
        };
        (issue.id(Some("n")), issue.access())
    }

    #[test]
    fn the_trigger_adds_the_tenant_and_changes_nothing_that_is_reserved() {
        let (mut id, mut access) = both();
        let (id_before, access_before) = (id.clone(), access.clone());
        let generation = json!({
            "claimsToAddOrOverride": {
                "tenant_id": "ten_1", "sub": "x", "iss": "x", "exp": 0, "token_use": "x",
                "cognito:username": "x", "aud": "other", "cognito:groups": ["root"], "client_id": "x",
            },
            "claimsToSuppress": ["sub", "iss", "email", "jti"],
            "scopesToAdd": ["tributary/api", "aws.cognito.signin.user.admin"],
            "scopesToSuppress": ["email"],
        });
        let details =
            json!({ "idTokenGeneration": generation, "accessTokenGeneration": generation });
        apply(&details, &mut id, &mut access);
        assert_eq!(id["tenant_id"], "ten_1");
        assert_eq!(access["tenant_id"], "ten_1");
        assert_eq!(id.get("email"), None);
        assert_eq!(access["scope"], "openid tributary/api");
        for name in ["sub", "iss", "exp", "token_use", "cognito:groups", "jti"] {
            assert_eq!(id[name], id_before[name], "{name}");
            assert_eq!(access[name], access_before[name], "{name}");
        }
        assert_eq!(id["aud"], "app");
        assert_eq!(access.get("aud"), None);
        assert_eq!(access["client_id"], "app");
    }

    #[test]
    fn groups_stay_without_an_override_and_go_with_an_empty_one() {
        let (mut id, mut access) = both();
        apply(
            &json!({ "groupOverrideDetails": null }),
            &mut id,
            &mut access,
        );
        assert_eq!(id["cognito:groups"], json!(["amer-sales"]));
        let details = json!({ "groupOverrideDetails": { "groupsToOverride": ["emea-sales"] } });
        apply(&details, &mut id, &mut access);
        assert_eq!(access["cognito:groups"], json!(["emea-sales"]));
        let details = json!({ "groupOverrideDetails": { "groupsToOverride": [] } });
        apply(&details, &mut id, &mut access);
        assert_eq!(id.get("cognito:groups"), None);
        assert_eq!(access.get("cognito:groups"), None);
    }
}

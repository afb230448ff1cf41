//! `POST /v1/identity`: the caller's ID token becomes the caller's session with the warehouse.

pub mod forget;
pub mod show;

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tributary::{
    error::{Error, Kind},
    http::{Json, Problem, Viewer},
    identity::AuthConfig,
    jwt::{IdClaims, JwtError},
    secret::Secret,
};
use utoipa::ToSchema;

use crate::{App, session::User};

/// A fresh ID token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdentityRequest {
    /// The ID token of the caller's sign-in. It can be presented once.
    #[serde(rename = "idToken")]
    #[schema(value_type = String)]
    unverified_id_token: Secret,
    /// The nonce of the sign-in, exactly when the ID token has one. Tokens of a refresh have none.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "n-0S6_WzA2Mj")]
    nonce: Option<Secret>,
}

/// The session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityAnswer {
    /// Until when the session holds; it is renewed while the sign-in does.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Establishes the caller's session with the warehouse.
///
/// Call it once after sign-in and after each refresh of the tokens. No credentials are answered:
/// they stay on the server.
#[utoipa::path(
    post,
    path = "/v1/identity",
    tag = "queries",
    request_body = IdentityRequest,
    responses(
        (status = 200, body = IdentityAnswer),
        (status = 401, description = "`reauthenticate`: get a fresh ID token; `token_expired`; `token_not_accepted`", body = Problem),
        (status = 403, description = "`not_assigned`, `user_not_provisioned`, `identity_mismatch`, `email_not_verified`", body = Problem),
        (status = 409, description = "`exchange_in_progress`", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub async fn establish_identity(
    State(app): State<App>,
    viewer: Viewer,
    body: Json<IdentityRequest>,
) -> Result<axum::Json<IdentityAnswer>, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let IdentityRequest {
        unverified_id_token: id_token,
        nonce,
    } = body.value;
    let claims = app.verifier.verify(&id_token, None).await?;
    check_nonce(claims.get("nonce"), nonce.as_ref())?;
    Presented::of(&claims, &app.auth).check_is(&user)?;
    let session = app
        .sessions
        .of(&viewer.scope)
        .establish(&user, &id_token, &claims)
        .await?;
    Ok(axum::Json(IdentityAnswer {
        expires_at: session.valid_until,
    }))
}

/// A nonce in the ID token must be the one that the browser made, and a browser that made one must
/// find it: a token of another sign-in is refused either way.
fn check_nonce(claim: Option<&Value>, nonce: Option<&Secret>) -> Result<(), JwtError> {
    let agree = match (claim, nonce) {
        (None, None) => true,
        (Some(Value::String(claim)), Some(nonce)) => nonce.same_as(claim),
        _ => false,
    };
    if agree {
        Ok(())
    } else {
        Err(JwtError::Claim("nonce"))
    }
}

/// What an ID token that was verified says of its user.
///
/// `at_hash` is not looked at: it speaks of the access token that came with the ID token, and the
/// caller's access token is the gateway's business, which passes on its claims and vouches for them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Presented {
    issuer: String,
    subject: String,
    tenant: Option<String>,
    login: Option<String>,
    has_verified_email: bool,
}

impl Presented {
    fn of(claims: &IdClaims, auth: &AuthConfig) -> Self {
        Self {
            issuer: claims.issuer.clone(),
            subject: claims.subject.clone(),
            tenant: claims.text(&auth.tenant_claim).map(str::to_owned),
            login: claims.login_id.clone(),
            has_verified_email: claims.email_verified && claims.email.is_some(),
        }
    }

    /// The ID token must be the caller's own: same issuer, subject, tenant and sign-in. Its e-mail
    /// address finds the user in the directory, so it must be verified.
    fn check_is(&self, user: &User) -> Result<(), Error> {
        // Some providers name the sign-in in one of the two tokens only.
        let is_other_login = !user.login.is_empty()
            && self
                .login
                .as_ref()
                .is_some_and(|login| *login != user.login);
        let is_same = self.issuer == user.issuer
            && self.subject == user.subject
            && self.tenant == Some(user.tenant.to_string())
            && !is_other_login;
        if !is_same {
            return Err(Error::new(
                Kind::Forbidden,
                "identity_mismatch",
                "This ID token is not yours.",
            ));
        }
        if !self.has_verified_email {
            return Err(Error::new(
                Kind::Forbidden,
                "email_not_verified",
                "Verify your e-mail address first.",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tributary::id::TenantId;

    use super::*;

    #[test]
    fn q8_the_nonce_of_token_and_browser_agree_or_neither_has_one() {
        let check = |claim: Value, nonce: Option<&str>| {
            let claim = Some(claim).filter(|claim| !claim.is_null());
            check_nonce(claim.as_ref(), nonce.map(Secret::new).as_ref()).is_ok()
        };
        assert!(check(Value::Null, None));
        assert!(check(json!("n-1"), Some("n-1")));
        for (claim, nonce) in [
            (json!("n-1"), None),
            (json!("n-1"), Some("n-2")),
            (json!("n-1"), Some("n-")),
            (json!("n-1"), Some("")),
            (Value::Null, Some("n-1")),
            (Value::Null, Some("")),
            (json!(1), Some("1")),
            (json!(["n-1"]), Some("n-1")),
            (json!(false), None),
        ] {
            assert!(!check(claim.clone(), nonce), "{claim} {nonce:?}");
        }
    }

    #[test]
    fn an_id_token_of_another_user_tenant_issuer_or_sign_in_is_refused() {
        let user = User {
            tenant: TenantId::new(),
            issuer: "https://idp.example".to_owned(),
            subject: "ann".to_owned(),
            login: "l-1".to_owned(),
        };
        let own = Presented {
            issuer: user.issuer.clone(),
            subject: user.subject.clone(),
            tenant: Some(user.tenant.to_string()),
            login: Some("l-1".to_owned()),
            has_verified_email: true,
        };
        let with = |change: fn(&mut Presented)| {
            let mut presented = own.clone();
            change(&mut presented);
            presented.check_is(&user).err().map(|error| error.code())
        };
        assert_eq!(with(|_| {}), None);
        assert_eq!(with(|p| p.login = None), None);
        let changes: [fn(&mut Presented); 5] = [
            |p| p.issuer.push('/'),
            |p| p.subject = "bob".to_owned(),
            |p| p.tenant = Some(TenantId::new().to_string()),
            |p| p.tenant = None,
            |p| p.login = Some("l-2".to_owned()),
        ];
        for change in changes {
            assert_eq!(with(change), Some("identity_mismatch"));
        }
        assert_eq!(
            with(|p| p.has_verified_email = false),
            Some("email_not_verified")
        );
    }
}

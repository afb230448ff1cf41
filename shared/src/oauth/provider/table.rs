//! The rows.

use jiff::SignedDuration;

use super::{
    ClientAuth, ErrorRule, GrantorProof, InstanceSuffix, Provider, RotationClass, TokenFailure,
};

const fn rule(
    error: &'static str,
    description: Option<&'static str>,
    meaning: TokenFailure,
) -> ErrorRule {
    ErrorRule {
        error,
        description,
        meaning,
    }
}

const HOUR: std::time::Duration = std::time::Duration::from_hours(1);
const DAY: std::time::Duration = std::time::Duration::from_hours(24);

/// Errors of Salesforce's token endpoint. Descriptions are prose and pick a hint only where the same
/// `error` stands for different things.
const SALESFORCE_ERRORS: &[ErrorRule] = &[
    rule(
        "invalid_grant",
        Some("authorization code"),
        TokenFailure::FlowFailed("code_not_accepted"),
    ),
    rule(
        "invalid_grant",
        Some("code verifier"),
        TokenFailure::FlowFailed("code_not_accepted"),
    ),
    rule(
        "invalid_grant",
        Some("ip restricted"),
        TokenFailure::retryable("ip_restricted"),
    ),
    rule(
        "invalid_grant",
        Some("invalid login hours"),
        TokenFailure::retryable("login_hours"),
    ),
    rule(
        "invalid_grant",
        Some("authentication failure"),
        TokenFailure::retryable("org_policy"),
    ),
    rule(
        "invalid_grant",
        None,
        TokenFailure::ReauthRequired("revoked"),
    ),
    rule(
        "inactive_user",
        None,
        TokenFailure::Retryable {
            reason: "inactive_user",
            after: Some(DAY),
        },
    ),
    rule(
        "inactive_org",
        None,
        TokenFailure::Retryable {
            reason: "inactive_org",
            after: Some(DAY),
        },
    ),
    rule(
        "invalid_client_id",
        None,
        TokenFailure::OurCredentials("invalid_client_id"),
    ),
    rule(
        "invalid_client",
        None,
        TokenFailure::OurCredentials("invalid_client"),
    ),
    rule(
        "invalid_app_access",
        None,
        TokenFailure::ReauthRequired("app_not_allowed"),
    ),
    rule(
        "redirect_uri_mismatch",
        None,
        TokenFailure::OurConfiguration("redirect_uri_mismatch"),
    ),
    rule(
        "rate_limit_exceeded",
        None,
        TokenFailure::Retryable {
            reason: "rate_limit_exceeded",
            after: Some(HOUR),
        },
    ),
];

/// Every provider whose grants connections hold.
pub static PROVIDERS: &[Provider] = &[Provider {
    key: "salesforce",
    label: "Salesforce",
    authorize_path: "/services/oauth2/authorize",
    token_path: "/services/oauth2/token",
    revoke_path: Some("/services/oauth2/revoke"),
    introspect_path: Some("/services/oauth2/introspect"),
    scopes: &["api", "refresh_token", "id"],
    mandatory_scopes: &[&["api", "full"], &["refresh_token", "offline_access"]],
    scope_separator: ' ',
    client_auth: ClientAuth::Post,
    // Refresh-token rotation is mandatory since May 2026; a used token ends the grant.
    rotation: RotationClass::Strict,
    // Salesforce never says; two hours is the default policy and an hour its cautious half.
    access_life: SignedDuration::from_mins(60),
    idle_limit: Some(SignedDuration::from_hours(30 * 24)),
    token_type_optional: true,
    zero_is_forever: false,
    grantor_proof: GrantorProof::SalesforceSignature,
    instance_suffixes: &[
        InstanceSuffix {
            suffix: ".my.salesforce.com",
            labels: 2,
        },
        InstanceSuffix {
            suffix: ".my.salesforce.mil",
            labels: 2,
        },
        InstanceSuffix {
            suffix: ".my.sfcrmproducts.cn",
            labels: 2,
        },
        // Instance names from before My Domain.
        InstanceSuffix {
            suffix: ".salesforce.com",
            labels: 1,
        },
    ],
    error_rules: SALESFORCE_ERRORS,
}];

/// The identity provider that users sign in with; its endpoints come from its metadata.
pub static SIGN_IN: Provider = Provider {
    key: "sign-in",
    label: "Identity provider",
    authorize_path: "/oauth2/authorize",
    token_path: "/oauth2/token",
    revoke_path: Some("/oauth2/revoke"),
    introspect_path: None,
    scopes: &["openid", "email"],
    mandatory_scopes: &[],
    scope_separator: ' ',
    client_auth: ClientAuth::Post,
    rotation: RotationClass::Strict,
    access_life: SignedDuration::from_mins(5),
    idle_limit: None,
    token_type_optional: false,
    zero_is_forever: false,
    grantor_proof: GrantorProof::IdToken,
    instance_suffixes: &[],
    error_rules: &[],
};

/// The provider with this key.
pub fn provider(key: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_sound() {
        for row in PROVIDERS {
            let key_is_a_path_segment = row
                .key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            assert!(key_is_a_path_segment, "{}", row.key);
            for path in [
                Some(row.authorize_path),
                Some(row.token_path),
                row.revoke_path,
                row.introspect_path,
            ]
            .into_iter()
            .flatten()
            {
                assert!(
                    path.starts_with('/') && !path.contains(['?', '#']),
                    "{path}"
                );
            }
            for names in row.mandatory_scopes {
                assert!(
                    names.iter().any(|name| row.scopes.contains(name)),
                    "{names:?} is never asked for"
                );
            }
            for entry in row.instance_suffixes {
                assert!(
                    entry.suffix.starts_with('.') && entry.labels > 0,
                    "{}",
                    entry.suffix
                );
            }
            assert!(provider(row.key).is_some());
        }
    }

    /// Least scopes (RFC 6749 section 3.3): a change of this set is a change of what we ask customers for.
    #[test]
    fn salesforce_is_asked_for_api_refresh_token_and_id() {
        assert_eq!(
            provider("salesforce").map(Provider::scope_text).as_deref(),
            Some("api refresh_token id")
        );
    }

    #[test]
    fn c9_missing_scopes_are_named_and_synonyms_count() {
        let salesforce = provider("salesforce").unwrap();
        let granted = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(
            salesforce
                .missing_scopes(&granted("api offline_access id"))
                .is_empty()
        );
        assert_eq!(
            salesforce.missing_scopes(&granted("api refresh_token")),
            ["id"]
        );
        assert!(salesforce.has_mandatory_scopes(&granted("refresh_token api")));
        assert!(!salesforce.has_mandatory_scopes(&granted("api id")));
    }
}

//! The rows.

use jiff::SignedDuration;

use super::{
    ClientAuth, ErrorRule, GrantorProof, Hosts, InstanceSuffix, Provider, Revoke, RotationClass,
    TokenFailure,
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

/// What most providers have in common; each row says where it differs.
const COMMON: Provider = Provider {
    key: "",
    label: "",
    hosts: Hosts {
        fixed: None,
        authorize: None,
        instance: None,
    },
    authorize_path: "/oauth/authorize",
    token_path: "/oauth/token",
    revoke: None,
    introspect_path: None,
    scopes: &[],
    mandatory_scopes: &[],
    authorize_extra: &[],
    pkce: true,
    calls_per_second: 10,
    scope_separator: ' ',
    client_auth: ClientAuth::Post,
    rotation: RotationClass::Never,
    access_life: SignedDuration::from_mins(60),
    idle_limit: None,
    token_type_optional: false,
    zero_is_forever: false,
    grantor_proof: GrantorProof::AsksApplication,
    instance_suffixes: &[],
    error_rules: &[],
};

/// Every provider whose grants connections hold.
pub static PROVIDERS: &[Provider] = &[
    Provider {
        key: "salesforce",
        label: "Salesforce",
        hosts: Hosts {
            fixed: Some("https://login.salesforce.com"),
            authorize: None,
            instance: None,
        },
        authorize_path: "/services/oauth2/authorize",
        token_path: "/services/oauth2/token",
        revoke: Some(Revoke::Standard("/services/oauth2/revoke")),
        introspect_path: Some("/services/oauth2/introspect"),
        scopes: &["api", "refresh_token", "id"],
        mandatory_scopes: &[&["api", "full"], &["refresh_token", "offline_access"]],
        // Refresh-token rotation is mandatory since May 2026; a used token ends the grant.
        rotation: RotationClass::Strict,
        // Salesforce never says; two hours is the default policy and an hour its cautious half.
        access_life: SignedDuration::from_mins(60),
        idle_limit: Some(SignedDuration::from_hours(30 * 24)),
        token_type_optional: true,
        calls_per_second: 50,
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
        ..COMMON
    },
    Provider {
        key: "service-now",
        label: "ServiceNow",
        hosts: Hosts {
            instance: Some("https://{instance}.service-now.com"),
            ..COMMON.hosts
        },
        authorize_path: "/oauth_auth.do",
        token_path: "/oauth_token.do",
        scopes: &["useraccount"],
        access_life: SignedDuration::from_mins(30),
        idle_limit: Some(SignedDuration::from_hours(100 * 24)),
        ..COMMON
    },
    Provider {
        key: "zendesk",
        label: "Zendesk",
        hosts: Hosts {
            instance: Some("https://{instance}.zendesk.com"),
            ..COMMON.hosts
        },
        authorize_path: "/oauth/authorizations/new",
        token_path: "/oauth/tokens",
        revoke: Some(Revoke::DeleteWithBearer(
            "/api/v2/oauth/tokens/current.json",
        )),
        scopes: &["read", "write"],
        mandatory_scopes: &[&["read"]],
        // A refresh deletes the old access token and the old refresh token.
        rotation: RotationClass::Strict,
        access_life: SignedDuration::from_mins(30),
        ..COMMON
    },
    Provider {
        key: "hubspot",
        label: "HubSpot",
        hosts: Hosts {
            fixed: Some("https://api.hubapi.com"),
            authorize: Some("https://app.hubspot.com"),
            instance: None,
        },
        authorize_path: "/oauth/authorize",
        // The endpoint of version 1 ends on 16 February 2027.
        token_path: "/oauth/2026-03/token",
        scopes: &["oauth", "crm.objects.contacts.read"],
        mandatory_scopes: &[&["oauth"]],
        access_life: SignedDuration::from_mins(30),
        ..COMMON
    },
    Provider {
        key: "microsoft",
        label: "Microsoft Entra ID",
        hosts: Hosts {
            fixed: Some("https://login.microsoftonline.com/common"),
            ..COMMON.hosts
        },
        authorize_path: "/oauth2/v2.0/authorize",
        token_path: "/oauth2/v2.0/token",
        scopes: &["offline_access"],
        rotation: RotationClass::KeepsOld,
        idle_limit: Some(SignedDuration::from_hours(90 * 24)),
        ..COMMON
    },
];

/// The identity provider that users sign in with; its endpoints come from its metadata.
pub static SIGN_IN: Provider = Provider {
    key: "sign-in",
    label: "Identity provider",
    authorize_path: "/oauth2/authorize",
    token_path: "/oauth2/token",
    revoke: Some(Revoke::Standard("/oauth2/revoke")),
    scopes: &["openid", "email"],
    rotation: RotationClass::Strict,
    access_life: SignedDuration::from_mins(5),
    grantor_proof: GrantorProof::IdToken,
    ..COMMON
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
                row.revoke.map(|revoke| match revoke {
                    Revoke::Standard(path) | Revoke::DeleteWithBearer(path) => path,
                }),
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
            provider("salesforce").map(|row| row.scopes),
            Some(&["api", "refresh_token", "id"][..])
        );
    }

    #[test]
    fn c9_missing_scopes_are_named_and_synonyms_count() {
        let salesforce = provider("salesforce").unwrap();
        let granted = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(
            salesforce
                .missing_scopes(
                    &granted("api refresh_token id"),
                    &granted("api offline_access id")
                )
                .is_empty()
        );
        assert_eq!(
            salesforce.missing_scopes(
                &granted("api refresh_token id"),
                &granted("api refresh_token")
            ),
            ["id"]
        );
        assert!(salesforce.has_mandatory_scopes(&granted("refresh_token api")));
        assert!(!salesforce.has_mandatory_scopes(&granted("api id")));
    }
}

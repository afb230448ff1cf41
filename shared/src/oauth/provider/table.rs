//! The rows.

use jiff::SignedDuration;

use super::{
    ClientAuth, GrantorProof, Hosts, InstanceSuffix, Provider, Revoke, RotationClass, errors,
};

/// Life of access tokens that end only when somebody ends them.
const FOREVER: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

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
    scope_parameter: "scope",
    token_member: None,
    unlisted_scopes: &[],
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

/// Salesforce, with every app of more than two customers' controls of May 2026.
const SALESFORCE: Provider = Provider {
    key: "salesforce",
    label: "Salesforce",
    hosts: Hosts {
        fixed: Some("https://login.salesforce.com"),
        authorize: None,
        // My Domain: the host of client credentials, which the login host does not take.
        instance: Some("https://{instance}.my.salesforce.com"),
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
    error_rules: errors::SALESFORCE,
    ..COMMON
};

/// Every provider whose grants connections hold. Facts: the vendors' documentation; what none of them
/// writes down is the cautious side of what is seen.
pub static PROVIDERS: &[Provider] = &[
    SALESFORCE,
    // Account Engagement is behind Salesforce's own endpoints.
    Provider {
        key: "pardot",
        label: "Salesforce Account Engagement (Pardot)",
        scopes: &["api", "refresh_token", "id", "pardot_api"],
        mandatory_scopes: &[
            &["pardot_api", "full"],
            &["refresh_token", "offline_access"],
        ],
        ..SALESFORCE
    },
    // ServiceNow product documentation, "Manage OAuth tokens": 30 minutes and 100 days, both set by
    // the customer for each app.
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
        token_type_optional: true,
        error_rules: errors::SERVICE_NOW,
        ..COMMON
    },
    // support.zendesk.com article 9182123625370: refreshing is mandatory since 30 April 2026, and
    // deletes the old access token and the old refresh token.
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
        error_rules: errors::HUBSPOT,
        ..COMMON
    },
    // learn.microsoft.com, "Refresh tokens in the Microsoft identity platform": old refresh tokens are
    // not revoked when they are used; 90 days.
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
        unlisted_scopes: &["offline_access", "openid"],
        rotation: RotationClass::KeepsOld,
        idle_limit: Some(SignedDuration::from_hours(90 * 24)),
        error_rules: errors::MICROSOFT,
        ..COMMON
    },
    // developers.google.com, "Using OAuth 2.0 for web server applications". A refresh token comes with
    // `access_type=offline` only, and again only after another consent. It dies after six months
    // without use.
    Provider {
        key: "google",
        label: "Google",
        hosts: Hosts {
            fixed: Some("https://oauth2.googleapis.com"),
            authorize: Some("https://accounts.google.com"),
            instance: None,
        },
        authorize_path: "/o/oauth2/v2/auth",
        token_path: "/token",
        revoke: Some(Revoke::Standard("/revoke")),
        scopes: &["openid"],
        authorize_extra: &[("access_type", "offline"), ("prompt", "consent")],
        access_life: SignedDuration::from_secs(3599),
        idle_limit: Some(SignedDuration::from_hours(180 * 24)),
        error_rules: errors::GOOGLE,
        ..COMMON
    },
    // docs.slack.dev, "Installing with OAuth" and "Using token rotation". Rotation is off for our app:
    // tokens of people do not end, and stand under `authed_user`.
    Provider {
        key: "slack",
        label: "Slack",
        hosts: Hosts {
            fixed: Some("https://slack.com"),
            ..COMMON.hosts
        },
        authorize_path: "/oauth/v2/authorize",
        token_path: "/api/oauth.v2.access",
        scopes: &[
            "channels:history",
            "channels:read",
            "groups:history",
            "groups:read",
            "im:history",
            "im:read",
            "mpim:history",
            "mpim:read",
        ],
        scope_parameter: "user_scope",
        token_member: Some("authed_user"),
        mandatory_scopes: &[&["channels:read"], &["channels:history"]],
        scope_separator: ',',
        rotation: RotationClass::NoRefreshToken,
        access_life: FOREVER,
        token_type_optional: true,
        // Slack's endpoint does not know PKCE for apps with a secret.
        pkce: false,
        error_rules: errors::SLACK,
        ..COMMON
    },
    // docs.github.com, "Authorizing OAuth apps": tokens of OAuth apps do not end.
    Provider {
        key: "github",
        label: "GitHub",
        hosts: Hosts {
            fixed: Some("https://github.com"),
            ..COMMON.hosts
        },
        authorize_path: "/login/oauth/authorize",
        token_path: "/login/oauth/access_token",
        scopes: &["repo", "read:org", "read:user"],
        mandatory_scopes: &[&["repo"]],
        // GitHub lists granted scopes with commas and takes them with blanks or commas.
        scope_separator: ',',
        rotation: RotationClass::NoRefreshToken,
        access_life: FOREVER,
        error_rules: errors::GITHUB,
        ..COMMON
    },
    // developers.asana.com, "OAuth".
    Provider {
        key: "asana",
        label: "Asana",
        hosts: Hosts {
            fixed: Some("https://app.asana.com"),
            ..COMMON.hosts
        },
        authorize_path: "/-/oauth_authorize",
        token_path: "/-/oauth_token",
        scopes: &["default"],
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

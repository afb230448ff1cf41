//! What the errors of each provider mean: only what differs from RFC 6749 or needs words of its own.

use std::time::Duration;

use super::{ErrorRule, TokenFailure};
use TokenFailure::{FlowFailed, OurConfiguration, OurCredentials, ReauthRequired};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const fn rule(error: &'static str, meaning: TokenFailure) -> ErrorRule {
    ErrorRule {
        error: Some(error),
        description: None,
        code: None,
        meaning,
    }
}

/// Where the same `error` stands for different things, a part of the description decides.
const fn said(error: &'static str, part: &'static str, meaning: TokenFailure) -> ErrorRule {
    ErrorRule {
        description: Some(part),
        ..rule(error, meaning)
    }
}

/// A number decides, whatever the `error` is.
const fn code(code: u32, meaning: TokenFailure) -> ErrorRule {
    ErrorRule {
        error: None,
        description: None,
        code: Some(code),
        meaning,
    }
}

const fn later(reason: &'static str, after: Duration) -> TokenFailure {
    TokenFailure::Retryable {
        reason,
        after: Some(after),
    }
}

/// help.salesforce.com, "OAuth 2.0 flow errors". Descriptions are prose and pick a hint only.
pub(super) const SALESFORCE: &[ErrorRule] = &[
    said(
        "invalid_grant",
        "authorization code",
        FlowFailed("code_not_accepted"),
    ),
    said(
        "invalid_grant",
        "code verifier",
        FlowFailed("code_not_accepted"),
    ),
    said(
        "invalid_grant",
        "ip restricted",
        TokenFailure::retryable("ip_restricted"),
    ),
    said(
        "invalid_grant",
        "invalid login hours",
        TokenFailure::retryable("login_hours"),
    ),
    said(
        "invalid_grant",
        "authentication failure",
        TokenFailure::retryable("org_policy"),
    ),
    rule("invalid_grant", ReauthRequired("revoked")),
    rule("inactive_user", later("inactive_user", DAY)),
    rule("inactive_org", later("inactive_org", DAY)),
    rule("invalid_client_id", OurCredentials("invalid_client_id")),
    rule("invalid_client", OurCredentials("invalid_client")),
    rule("invalid_app_access", ReauthRequired("app_not_allowed")),
    rule(
        "redirect_uri_mismatch",
        OurConfiguration("redirect_uri_mismatch"),
    ),
    rule("rate_limit_exceeded", later("rate_limit_exceeded", HOUR)),
];

/// ServiceNow answers 401 `server_error` with `access_denied` for a token that it does not take.
pub(super) const SERVICE_NOW: &[ErrorRule] = &[
    said("server_error", "access_denied", ReauthRequired("revoked")),
    rule("server_error", TokenFailure::retryable("server_error")),
];

/// `status` of HubSpot's first OAuth version, which its middleware still answers with.
pub(super) const HUBSPOT: &[ErrorRule] = &[
    rule("BAD_REFRESH_TOKEN", ReauthRequired("revoked")),
    rule("BAD_AUTH_CODE", FlowFailed("code_not_accepted")),
    rule("BAD_CLIENT_ID", OurCredentials("invalid_client_id")),
    rule("BAD_CLIENT_SECRET", OurCredentials("invalid_client")),
    rule(
        "BAD_REDIRECT_URI",
        OurConfiguration("redirect_uri_mismatch"),
    ),
    rule("RATE_LIMIT", TokenFailure::retryable("rate_limited")),
];

/// learn.microsoft.com, "Microsoft Entra authentication and authorization error codes".
pub(super) const MICROSOFT: &[ErrorRule] = &[
    code(70008, ReauthRequired("idle_too_long")),
    code(700_082, ReauthRequired("idle_too_long")),
    code(50173, ReauthRequired("revoked")),
    code(700_084, ReauthRequired("expired")),
    code(65001, ReauthRequired("consent_required")),
    code(50076, ReauthRequired("mfa_required")),
    code(50079, ReauthRequired("mfa_required")),
    code(53003, ReauthRequired("blocked_by_policy")),
    code(7_000_215, OurCredentials("invalid_client")),
    code(7_000_222, OurCredentials("client_secret_expired")),
    code(700_016, OurCredentials("app_unknown")),
    code(54005, FlowFailed("code_not_accepted")),
    code(70000, ReauthRequired("revoked")),
    code(90033, TokenFailure::retryable("provider_busy")),
    rule(
        "interaction_required",
        ReauthRequired("interaction_required"),
    ),
    rule("consent_required", ReauthRequired("consent_required")),
];

/// developers.google.com, "Using OAuth 2.0 for web server applications", errors.
pub(super) const GOOGLE: &[ErrorRule] = &[
    rule("admin_policy_enforced", ReauthRequired("blocked_by_policy")),
    rule("org_internal", ReauthRequired("blocked_by_policy")),
    rule("deleted_client", OurCredentials("app_deleted")),
    rule("disabled_client", OurCredentials("app_disabled")),
    rule(
        "redirect_uri_mismatch",
        OurConfiguration("redirect_uri_mismatch"),
    ),
];

/// docs.slack.dev, `oauth.v2.access`, errors: status 200 with `"ok": false`.
pub(super) const SLACK: &[ErrorRule] = &[
    rule("invalid_refresh_token", ReauthRequired("revoked")),
    rule("token_revoked", ReauthRequired("revoked")),
    rule("token_expired", ReauthRequired("expired")),
    rule("account_inactive", ReauthRequired("inactive_user")),
    rule("invalid_code", FlowFailed("code_not_accepted")),
    rule("code_already_used", FlowFailed("code_not_accepted")),
    rule("invalid_client_id", OurCredentials("invalid_client_id")),
    rule("bad_client_secret", OurCredentials("invalid_client")),
    rule(
        "bad_redirect_uri",
        OurConfiguration("redirect_uri_mismatch"),
    ),
    rule("ratelimited", TokenFailure::retryable("rate_limited")),
    rule(
        "service_unavailable",
        TokenFailure::retryable("provider_busy"),
    ),
];

/// docs.github.com, "Troubleshooting OAuth app access token request errors": status 200.
pub(super) const GITHUB: &[ErrorRule] = &[
    rule("bad_refresh_token", ReauthRequired("revoked")),
    rule("bad_verification_code", FlowFailed("code_not_accepted")),
    rule(
        "incorrect_client_credentials",
        OurCredentials("invalid_client"),
    ),
    rule(
        "redirect_uri_mismatch",
        OurConfiguration("redirect_uri_mismatch"),
    ),
    rule("unverified_user_email", FlowFailed("email_not_verified")),
];

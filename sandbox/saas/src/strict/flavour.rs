//! The providers as a table: what each of them does differently.

use serde_json::{Value, json};

use super::{
    error::{Shape, Texts},
    grants::Rotation,
    users::ProviderUser,
};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 3600 * SECOND;

/// What the second segment of a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Realm {
    /// There is none: one host serves everybody.
    None,
    /// The customer's own instance, where only its users can sign in.
    Instance,
    /// A directory of users; `common` and `organizations` are all of them.
    Directory,
}

/// A page of the application's API: its path below the base, and what it answers to a user.
pub(super) type Page = (&'static str, fn(&ProviderUser) -> Value);

/// One provider.
pub(super) struct Flavour {
    /// First segment of the path; the key of the provider's row in Tributary.
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) realm: Realm,
    pub(super) authorize_path: &'static str,
    pub(super) token_paths: &'static [&'static str],
    /// Where a token revokes itself by DELETE.
    pub(super) revoke_path: Option<&'static str>,
    /// Scopes that an app may ask for.
    pub(super) scopes: &'static [&'static str],
    /// Whether a scope may also be `<URL of an application>/user_impersonation` or `/.default`.
    pub(super) resource_scopes: bool,
    /// The scope without which there is no refresh token.
    pub(super) refresh_scope: Option<&'static str>,
    /// Parameters of the authorization request beside those of RFC 6749 and 7636.
    pub(super) authorize_parameters: &'static [&'static str],
    /// Parameters of the token request beside those.
    pub(super) token_parameters: &'static [&'static str],
    /// Whether token requests may be JSON.
    pub(super) takes_json: bool,
    /// Whether the client may authenticate in the header.
    pub(super) takes_basic_clients: bool,
    /// Whether the API takes a user's name and password.
    pub(super) takes_basic_users: bool,
    pub(super) rotation: Rotation,
    pub(super) code_life: i64,
    /// Shortest and longest life of an access token.
    pub(super) access_life: (i64, i64),
    /// Life of a refresh token from its issue.
    pub(super) refresh_life: Option<i64>,
    pub(super) access_prefix: &'static str,
    /// Random bytes of an access token.
    pub(super) access_bytes: usize,
    pub(super) refresh_prefix: &'static str,
    pub(super) shape: Shape,
    pub(super) texts: &'static Texts,
    /// Members of a token answer that only this provider has.
    pub(super) members: fn(&ProviderUser, &mut Value),
    /// The application's API; the first page tells who granted.
    pub(super) pages: &'static [Page],
}

impl Flavour {
    /// Whether an app may ask for this scope.
    pub(super) fn offers(&self, scope: &str) -> bool {
        self.scopes.contains(&scope) || (self.resource_scopes && resource(scope).is_some())
    }
}

/// The application that a scope of Microsoft names.
pub(super) fn resource(scope: &str) -> Option<&str> {
    ["/user_impersonation", "/.default"]
        .iter()
        .find_map(|end| scope.strip_suffix(end))
        .filter(|resource| resource.starts_with("http"))
}

/// The provider with this key.
pub(super) fn flavour(key: &str) -> Option<&'static Flavour> {
    FLAVOURS.iter().find(|flavour| flavour.key == key)
}

fn nothing_more(_: &ProviderUser, _: &mut Value) {}

/// All of them. Lives and rotation are those of `reference/oauth.md`, section 6.
pub(super) static FLAVOURS: &[Flavour] = &[
    Flavour {
        key: "service-now",
        label: "ServiceNow",
        realm: Realm::Instance,
        authorize_path: "/oauth_auth.do",
        token_paths: &["/oauth_token.do"],
        revoke_path: None,
        scopes: &["useraccount"],
        resource_scopes: false,
        refresh_scope: None,
        authorize_parameters: &[],
        token_parameters: &["scope"],
        takes_json: false,
        takes_basic_clients: false,
        takes_basic_users: true,
        rotation: Rotation::Same,
        code_life: MINUTE,
        access_life: (30 * MINUTE, 30 * MINUTE),
        refresh_life: Some(100 * DAY),
        access_prefix: "",
        access_bytes: 64,
        refresh_prefix: "",
        shape: Shape::Standard,
        texts: &super::error::SERVICE_NOW,
        members: nothing_more,
        pages: &[
            ("/api/now/table/sys_user", service_now_user),
            ("/api/now/v2/table/sys_user", service_now_user),
            ("/api/now/table/incident", service_now_incidents),
            ("/api/now/v2/table/incident", service_now_incidents),
        ],
    },
    Flavour {
        key: "hubspot",
        label: "HubSpot",
        realm: Realm::None,
        authorize_path: "/oauth/authorize",
        token_paths: &["/oauth/2026-03/token", "/oauth/v1/token"],
        revoke_path: None,
        scopes: &[
            "oauth",
            "crm.objects.contacts.read",
            "crm.objects.contacts.write",
            "crm.objects.companies.read",
            "crm.objects.companies.write",
            "crm.objects.deals.read",
            "crm.objects.deals.write",
            "crm.schemas.contacts.read",
            "tickets",
        ],
        resource_scopes: false,
        refresh_scope: None,
        authorize_parameters: &["optional_scope"],
        token_parameters: &["scope"],
        takes_json: false,
        takes_basic_clients: false,
        takes_basic_users: false,
        rotation: Rotation::Same,
        code_life: 10 * MINUTE,
        access_life: (30 * MINUTE, 30 * MINUTE),
        refresh_life: None,
        access_prefix: "CN",
        access_bytes: 180,
        refresh_prefix: "na1-",
        shape: Shape::HubSpot,
        texts: &super::error::HUBSPOT,
        members: |user, body| {
            body["hub_id"] = json!(user.org_number);
            body["user_id"] = json!(user.number);
            if let Some(members) = body.as_object_mut() {
                members.remove("scope");
            }
        },
        pages: &[
            ("/account-info/v3/details", |user| {
                json!({ "portalId": user.org_number, "accountType": "STANDARD", "timeZone": "US/Eastern",
                    "companyCurrency": "USD", "additionalCurrencies": [], "utcOffset": "-05:00",
                    "utcOffsetMilliseconds": -18_000_000, "uiDomain": "app.hubspot.com",
                    "dataHostingLocation": "na1" })
            }),
            (
                "/crm/v3/objects/contacts",
                |user| json!({ "results": [{ "id": "1", "properties": { "email": user.email } }] }),
            ),
        ],
    },
    Flavour {
        key: "zendesk",
        label: "Zendesk",
        realm: Realm::Instance,
        authorize_path: "/oauth/authorizations/new",
        token_paths: &["/oauth/tokens"],
        revoke_path: Some("/api/v2/oauth/tokens/current.json"),
        scopes: &["read", "write"],
        resource_scopes: false,
        refresh_scope: None,
        authorize_parameters: &[],
        token_parameters: &["scope", "expires_in", "refresh_token_expires_in"],
        takes_json: true,
        takes_basic_clients: false,
        takes_basic_users: false,
        rotation: Rotation::Strict,
        code_life: 2 * MINUTE,
        access_life: (30 * MINUTE, 30 * MINUTE),
        refresh_life: Some(30 * DAY),
        access_prefix: "",
        access_bytes: 48,
        refresh_prefix: "",
        shape: Shape::Standard,
        texts: &super::error::ZENDESK,
        members: |_, body| body["refresh_token_expires_in"] = json!(30 * DAY / SECOND),
        pages: &[
            ("/api/v2/users/me.json", |user| {
                json!({ "user": { "id": user.number, "name": user.display_name, "email": user.email,
                    "role": "admin", "active": true, "verified": true } })
            }),
            (
                "/api/v2/tickets.json",
                |_| json!({ "tickets": [{ "id": 1, "subject": "Delivery", "status": "open" }], "count": 1 }),
            ),
        ],
    },
    Flavour {
        key: "microsoft",
        label: "Microsoft",
        realm: Realm::Directory,
        authorize_path: "/oauth2/v2.0/authorize",
        token_paths: &["/oauth2/v2.0/token"],
        revoke_path: None,
        scopes: &["offline_access", "openid", "profile", "email", "User.Read"],
        resource_scopes: true,
        refresh_scope: Some("offline_access"),
        authorize_parameters: &["response_mode", "login_hint", "domain_hint", "nonce"],
        token_parameters: &["scope", "client_info"],
        takes_json: false,
        takes_basic_clients: true,
        takes_basic_users: false,
        rotation: Rotation::KeepsOld,
        code_life: 10 * MINUTE,
        access_life: (60 * MINUTE, 90 * MINUTE),
        refresh_life: Some(90 * DAY),
        access_prefix: "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.",
        access_bytes: 1100,
        refresh_prefix: "1.AQ",
        shape: Shape::Microsoft,
        texts: &super::error::MICROSOFT,
        members: |_, body| body["ext_expires_in"] = body["expires_in"].clone(),
        pages: &[],
    },
];

/// Below `/dynamics/{org}`, with a token of Microsoft for that org.
pub(super) static DYNAMICS: &[Page] = &[
    ("/api/data/v9.2/WhoAmI", |user| {
        json!({ "@odata.context": "$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
            "BusinessUnitId": super::users::guid(&format!("unit of {}", user.org)),
            "UserId": super::users::guid(&user.username),
            "OrganizationId": super::users::guid(&user.org) })
    }),
    (
        "/api/data/v9.2/accounts",
        |user| json!({ "value": [{ "accountid": "1", "name": user.org }] }),
    ),
];

fn service_now_user(user: &ProviderUser) -> Value {
    json!({ "result": [{ "sys_id": super::users::hex(&user.username), "user_name": user.username,
        "name": user.display_name, "email": user.email }] })
}

fn service_now_incidents(_: &ProviderUser) -> Value {
    json!({ "result": [{ "sys_id": super::users::hex("incident"), "number": "INC0000001",
        "short_description": "Printer on fire" }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_sound() {
        for row in FLAVOURS {
            assert!(row.key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!(row.access_life.0 <= row.access_life.1, "{}", row.key);
            for path in row
                .token_paths
                .iter()
                .chain([&row.authorize_path])
                .chain(row.pages.iter().map(|(path, _)| path))
            {
                assert!(path.starts_with('/'), "{path}");
            }
            assert!(row.refresh_scope.is_none_or(|scope| row.offers(scope)));
            assert!(row.rotation != Rotation::Strict || row.revoke_path.is_some());
        }
    }

    #[test]
    fn a_resource_scope_names_an_application() {
        let of = |scope| resource(scope);
        assert_eq!(
            of("https://acme.example/user_impersonation"),
            Some("https://acme.example")
        );
        assert_eq!(
            of("https://acme.example/.default"),
            Some("https://acme.example")
        );
        assert_eq!(of("/user_impersonation"), None);
        assert_eq!(of("https://acme.example/full"), None);
    }
}

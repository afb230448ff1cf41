//! A way to connect, as it is shown: what a form asks for.

use serde::Serialize;
use tributary::{
    connection::TokenOwner,
    connector::{AuthKind, Connector, Method, PropertyNeed},
    oauth::MintCredentials,
};
use utoipa::ToSchema;

/// A label, as [`tributary::oauth::InstanceLabel`] takes it.
const LABEL: &str = "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$";

/// One way to connect to an application.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MethodView {
    /// What sort of way: `auth` of a connection to be.
    kind: AuthKind,
    /// Whether it is there for old organisations only: prefer another way.
    discouraged: bool,
    /// Who may use a refresh token; the first is the default.
    token_owners: Vec<TokenOwner>,
    /// What it needs in `properties`, which is shown again.
    properties: Vec<FieldView>,
    /// What it needs in `credentials`, which is never shown again.
    credentials: Vec<FieldView>,
    /// Whether further names are taken in `properties` and `credentials`.
    open: bool,
    /// The label of the application's instance, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<InstanceView>,
    /// The rights that a consent asks for.
    #[schema(example = json!(["api", "refresh_token", "id"]))]
    scopes: Vec<String>,
    /// How a connection is proven to work before it is `active`.
    live_check: LiveCheck,
}

/// A field of a form.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FieldView {
    /// Its name in `properties` or `credentials`.
    #[schema(example = "workgroupName")]
    name: &'static str,
    /// What it is.
    #[schema(example = "Redshift Serverless workgroup.")]
    description: &'static str,
    /// Whether a connection cannot be made without it.
    required: bool,
    /// Whether a form hides what is typed.
    secret: bool,
    /// Longest value that is taken.
    #[schema(example = 512)]
    max_length: usize,
    /// A regular expression for the whole value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "^[0-9]{3}$")]
    pattern: Option<&'static str>,
    /// The values there are, where they can be listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["postgresql", "mysql"]))]
    values: Vec<&'static str>,
}

/// The label of an application's instance.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceView {
    /// Whether a connection cannot be made without it.
    required: bool,
    /// The address that is made from it, with `{instance}` in its place.
    #[schema(example = "https://{instance}.zendesk.com")]
    base: &'static str,
    /// A regular expression for the whole label.
    #[schema(example = "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
    pattern: &'static str,
}

/// How a connection is proven to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LiveCheck {
    /// Somebody consents and the provider says who.
    Consent,
    /// The provider gives a token for the credentials.
    Token,
    /// AppFlow takes the credentials and lists the application's objects with them.
    Entities,
    /// AppFlow takes the credentials.
    Profile,
    /// There is nothing to prove.
    None,
}

impl LiveCheck {
    pub(crate) fn of(row: &Connector, method: &Method) -> Self {
        match method.kind {
            AuthKind::OauthAuthorizationCode => Self::Consent,
            AuthKind::None => Self::None,
            kind if MintCredentials::are_of(kind) && method.is_ours() => Self::Token,
            _ if row.lists_entities => Self::Entities,
            _ => Self::Profile,
        }
    }
}

impl MethodView {
    /// Whether tokens come from a provider at which the deployment needs an app or a host.
    pub(super) fn needs_provider(&self) -> bool {
        self.kind == AuthKind::OauthAuthorizationCode || MintCredentials::are_of(self.kind)
    }

    pub(super) fn of(row: &'static Connector, method: &'static Method) -> Self {
        let consent = method.kind == AuthKind::OauthAuthorizationCode;
        let base = row.instance_base();
        Self {
            kind: method.kind,
            discouraged: method.discouraged,
            token_owners: method.token_owners.to_vec(),
            properties: method.properties.iter().map(FieldView::of).collect(),
            credentials: method.credentials.iter().map(FieldView::of).collect(),
            open: method.open,
            instance: base.map(|base| InstanceView {
                required: row.needs_instance(method.kind),
                base,
                pattern: LABEL,
            }),
            scopes: scopes(row).filter(|_| consent).unwrap_or_default(),
            live_check: LiveCheck::of(row, method),
        }
    }
}

/// What a consent asks for; `{instance}` as in the base of the instance.
fn scopes(row: &Connector) -> Option<Vec<String>> {
    let provider = row.oauth_provider()?;
    let own = row.oauth.scopes;
    let asked = if own.is_empty() { provider.scopes } else { own };
    let base = row.oauth.instance.unwrap_or("{instance}");
    Some(
        asked
            .iter()
            .map(|scope| scope.replace("{instance}", base))
            .collect(),
    )
}

impl FieldView {
    fn of(need: &'static PropertyNeed) -> Self {
        Self {
            name: need.name,
            description: need.description,
            required: need.required,
            secret: need.secret,
            max_length: need.max_length,
            pattern: need.form.pattern(),
            values: need.form.values().to_vec(),
        }
    }
}

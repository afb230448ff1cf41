//! Everything about a connection to be that can be told without a call, all faults at once.

use std::collections::BTreeMap;

use tributary::{
    connection::{AppOwner, TokenOwner},
    connector::{AuthKind, Connector, Method, PropertyNeed, connector, profile::Credentials},
    error::{Error, Fault},
    oauth::{InstanceLabel, MintCredentials, mint::key_pair},
    tenancy::{Account, HostingMode},
};

use super::{ConnectionInput, Known};
use crate::{
    BrowserConfig, WarehouseConfig,
    connections::{name_fault, start_link, vendors},
};

/// Most names that a connector which says itself what it needs can be given.
const OPEN_FIELDS: usize = 50;
/// Longest name and value of such a field.
const OPEN_NAME: usize = 128;
const OPEN_VALUE: usize = 2048;

/// How the connection comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Somebody consents in the browser, at this provider, and comes back here.
    Consent {
        provider: &'static str,
        return_to: String,
    },
    /// We get tokens for what the user gave.
    Minted,
    /// AppFlow gets what the user gave, which for roles is nothing.
    Given,
}

/// A connection to be, without faults.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) account: Account,
    pub(super) row: &'static Connector,
    pub(super) method: &'static Method,
    pub(super) way: Way,
    pub(super) app: AppOwner,
    pub(super) token_owner: TokenOwner,
}

/// Checks everything that can be checked without a call.
pub(super) fn check(
    browser: &BrowserConfig,
    warehouse: &WarehouseConfig,
    input: &ConnectionInput,
    known: Known,
) -> Result<Plan, Error> {
    let mut faults: Vec<Fault> = name_fault(&input.name).into_iter().collect();
    if known.account.is_none() {
        faults.push(Fault::new(
            "/accountId",
            "unknown",
            "There is no such account.",
        ));
    }
    let found = application(input, &mut faults);
    let details = found.map(|(row, method)| {
        faults.extend(fields(method, &input.properties, &input.credentials));
        faults.extend(instance_fault(row, method, input.instance.as_deref()));
        let app = app_of(method, input.app, known.has_own_app, &mut faults);
        let way = way(browser, row, method, input, &mut faults);
        let hosting = known.account.as_ref().map(|account| account.hosting);
        if let Some(account) = &known.account
            && account.hosting == HostingMode::Vendor
        {
            let tenant = account.tenant_id;
            faults.extend(vendors::faults(
                warehouse,
                tenant,
                row.key,
                &input.properties,
            ));
        }
        let owner = owner_of(method, input.token_owner, app, hosting, &mut faults);
        (row, method, app, way, owner)
    });
    match (known.account, details) {
        (Some(account), Some((row, method, app, Some(way), token_owner))) if faults.is_empty() => {
            Ok(Plan {
                account,
                row,
                method,
                way,
                app,
                token_owner,
            })
        }
        _ => Err(invalid(faults)),
    }
}

/// The answer for a connection that breaks rules.
pub(in crate::connections) fn invalid(faults: Vec<Fault>) -> Error {
    Error::unprocessable("invalid_connection", "The connection breaks rules.", faults)
}

fn application(
    input: &ConnectionInput,
    faults: &mut Vec<Fault>,
) -> Option<(&'static Connector, &'static Method)> {
    let row = connector(&input.connector).filter(|row| !row.retired && row.has_profile());
    let default = row.and_then(|row| row.methods.first());
    let (Some(row), Some(default)) = (row, default) else {
        faults.push(Fault::new(
            "/connector",
            "not_connectable",
            "The catalogue has no such connector, or it needs no connection.",
        ));
        return None;
    };
    let method = input.auth.map_or(Some(default), |kind| row.method(kind));
    if method.is_none() {
        faults.push(Fault::new(
            "/auth",
            "not_offered",
            "The application has no such way to connect; the catalogue lists those that it has.",
        ));
    }
    method.map(|method| (row, method))
}

fn way(
    browser: &BrowserConfig,
    row: &Connector,
    method: &Method,
    input: &ConnectionInput,
    faults: &mut Vec<Fault>,
) -> Option<Way> {
    if method.kind == AuthKind::OauthAuthorizationCode {
        let return_to = start_link::return_to(browser, input.return_to.as_deref())
            .map_err(|fault| faults.push(fault))
            .ok()?;
        let provider = row.provider?;
        return Some(Way::Consent {
            provider,
            return_to,
        });
    }
    if input.return_to.is_some() {
        faults.push(Fault::new(
            "/returnTo",
            "no_consent",
            "Nobody consents to this.",
        ));
    }
    let minted = MintCredentials::are_of(method.kind) && method.is_ours();
    Some(if minted { Way::Minted } else { Way::Given })
}

/// Whose app: the tenant's own if it has one and nothing else is said (scenario C12).
fn app_of(
    method: &Method,
    asked: Option<AppOwner>,
    has_own: bool,
    faults: &mut Vec<Fault>,
) -> AppOwner {
    if method.kind != AuthKind::OauthAuthorizationCode {
        if asked.is_some() {
            faults.push(Fault::new(
                "/app",
                "no_consent",
                "Nobody consents to this: there is no app to choose.",
            ));
        }
        return AppOwner::Vendor;
    }
    match asked {
        Some(AppOwner::Tenant) if !has_own => {
            faults.push(Fault::new(
                "/app",
                "no_own_app",
                "The tenant has no app of its own at this provider. Add it under /v1/oauth-apps.",
            ));
            AppOwner::Tenant
        }
        Some(owner) => owner,
        None if has_own => AppOwner::Tenant,
        None => AppOwner::Vendor,
    }
}

/// Who refreshes. AppFlow may only where the vendor's client secret does not have to enter somebody
/// else's account for it.
fn owner_of(
    method: &Method,
    asked: Option<TokenOwner>,
    app: AppOwner,
    hosting: Option<HostingMode>,
    faults: &mut Vec<Fault>,
) -> TokenOwner {
    let default = method
        .token_owners
        .first()
        .copied()
        .unwrap_or(TokenOwner::Nobody);
    let owner = asked.unwrap_or(default);
    if !method.token_owners.contains(&owner) {
        let detail = "The catalogue lists who may refresh connections of this kind.";
        faults.push(Fault::new("/tokenOwner", "not_offered", detail));
    }
    let consent = method.kind == AuthKind::OauthAuthorizationCode;
    let exposes = app == AppOwner::Vendor && hosting == Some(HostingMode::Customer);
    if consent && owner == TokenOwner::Appflow && exposes {
        faults.push(Fault::new(
            "/tokenOwner",
            "needs_own_app",
            "AppFlow refreshes with the tenant's own app only.",
        ));
    }
    owner
}

fn instance_fault(row: &Connector, method: &Method, label: Option<&str>) -> Option<Fault> {
    let fault = |code: &str, detail: String| Some(Fault::new("/instance", code, detail));
    match (label, row.instance_base()) {
        (Some(_), None) => fault("unknown", "These connections have no instance.".to_owned()),
        (Some(label), Some(base)) => {
            let error = label.parse::<InstanceLabel>().err()?;
            fault("invalid", format!("{error} ({base})"))
        }
        (None, base) => {
            let base = base.filter(|_| row.needs_instance(method.kind))?;
            fault(
                "required",
                format!("What stands for {{instance}} in {base}"),
            )
        }
    }
}

/// Faults of properties and credentials. Values of credentials stand in none of them.
pub(in crate::connections) fn fields(
    method: &Method,
    properties: &BTreeMap<String, String>,
    credentials: &Credentials,
) -> Vec<Fault> {
    let plain = properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let secret = || {
        credentials
            .iter()
            .map(|(name, value)| (name, value.expose()))
    };
    let mut faults = part(
        "/properties",
        method.properties,
        &plain.collect(),
        method.open,
    );
    faults.extend(part(
        "/credentials",
        method.credentials,
        &secret().collect(),
        method.open,
    ));
    let key = credentials.get("privateKey");
    if method.kind == AuthKind::OauthJwtBearer
        && faults.is_empty()
        && key.is_some_and(|key| key_pair(key).is_none())
    {
        faults.push(Fault::new(
            "/credentials/privateKey",
            "invalid",
            "An RSA private key, PKCS #8 in PEM.",
        ));
    }
    faults
}

fn part(
    place: &str,
    needs: &[PropertyNeed],
    given: &BTreeMap<&str, &str>,
    open: bool,
) -> Vec<Fault> {
    let at = |name: &str| format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
    let mut faults = Vec::new();
    for need in needs {
        let value = given.get(need.name).copied().unwrap_or_default();
        if value.trim().is_empty() {
            if need.required {
                faults.push(Fault::new(at(need.name), "required", need.description));
            } else if given.contains_key(need.name) {
                faults.push(Fault::new(at(need.name), "empty", "Leave it out instead."));
            }
        } else if value.len() > need.max_length {
            let detail = format!("At most {} characters.", need.max_length);
            faults.push(Fault::new(at(need.name), "too_long", detail));
        } else if let Some(detail) = need.form.fault(value) {
            faults.push(Fault::new(at(need.name), "invalid", detail));
        }
    }
    let others = given
        .iter()
        .filter(|(name, _)| !needs.iter().any(|need| need.name == **name));
    for (index, (name, value)) in others.enumerate() {
        if !open {
            let detail = "These connections have no such field.";
            faults.push(Fault::new(at(name), "unknown", detail));
        } else if index >= OPEN_FIELDS || name.len() > OPEN_NAME || value.len() > OPEN_VALUE {
            let detail = format!(
                "At most {OPEN_FIELDS} fields, names of {OPEN_NAME} and values of {OPEN_VALUE} characters."
            );
            faults.push(Fault::new(at(name), "too_long", detail));
        }
    }
    faults
}

#[cfg(test)]
mod tests;

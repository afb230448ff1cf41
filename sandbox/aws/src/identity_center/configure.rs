//! A working set-up in one step: what the administrators' calls would make, for a sandbox that starts
//! and for tests.

use std::collections::BTreeSet;

use sandbox_core::{DirectoryUser, REGION, VENDOR_ACCOUNT};
use serde_json::json;
use uuid::Uuid;

use super::{
    admin,
    state::{
        Application, CONNECT, CUSTOM, Group, INSTANCE_ID, Person, RedshiftApplication, State,
        TokenIssuer,
    },
};

/// A person of the directory.
#[derive(Debug, Clone)]
pub struct DirectoryEntry {
    /// Identity Center's record of the person.
    pub user: DirectoryUser,
    /// Primary e-mail address: what the token's `email` claim is matched with.
    pub email: String,
    /// Whether the person is assigned to the application.
    pub assigned: bool,
    /// Whether the person may sign in at all.
    pub enabled: bool,
}

/// The application, its trusted token issuer and the directory.
#[derive(Debug, Clone)]
pub struct IdentityCenter {
    /// `arn:aws:sso::<account>:application/<instance id>/<application id>`. Callers of this
    /// account pass the application's policy.
    pub application_arn: String,
    /// The issuer, exactly as in the token's `iss`.
    pub issuer: String,
    /// Accepted audiences.
    pub audiences: Vec<String>,
    /// Where the issuer's keys are.
    pub jwks_url: String,
    /// The directory.
    pub users: Vec<DirectoryEntry>,
}

/// Makes the state that a configuration describes. Everybody is assigned to Redshift's application, and
/// every workgroup that nobody made is connected to it.
pub(super) fn state(configuration: IdentityCenter) -> State {
    let mut state = State::default();
    let account = configuration.application_arn.split(':').nth(4);
    let account = account.unwrap_or_default().to_owned();
    let issuer = TokenIssuer {
        arn: admin::new_issuer_arn(),
        name: "configured".to_owned(),
        url: configuration.issuer,
        claim_path: "email".to_owned(),
        store_path: "emails.value".to_owned(),
        keys_url: Some(configuration.jwks_url),
    };
    let redshift = redshift();
    let mut application = Application::new(configuration.application_arn, CUSTOM, "tributary");
    application.actor_policy = Some(json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": account },
        "Action": "sso-oauth:CreateTokenWithIAM", "Resource": application.arn,
    }] }));
    application.grants.insert(
        super::JWT_BEARER.to_owned(),
        json!({ "JwtBearer": { "AuthorizedTokenIssuers": [{
            "TrustedTokenIssuerArn": issuer.arn, "AuthorizedAudiences": configuration.audiences,
        }] } }),
    );
    application.grants.insert(
        super::REFRESH_TOKEN.to_owned(),
        json!({ "RefreshToken": {} }),
    );
    application
        .scopes
        .insert(CONNECT.to_owned(), vec![redshift.managed_arn.clone()]);
    state.issuers.insert(issuer.arn.clone(), issuer);
    state.other_workgroups = Some(redshift.arn.clone());
    let managed_arn = redshift.managed_arn.clone();
    state.connect_redshift(redshift);
    for entry in configuration.users {
        let id = entry.user.user_id.clone();
        let assignee = ("USER".to_owned(), id.clone());
        if entry.assigned {
            application.assigned.insert(assignee.clone());
        }
        if let Some(managed) = state.applications.get_mut(&managed_arn) {
            managed.assigned.insert(assignee);
        }
        for name in &entry.user.groups {
            join(&mut state, name, &id);
        }
        let person = Person {
            id: id.clone(),
            name: entry.user.user_name.clone(),
            display_name: entry.user.user_name,
            emails: vec![entry.email],
            external_ids: Vec::new(),
            enabled: entry.enabled,
        };
        state.people.insert(id, person);
    }
    state
        .applications
        .insert(application.arn.clone(), application);
    state
}

/// The same each time, so that sessions outlive another configuration.
fn redshift() -> RedshiftApplication {
    RedshiftApplication {
        arn: format!(
            "arn:aws:redshift:{REGION}:{VENDOR_ACCOUNT}:redshiftidcapplication:{}",
            Uuid::nil()
        ),
        name: "tributary-warehouse".to_owned(),
        display_name: "tributary-warehouse".to_owned(),
        namespace: "AWSIDC".to_owned(),
        role_arn: String::new(),
        managed_arn: format!(
            "arn:aws:sso::{VENDOR_ACCOUNT}:application/{INSTANCE_ID}/apl-7777eeee8888ffff"
        ),
        connect: true,
    }
}

fn join(state: &mut State, name: &str, user_id: &str) {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string();
    let group = state.groups.entry(id.clone()).or_insert_with(|| Group {
        id,
        name: name.to_owned(),
        description: None,
        members: BTreeSet::new(),
    });
    group.members.insert(user_id.to_owned());
}

//! Members: which tenant a subject of the identity provider belongs to, and its roles there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Fault},
    id::TenantId,
    identity::Role,
    sign_off,
    store::Key,
};
use utoipa::ToSchema;

use crate::TenantApp;

/// A member, as it is stored twice: by subject, where the token trigger reads it, and by tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) subject: String,
    pub(super) tenant_id: TenantId,
    pub(super) roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    pub(super) created_at: Timestamp,
}

impl Member {
    /// Both items of a member.
    pub(super) fn keys(&self) -> [Key; 2] {
        [
            Key::subject(&self.subject),
            Key::member(self.tenant_id, &self.subject),
        ]
    }
}

/// Takes a member out of a tenant, and ends its tokens.
///
/// The subject's item gives the rights: it goes first. A crash in between is repaired by the next
/// attempt, which still finds the listed one.
pub(super) async fn remove(app: &TenantApp, tenant: TenantId, subject: &str) -> Result<(), Error> {
    let store = &app.store;
    let by_subject = Key::subject(subject);
    let owner: Option<Member> = store.get(&by_subject).await?;
    // A subject that another tenant has by now keeps its tokens and its place there.
    if owner.is_none_or(|owner| owner.tenant_id == tenant) {
        store
            .take_if(&by_subject, "tenant_id", &tenant.to_string())
            .await?;
        sign_off::end_person(&app.shared, &app.auth.issuer, subject).await?;
    }
    store.delete(&Key::member(tenant, subject)).await?;
    Ok(())
}

/// A member to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MemberInput {
    /// Subject at the identity provider (`sub`).
    pub(super) subject: String,
    /// E-mail address, for people who read the list.
    #[serde(default)]
    pub(super) email: Option<String>,
    /// What the member may do.
    pub(super) roles: Vec<Role>,
}

/// A member, as it is shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberView {
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    roles: Vec<Role>,
}

impl MemberView {
    pub(super) fn of(member: Member) -> Self {
        let Member {
            subject,
            email,
            roles,
            tenant_id: _,
            created_at: _,
        } = member;
        Self {
            subject,
            email,
            roles,
        }
    }
}

/// Adds what is wrong with a subject, an address and roles.
pub(super) fn check(
    faults: &mut Vec<Fault>,
    at: &str,
    subject: &str,
    email: Option<&str>,
    roles: &[Role],
) {
    let sound = (1..=255).contains(&subject.len()) && subject.bytes().all(|b| b.is_ascii_graphic());
    if !sound {
        faults.push(Fault::new(
            format!("{at}/subject"),
            "invalid_subject",
            "1 to 255 printable ASCII characters without blanks.",
        ));
    }
    let addressable = |email: &str| {
        (3..=254).contains(&email.len())
            && email.contains('@')
            && !email.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    if !email.is_none_or(addressable) {
        faults.push(Fault::new(
            format!("{at}/email"),
            "invalid_email",
            "An e-mail address of 254 characters at most.",
        ));
    }
    if roles.is_empty() {
        faults.push(Fault::new(
            format!("{at}/roles"),
            "required",
            "At least one of viewer, editor, admin.",
        ));
    }
}

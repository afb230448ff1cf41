//! Who acts here, for the audit trail: nobody of whom a gateway would know.

use tributary::{http::audit::Actor, id::TenantId};

use crate::{app::App, session::Session, sign_in::Person};

/// Who vouched for somebody who came with a connect token: the application that got the token.
pub(crate) const CONNECT_TOKEN: &str = "connect-token";
/// Who vouched for somebody who was invited: the person named as subject, who made the link.
pub(crate) const INVITATION: &str = "invitation";

/// The person of a session.
pub(crate) fn signed_in(app: &App, session: &Session) -> Actor {
    named(
        app.config.oidc_issuer.as_str(),
        &session.subject,
        session.tenant_id,
    )
}

/// The person who signs in.
pub(crate) fn person(app: &App, person: &Person) -> Actor {
    named(
        app.config.oidc_issuer.as_str(),
        &person.subject,
        person.tenant_id,
    )
}

/// Somebody of a tenant, or of none.
pub(crate) fn named(issuer: &str, subject: &str, tenant: Option<TenantId>) -> Actor {
    Actor {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        tenant,
        operator: false,
    }
}

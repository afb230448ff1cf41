//! The page of an invitation: who asks, for whom, for what. Everything on it is escaped.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use tributary::{
    connection::Connection,
    error::{Error, Result},
    oauth::{Invitation, ProviderLink},
    secret::Secret,
    store::Key,
    tenancy::Account,
};

use crate::{app::TenantApp, page::escape};

/// What is shown of a tenant.
#[derive(Deserialize)]
struct Tenant {
    name: String,
}

/// What is shown of the person who asks.
#[derive(Deserialize)]
struct Member {
    #[serde(default)]
    email: Option<String>,
}

/// Makes the page.
pub(super) async fn page(
    app: &TenantApp,
    invitation: &Invitation,
    connection: &Connection,
    provider: &ProviderLink,
    token: &Secret,
    csrf: &Secret,
) -> Result<Response> {
    let link = &invitation.link;
    let tenant: Option<Tenant> = app.shared.get(&Key::tenant(link.tenant_id)).await?;
    let tenant =
        tenant.ok_or_else(|| Error::internal("no_tenant", "an invitation's tenant is gone"))?;
    let member: Option<Member> = app
        .store
        .get(&Key::member(link.tenant_id, &link.subject))
        .await?;
    let account = Account::load(&app.store, link.tenant_id, connection.account_id).await?;
    let shown = Shown {
        tenant: tenant.name,
        requester: member
            .and_then(|member| member.email)
            .unwrap_or_else(|| link.subject.clone()),
        application: provider.connector.label.to_owned(),
        connection: connection.name.clone(),
        account: account.map(|account| account.aws_account_id),
        scopes: provider.scopes.join(", "),
        note: invitation.note.clone(),
    };
    Ok((StatusCode::OK, Html(shown.html(token, csrf))).into_response())
}

struct Shown {
    tenant: String,
    requester: String,
    application: String,
    connection: String,
    account: Option<String>,
    scopes: String,
    note: Option<String>,
}

impl Shown {
    fn html(&self, token: &Secret, csrf: &Secret) -> String {
        let rows: Vec<String> = [
            ("Organisation that asks", Some(&self.tenant)),
            ("Person who asks", Some(&self.requester)),
            ("Application", Some(&self.application)),
            ("Connection", Some(&self.connection)),
            ("AWS account that data flows through", self.account.as_ref()),
            ("Rights that are asked for", Some(&self.scopes)),
            (
                "Data, in the words of the person who asks",
                self.note.as_ref(),
            ),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escape(value)))
        .collect();
        let rows = rows.join("\n");
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
             <body><main><h1>{title}</h1>\n\
             <p>Grant access only if you know why you are asked. You can close this window instead: nothing happens then.</p>\n\
             <dl>\n{rows}\n</dl>\n\
             <p>The next page is {application}'s own. Before anything is used, {requester} sees which organisation and user granted access, and has to confirm it.</p>\n\
             <form method=\"post\" action=\"/connect/invitation\">\
             <input type=\"hidden\" name=\"token\" value=\"{token}\">\
             <input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\
             <button type=\"submit\">Continue to {application}</button></form>\n\
             </main></body></html>\n",
            title = escape(&format!(
                "{} asks for access to {}",
                self.tenant, self.application
            )),
            application = escape(&self.application),
            requester = escape(&self.requester),
            token = escape(token.expose()),
            csrf = escape(csrf.expose()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l2_the_page_names_who_asks_for_what_and_nothing_on_it_is_markup() {
        let evil = |name: &str| format!("<script>{name}</script>");
        let shown = Shown {
            tenant: evil("tenant"),
            requester: evil("requester"),
            application: "Salesforce".to_owned(),
            connection: evil("connection"),
            account: Some("222222222222".to_owned()),
            scopes: "api, refresh_token".to_owned(),
            note: Some(evil("note")),
        };
        let html = shown.html(&Secret::new("t".repeat(43)), &Secret::new("c".repeat(43)));
        assert!(!html.contains("<script"), "{html}");
        for name in ["tenant", "requester", "connection", "note"] {
            let shown = format!("&lt;script&gt;{name}&lt;/script&gt;");
            assert!(html.contains(&shown), "{name}: {html}");
        }
        for text in ["222222222222", "api, refresh_token", "Salesforce"] {
            assert!(html.contains(text), "{text}: {html}");
        }
        assert!(
            !html.contains("http://") && !html.contains("https://"),
            "nothing is loaded: {html}"
        );
    }
}

//! The end of a consent: a clean address with the result, or a page.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use tributary::{
    connection::attempt::Attempt,
    error::{Error, Kind, Result},
    secret::Secret,
};

use super::{Consent, KIND, callback::Ending};
use crate::{app::TenantApp, cookie, edge::see_other, page::page};

/// Sends the browser to where the consent was to end. Neither code nor state travels on.
pub(super) fn finish(
    consent: &Consent,
    state: &Secret,
    ending: Result<Ending>,
) -> Result<Response> {
    let cookie = cookie::clear(&cookie::transaction(KIND, state))?;
    let Some(return_to) = &consent.return_to else {
        let mut response = match ending {
            Ok(ending) => shown(&ending),
            Err(error) => error.into_response(),
        };
        response.headers_mut().append(header::SET_COOKIE, cookie);
        return Ok(response);
    };
    if let Err(error) = &ending {
        log(consent, error);
    }
    let (result, code) = words(&ending);
    let connection = consent.connection_id.to_string();
    let attempt = consent.attempt_id.map(|attempt| attempt.to_string());
    let mut parameters = vec![("connection", connection.as_str())];
    parameters.extend(attempt.as_deref().map(|attempt| ("attempt", attempt)));
    parameters.extend([("result", result), ("code", code)]);
    see_other(&return_to.with(&parameters), [cookie])
}

/// Writes the result down for whoever asks for it without this browser (scenario C10). The browser is
/// told anyway.
pub(super) async fn record(app: &TenantApp, consent: &Consent, ending: &Result<Ending>) {
    let Some(id) = consent.attempt_id else {
        return;
    };
    let (result, code) = words(ending);
    let (tenant, connection) = (consent.tenant_id, consent.connection_id);
    if let Err(error) = Attempt::finish(&app.store, tenant, connection, id, result, code).await {
        tracing::warn!(tenant.id = %tenant, connection.id = %connection, error.code = error.code(), error.chain = error.chain(), "the result of an attempt was not written");
    }
}

/// Result and code, both stable.
pub(super) fn words(ending: &Result<Ending>) -> (&'static str, &str) {
    match ending {
        Ok(Ending::Connected) => ("connected", "connected"),
        Ok(Ending::Limited(code)) => ("limited", code),
        Ok(Ending::Denied) => ("denied", "access_denied"),
        Ok(Ending::Unconfirmed) => ("unconfirmed", "confirmation_needed"),
        Err(error) => ("failed", error.code()),
    }
}

/// A failure that ends in a redirect passes no other place that would log it.
fn log(consent: &Consent, error: &Error) {
    if error.kind() == Kind::Internal {
        tracing::error!(tenant.id = %consent.tenant_id, connection.id = %consent.connection_id, provider = consent.provider, error.code = error.code(), error.chain = error.chain(), "consent failed");
    } else {
        tracing::warn!(tenant.id = %consent.tenant_id, connection.id = %consent.connection_id, provider = consent.provider, error.code = error.code(), error.chain = error.chain(), "consent failed");
    }
}

fn shown(ending: &Ending) -> Response {
    let (title, text, code) = match ending {
        Ending::Connected => (
            "Connected",
            "The connection works. You can close this window.",
            "connected",
        ),
        Ending::Limited(code) => (
            "Connected, with limits",
            "The connection was made and does not work fully yet. The application says why.",
            *code,
        ),
        Ending::Denied => (
            "Not connected",
            "Access was not granted. Nothing was changed.",
            "access_denied",
        ),
        Ending::Unconfirmed => (
            "Access granted",
            "The person who asked for access sees now who granted it, and has to confirm it. You can close this window.",
            "confirmation_needed",
        ),
    };
    page(StatusCode::OK, title, text, code)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tributary::id::{ConnectionId, TenantId};

    use super::*;

    fn consent(return_to: Option<&str>) -> Consent {
        serde_json::from_value(json!({
            "tenant_id": TenantId::new(), "connection_id": ConnectionId::new(), "subject": "frank",
            "provider": "salesforce", "issuer": "", "verifier": {"v": 1, "k": "", "c": ""}, "cookie_hash": "",
            "return_to": return_to, "expires_at": 0,
        }))
        .unwrap()
    }

    #[test]
    fn c8_results_travel_as_stable_codes_and_nothing_else_does() {
        let state = Secret::new("s".repeat(43));
        let consent = consent(Some("https://app.example/done"));
        let failure = || {
            Error::new(Kind::Conflict, "account_mismatch", "Another organisation.")
                .with_log("00D canary")
        };
        let cases = [
            (Ok(Ending::Connected), "connected", "connected"),
            (Ok(Ending::Limited("push_failed")), "limited", "push_failed"),
            (Ok(Ending::Denied), "denied", "access_denied"),
            (
                Ok(Ending::Unconfirmed),
                "unconfirmed",
                "confirmation_needed",
            ),
            (Err(failure()), "failed", "account_mismatch"),
        ];
        for (ending, result, code) in cases {
            let response = finish(&consent, &state, ending).unwrap();
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            let to = response.headers()[header::LOCATION].to_str().unwrap();
            assert_eq!(
                to,
                format!(
                    "https://app.example/done?connection={}&result={result}&code={code}",
                    consent.connection_id
                )
            );
            let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
            assert!(cookie.contains("Max-Age=0"), "{cookie}");
        }
    }

    #[test]
    fn without_an_address_there_is_a_page() {
        let response = finish(&consent(None), &Secret::new("s"), Ok(Ending::Denied)).unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers().get(header::LOCATION).is_none());
    }
}

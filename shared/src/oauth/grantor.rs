//! Who granted: from the provider's signature, or by asking the application with the new token.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::{
    ProviderLink, TokenAnswer,
    http::HttpAnswer,
    provider::GrantorProof,
    salesforce::{Grantor, GrantorError},
};
use crate::connector::WhoAmI;

/// How long the application may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest id that is believed.
const ID_CAP: usize = 255;

/// Who granted an answer's tokens, proven in the provider's own way.
///
/// `label` is the instance that the user named: where the application has no organisations, the
/// instance stands for one.
pub async fn grantor(
    link: &ProviderLink,
    answer: &TokenAnswer,
    label: Option<&str>,
) -> Result<Grantor, GrantorError> {
    match link.provider().grantor_proof {
        GrantorProof::SalesforceSignature => link.client.grantor(answer).await,
        GrantorProof::AsksApplication => {
            let question = link.connector.oauth.who_am_i.ok_or(GrantorError::Missing)?;
            let url = address(link, question).ok_or(GrantorError::Shape)?;
            let said = link.http.get_as(&url, &answer.access_token, PATIENCE).await;
            read(&said.map_err(|_| GrantorError::NoAnswer)?, question, label)
        }
        // No provider of connections proves it so; sign-in verifies its own.
        GrantorProof::IdToken => Err(GrantorError::Missing),
    }
}

/// Below the instance that we made from a label, or below the provider's own host: never an address
/// from an answer.
fn address(link: &ProviderLink, question: WhoAmI) -> Option<Url> {
    let base = match &link.instance {
        Some(instance) => instance.as_str().to_owned(),
        None => link.login.as_str().to_owned(),
    };
    Url::parse(&format!("{}{}", base.trim_end_matches('/'), question.path)).ok()
}

fn read(
    answer: &HttpAnswer,
    question: WhoAmI,
    label: Option<&str>,
) -> Result<Grantor, GrantorError> {
    if answer.status != 200 {
        return Err(GrantorError::NoAnswer);
    }
    let said: Value =
        serde_json::from_str(answer.body.expose()).map_err(|_| GrantorError::Shape)?;
    let user_id = id_at(&said, question.user).ok_or(GrantorError::Missing)?;
    let org_id = match question.org {
        Some(pointer) => id_at(&said, pointer),
        None => label.map(str::to_owned),
    };
    Ok(Grantor {
        org_id: org_id.ok_or(GrantorError::Missing)?,
        user_id,
    })
}

/// An id, a text or a number. Zero and empty stand for nobody (Zendesk's anonymous user has none).
fn id_at(said: &Value, pointer: &str) -> Option<String> {
    let id = match said.pointer(pointer)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_u64().filter(|number| *number > 0)?.to_string(),
        _ => return None,
    };
    let sound = (1..=ID_CAP).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const ZENDESK: WhoAmI = WhoAmI {
        path: "/api/v2/users/me.json",
        org: None,
        user: "/user/id",
    };
    const DYNAMICS: WhoAmI = WhoAmI {
        path: "/api/data/v9.2/WhoAmI",
        org: Some("/OrganizationId"),
        user: "/UserId",
    };

    fn asked(status: u16, body: &str, question: WhoAmI) -> Result<Grantor, GrantorError> {
        let answer = HttpAnswer {
            status,
            retry_after: None,
            body: Secret::new(body),
        };
        read(&answer, question, Some("acme"))
    }

    #[test]
    fn c15_the_application_names_user_and_organisation() {
        let grantor = asked(200, r#"{"user":{"id":35436}}"#, ZENDESK).unwrap();
        assert_eq!(
            (grantor.org_id.as_str(), grantor.user_id.as_str()),
            ("acme", "35436")
        );
        let body = r#"{"OrganizationId":"0d7e","UserId":"5b1c"}"#;
        let grantor = asked(200, body, DYNAMICS).unwrap();
        assert_eq!(
            (grantor.org_id.as_str(), grantor.user_id.as_str()),
            ("0d7e", "5b1c")
        );
    }

    #[test]
    fn c15_an_answer_that_proves_nothing_is_not_believed() {
        for (status, body) in [
            (401, r#"{"user":{"id":1}}"#),
            (302, r#"{"user":{"id":1}}"#),
            (200, "<html>"),
            (200, "{}"),
            (200, r#"{"user":{"id":null}}"#),
            (200, r#"{"user":{"id":0}}"#),
            (200, r#"{"user":{"id":""}}"#),
            (200, r#"{"user":{"id":-1}}"#),
            (200, r#"{"user":{"id":{"a":1}}}"#),
            (200, "{\"user\":{\"id\":\"a b\"}}"),
        ] {
            assert!(asked(status, body, ZENDESK).is_err(), "{status} {body}");
        }
        assert!(asked(200, r#"{"UserId":"5b1c"}"#, DYNAMICS).is_err());
    }
}

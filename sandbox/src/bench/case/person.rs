//! A person with a session of the warehouse, and the query that the person runs.

use serde_json::{Value, json};

use super::event::{self, Caller};
use crate::{Sandbox, bench::Error, browser::BrowserError, client::Api};

/// A statement that needs no table: what is measured is the way to the warehouse and back.
const SQL: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i FROM n";

/// Makes a tenant, signs a member in, lets it into the warehouse, and answers its query's event.
pub(super) async fn query(sandbox: &Sandbox) -> Result<Value, Error> {
    let operator = sandbox.operator().await?;
    let subject = sandbox.oidc.user("ethan").map(|user| user.sub.clone());
    let tenant =
        json!({ "name": "bench", "members": [{ "subject": subject, "roles": ["editor"] }] });
    operator.post("/v1/tenants", &tenant).await?.expect(201)?;
    let person = sandbox.sign_in("ethan").await?;
    let tokens = sandbox.tokens(&person.browser, true).await?;
    let access = tokens["accessToken"].as_str().unwrap_or_default();
    let identity = json!({ "idToken": tokens["idToken"] });
    let api = Api::new(&sandbox.api_url, Some(access));
    api.post("/v1/identity", &identity).await?.expect(200)?;
    let caller = Caller::with(access)
        .ok_or_else(|| BrowserError::Page("the access token has no claims".to_owned()))?;
    let mut query = event::http(sandbox, "POST /v1/queries", "/v1/queries", Some(&caller));
    query["headers"]["content-type"] = json!("application/json");
    query["headers"]["authorization"] = json!(format!("Bearer {access}"));
    query["body"] = json!(json!({ "sql": SQL }).to_string());
    Ok(query)
}

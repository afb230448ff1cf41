//! Salesforce is connected through the browser's redirects, and its objects are listed.

use serde_json::json;

use super::{Step, Tour, text};

/// The object of the worked example.
pub(super) const OBJECT: &str = "City_Sales__c";

pub(super) async fn run(tour: &mut Tour<'_>) -> Step {
    for (fact, account, name) in [
        (
            "customer connection",
            "customer account",
            "CRM (own account)",
        ),
        ("vendor connection", "vendor account", "CRM (hosted)"),
    ] {
        tour.step(&format!(
            "Frank connects Salesforce in the {account}: consent in the browser"
        ));
        let request = json!({
            "name": name, "connector": "salesforce", "accountId": tour.fact(account)?,
            "returnTo": format!("{}/connected", tour.sandbox.app_origin),
        });
        let connection = tour
            .person("frank")?
            .api
            .post("/v1/connections", &request)
            .await?
            .expect(201)?;
        let id = tour.keep(fact, &connection["id"])?;
        tour.say(format!("201 {id} is {}", text(&connection, "state")));

        let start = text(&connection, "startUrl").to_owned();
        let stranger = tour
            .sandbox
            .consent(&tour.person("ming")?.browser, &start, "allow")
            .await;
        tour.check(stranger.is_err(), || {
            "somebody else's browser opened the start link".to_owned()
        })?;
        tour.say("the start link in Ming's browser: refused");

        let back = tour
            .sandbox
            .consent(&tour.person("frank")?.browser, &start, "allow")
            .await?;
        tour.say(format!(
            "Frank's browser consents and ends at {}?{}",
            back.path(),
            back.query().unwrap_or_default()
        ));
        let connection = tour
            .person("frank")?
            .api
            .get(&format!("/v1/connections/{id}"))
            .await?
            .expect(200)?;
        tour.check(text(&connection, "state") == "active", || {
            format!("the connection is not active: {connection}")
        })?;
        tour.say(format!(
            "{id} is active, org {}, scopes {}",
            connection["org"], connection["scopes"]
        ));
    }

    tour.step("Objects and fields, through AppFlow in the customer's account");
    let path = format!(
        "/v1/connections/{}/entities",
        tour.fact("customer connection")?
    );
    let entities = tour.person("frank")?.api.get(&path).await?.expect(200)?;
    let names: Vec<&str> = entities["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entity| text(entity, "name"))
        .collect();
    tour.say(format!("objects: {}", names.join(", ")));
    tour.check(names.contains(&OBJECT), || {
        format!("{OBJECT} is not among {names:?}")
    })?;
    let entity = tour
        .person("frank")?
        .api
        .get(&format!("{path}/{OBJECT}"))
        .await?
        .expect(200)?;
    let fields: Vec<String> = entity["fields"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|field| format!("{} {}", text(field, "name"), text(field, "type")))
        .collect();
    tour.check(!fields.is_empty(), || "the object has no fields".to_owned())?;
    tour.say(format!("{OBJECT}: {}", fields.join(", ")));
    Ok(())
}

//! What forms are drawn from: applications, their objects and fields.

use http::Method;
use sandbox_core::{CUSTOMER_ACCOUNT, Fault};
use serde_json::{Value, json};

use super::world::{World, faults, items};
use crate::common;

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        f12_a_large_org_is_listed_in_pages_and_the_second_time_from_the_cache;
        f12_the_fields_of_a_large_object_are_whole_or_paged_and_cached;
    }
}

impl World {
    async fn found(&self, path: &str) -> Value {
        self.api().get(path).await.unwrap().expect(200).unwrap()
    }

    /// What these services were asked since an entry of the journal.
    fn asked(&self, since: usize, services: &[&str]) -> Vec<String> {
        let entries = self.sandbox.journal.entries();
        entries[since..]
            .iter()
            .filter(|entry| services.contains(&entry.service.as_str()))
            .map(|entry| format!("{} {}", entry.service, entry.operation))
            .collect()
    }

    fn now(&self) -> usize {
        self.sandbox.journal.entries().len()
    }

    fn entities(&self) -> String {
        format!("/v1/connections/{}/entities", self.connection)
    }
}

const OUTSIDE: [&str; 2] = ["appflow", "salesforce"];

fn names(list: &[Value]) -> Vec<String> {
    let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
    list.iter().map(name).collect()
}

/// F12: 1,500 objects come in pages, each once; the second walk asks nobody.
async fn f12_a_large_org_is_listed_in_pages_and_the_second_time_from_the_cache(world: World) {
    world.sandbox.salesforce.grow(1500, 800);
    let walk = async || {
        let (mut all, mut pages, mut query) = (Vec::new(), 0, String::new());
        loop {
            let page = world
                .found(&format!("{}?limit=100{query}", world.entities()))
                .await;
            pages += 1;
            let next = page["nextCursor"].as_str().map(str::to_owned);
            let list = names(&items(page));
            assert!(list.len() <= 100);
            all.extend(list);
            match next {
                Some(cursor) => query = format!("&cursor={cursor}"),
                None => return (all, pages),
            }
        }
    };
    let (first, pages) = walk().await;
    assert_eq!(pages, 15);
    assert_eq!(first.len(), 1500);
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), first.len());
    assert!(first.contains(&"City_Sales__c".to_owned()));
    let before = world.now();
    assert_eq!(walk().await.0, first);
    assert_eq!(world.asked(before, &OUTSIDE), Vec::<String>::new());

    // A search goes through all of them, and pages too.
    let search = |query: &str| format!("{}?search={query}&limit=100", world.entities());
    let found = names(&items(world.found(&search("CITY")).await));
    assert!(found.contains(&"City_Sales__c".to_owned()));
    assert!(found.iter().all(|name| name.starts_with("City_Sales__")));
    let page = world.found(&search("grown%200")).await;
    let next = page["nextCursor"].as_str().unwrap().to_owned();
    assert_eq!(items(page).len(), 100);
    let page = world
        .found(&format!("{}&cursor={next}", search("grown%200")))
        .await;
    assert!(!items(page).is_empty());
    // A cursor belongs to its question.
    let answer = world
        .api()
        .get(&format!("{}?limit=100&cursor={next}", world.entities()))
        .await
        .unwrap();
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (400, "malformed_query")
    );
    common::no_leaks(&world.sandbox).await;
}

/// F12: 800 fields come whole or in pages; the second call within the cache time asks nobody.
async fn f12_the_fields_of_a_large_object_are_whole_or_paged_and_cached(world: World) {
    world.sandbox.salesforce.grow(30, 800);
    let path = format!("{}/Wide__c", world.entities());
    let whole = world.found(&path).await;
    assert_eq!(
        (
            whole["fieldCount"].as_u64(),
            whole["fields"].as_array().map(Vec::len)
        ),
        (Some(800), Some(800))
    );
    assert_eq!(whole.get("nextCursor"), None);
    let before = world.now();
    let answer = world.api().get(&path).await.unwrap();
    assert_eq!(answer.headers["cache-control"], "private, no-cache");
    let age: i64 = answer.headers["age"].to_str().unwrap().parse().unwrap();
    assert!((0..300).contains(&age), "{age}");
    assert_eq!(answer.expect(200).unwrap(), whole);
    let (mut paged, mut query) = (Vec::new(), String::new());
    loop {
        let page = world.found(&format!("{path}?limit=100{query}")).await;
        paged.extend(page["fields"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(cursor) => query = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(json!(paged), whole["fields"]);
    assert_eq!(world.asked(before, &OUTSIDE), Vec::<String>::new());
    // Nobody else's cache: another member of the tenant shares it, AppFlow's failure does not show.
    world.appflow_fault("describe-connector-entity", Fault::DropBefore, 3);
    assert_eq!(world.found(&path).await, whole);
    common::no_leaks(&world.sandbox).await;
}

/// F12: a refresh asks AppFlow and the application again, and takes an editor.
#[tokio::test(flavor = "multi_thread")]
async fn f12_a_refresh_asks_again_and_takes_an_editor() {
    let sandbox = common::start().await;
    let tenant = common::tenant(
        &sandbox,
        "Sports Gear",
        &[("frank", "admin"), ("ming", "viewer")],
    )
    .await;
    let account = common::customer_account(&sandbox, tenant.api("frank")).await;
    let connection = common::salesforce(&sandbox, &tenant.people["frank"], &account).await;
    let world = World {
        sandbox,
        tenant,
        account,
        aws_account: CUSTOMER_ACCOUNT,
        connection,
    };
    let path = format!("{}/City_Sales__c", world.entities());
    let count = world.found(&path).await["fieldCount"].as_u64().unwrap();
    assert!(
        world
            .sandbox
            .salesforce
            .delete_field("City_Sales__c", "Units__c")
    );
    assert_eq!(world.found(&path).await["fieldCount"], count);
    let before = world.now();
    assert_eq!(
        world.found(&format!("{path}?refresh=true")).await["fieldCount"],
        count - 1
    );
    let asked = world.asked(before, &["appflow"]);
    assert_eq!(
        asked,
        [
            "appflow POST /reset-connector-metadata-cache",
            "appflow POST /describe-connector-entity"
        ]
    );
    let list = async |query: &str| {
        names(&items(
            world
                .found(&format!("{}?limit=100{query}", world.entities()))
                .await,
        ))
    };
    let count = |names: &[String]| {
        names
            .iter()
            .filter(|name| *name == "Wide__c" || name.starts_with("Grown_"))
            .count()
    };
    assert_eq!(count(&list("").await), 0);
    world.sandbox.salesforce.grow(20, 6);
    assert_eq!(count(&list("").await), 0);
    let grown = count(&list("&refresh=true").await);
    assert!(grown > 10, "{grown}");
    assert_eq!(count(&list("").await), grown);

    let viewer = world
        .tenant
        .api("ming")
        .get(&format!("{path}?refresh=true"))
        .await
        .unwrap();
    assert_eq!(
        (viewer.status.as_u16(), viewer.code()),
        (403, "role_required")
    );
    assert_eq!(
        world
            .tenant
            .api("ming")
            .get(&path)
            .await
            .unwrap()
            .status
            .as_u16(),
        200
    );
    common::no_leaks(&world.sandbox).await;
}

/// F12: a field tells all that a form needs, in our words.
#[tokio::test(flavor = "multi_thread")]
async fn f12_a_form_can_be_drawn_from_the_answers() {
    let world = World::new().await;
    let fields = world
        .found(&format!("{}/City_Sales__c", world.entities()))
        .await;
    let field = |name: &str| -> Value {
        let list = fields["fields"].as_array().unwrap();
        list.iter()
            .find(|field| field["name"] == name)
            .unwrap()
            .clone()
    };
    let amount = field("Amount__c");
    assert_eq!(
        (&amount["type"], &amount["class"]),
        (&json!("currency"), &json!("number"))
    );
    assert_eq!(
        amount["filterOperators"],
        json!([
            "equals",
            "notEquals",
            "lessThan",
            "lessThanOrEquals",
            "greaterThan",
            "greaterThanOrEquals"
        ])
    );
    assert!(amount["example"].is_number());
    let changed = field("LastModifiedDate");
    assert_eq!(
        (&changed["class"], &changed["timestampForIncremental"]),
        (&json!("timestamp"), &json!(true))
    );
    assert!(
        changed["filterOperators"]
            .as_array()
            .unwrap()
            .contains(&json!("between"))
    );
    let id = field("Id");
    assert_eq!(
        (&id["filterOperators"], &id["idFor"]),
        (&json!(["equals"]), &json!(["update", "upsert"]))
    );
    // The words are the ones that flows use.
    let mut flow = world.flow();
    flow["filters"] = json!([{ "field": "Amount__c", "fieldType": amount["type"], "operator": amount["filterOperators"][4], "value": amount["example"] }]);
    world
        .api()
        .post("/v1/flows/compile", &flow)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    common::no_leaks(&world.sandbox).await;
}

/// Names with slashes reach AppFlow as they are, encoded or not.
#[tokio::test(flavor = "multi_thread")]
async fn names_with_slashes_and_odd_questions_are_answered() {
    let world = World::new().await;
    for name in [
        "crm/objects/contacts",
        "crm%2Fobjects%2Fcontacts",
        "a%20b",
        "%00",
    ] {
        let answer = world
            .api()
            .get(&format!("{}/{name}", world.entities()))
            .await
            .unwrap();
        let status = answer.status.as_u16();
        // Nested objects are in no list: AppFlow's word about the application is all there is.
        assert!([404, 502].contains(&status), "{name}: {}", answer.body);
    }
    let query = "limit=0&path=%0A&search=&apiVersion=a%20b&refresh=maybe&cursor=x";
    let answer = world
        .api()
        .get(&format!("{}?{query}", world.entities()))
        .await
        .unwrap();
    assert_eq!(answer.status.as_u16(), 400);
    assert_eq!(
        faults(&answer.body).into_iter().collect::<Vec<_>>(),
        [
            "query:apiVersion malformed",
            "query:cursor invalid_cursor",
            "query:limit out_of_range",
            "query:path malformed",
            "query:refresh malformed",
            "query:search malformed",
        ]
    );
    let answer = world
        .api()
        .get(&format!("{}?colour=blue", world.entities()))
        .await
        .unwrap();
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (400, "malformed_query")
    );
    common::no_leaks(&world.sandbox).await;
}

/// The catalogue alone, and with what an account really has.
#[tokio::test(flavor = "multi_thread")]
async fn f12_an_accounts_own_connectors_come_along_as_custom() {
    let world = World::new().await;
    let catalogue = items(world.found("/v1/connectors").await);
    assert!(catalogue.len() > 30);
    assert!(catalogue.iter().all(|row| row.get("available").is_none()));
    let register = json!({ "connectorLabel": "acme-crm", "description": "ACME CRM connector", "connectorProvisioningType": "LAMBDA",
        "connectorProvisioningConfig": { "lambda": { "lambdaArn": "arn:aws:lambda:us-east-1:222222222222:function:acme" } } });
    world
        .appflow(CUSTOMER_ACCOUNT, "/register-connector", &register)
        .await
        .unwrap();
    let path = format!("/v1/connectors?accountId={}", world.account);
    let found = items(world.found(&path).await);
    let row = |label: &str| {
        found
            .iter()
            .find(|row| row["customLabel"] == label || row["key"] == label)
            .unwrap()
            .clone()
    };
    assert_eq!(found.len(), catalogue.len() + 1);
    let own = row("acme-crm");
    assert_eq!(
        (&own["key"], &own["registered"], &own["available"]),
        (&json!("custom"), &json!(true), &json!(true))
    );
    assert_eq!(own["description"], "ACME CRM connector");
    assert_eq!(
        (
            &row("salesforce")["available"],
            &row("HubSpot")["available"]
        ),
        (&json!(true), &json!(true))
    );
    assert_eq!(row("salesforce")["connectable"], true);
    assert_eq!(row("slack")["connectable"], false);
    // The second time nobody is asked.
    let before = world.now();
    assert_eq!(items(world.found(&path).await), found);
    assert_eq!(world.asked(before, &["appflow"]), Vec::<String>::new());
    // One by its label, in this account only.
    let one = format!("/v1/connectors/custom?accountId={}&label=", world.account);
    assert_eq!(
        world.found(&format!("{one}acme-crm")).await["customLabel"],
        "acme-crm"
    );
    for (path, status) in [
        (format!("{one}other-crm"), 404),
        (format!("{one}!"), 400),
        ("/v1/connectors/custom?label=acme-crm".to_owned(), 400),
        (
            format!(
                "/v1/connectors/salesforce?accountId={}&label=acme-crm",
                world.account
            ),
            400,
        ),
        (
            "/v1/connectors?accountId=acc_0193d3f0aaaa7bbb8cccdddddddddddd".to_owned(),
            404,
        ),
    ] {
        let answer = world
            .api()
            .call(Method::GET, &path, None, &[])
            .await
            .unwrap();
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
    }
    let salesforce = world
        .found(&format!(
            "/v1/connectors/salesforce?accountId={}",
            world.account
        ))
        .await;
    assert_eq!(
        (&salesforce["available"], &salesforce["triggers"]),
        (&json!(true), &json!(["onDemand", "scheduled", "event"]))
    );
    common::no_leaks(&world.sandbox).await;
}

//! A warehouse with the sales of all cities, and people who query it.

use std::{collections::BTreeMap, sync::Arc};

use sandbox::{
    APP_CLIENT_ID, Options, Sandbox,
    client::{Answer, Api, Person},
    warehouse,
};
use sandbox_aws::{DirectoryEntry, IdentityCenter};
use sandbox_core::{DirectoryUser, Entry, VENDOR_ACCOUNT};
use sandbox_saas::salesforce::CitySale;
use serde_json::{Value, json};

use crate::common::{self, Tenant};

const COLUMNS: [&str; 7] = [
    "id", "city", "country", "timezone", "amount", "units", "email",
];

/// A tenant of four with a filled warehouse. Schedules rest, so that the journal is the test's own.
pub(super) struct World {
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) tenant: Tenant,
}

impl World {
    pub(super) async fn new() -> Self {
        let sandbox = common::start_with(Options {
            run_schedules: false,
            ..Options::default()
        })
        .await;
        let members = [("frank", "admin"), ("ethan", "editor"), ("alex", "viewer")];
        let tenant = common::tenant(&sandbox, "Sports Gear", &members).await;
        let columns = COLUMNS.map(str::to_owned);
        let rows: Vec<Vec<Option<String>>> = sandbox.salesforce.sales().iter().map(row).collect();
        sandbox
            .redshift
            .insert_rows(
                VENDOR_ACCOUNT,
                warehouse::DATABASE,
                "public.city_sales",
                &columns,
                &rows,
            )
            .unwrap();
        Self { sandbox, tenant }
    }

    pub(super) fn person(&self, name: &str) -> &Person {
        &self.tenant.people[name]
    }

    /// The API as a person of the tenant with a warehouse session.
    pub(super) async fn session(&self, name: &str) -> Api {
        session(&self.sandbox, self.person(name)).await
    }

    /// The API as a person with fresh tokens, and the ID token that nobody presented yet.
    pub(super) async fn fresh(&self, name: &str) -> (Api, String) {
        fresh(&self.sandbox, self.person(name)).await
    }

    /// Replaces Identity Center's directory: every person as `change` leaves them, or not at all.
    pub(super) fn directory(&self, change: impl Fn(&mut DirectoryEntry) -> bool) {
        let issuer = self.sandbox.oidc_url.as_str().trim_end_matches('/');
        let mut users: Vec<DirectoryEntry> = self
            .sandbox
            .oidc
            .users()
            .iter()
            .map(|user| DirectoryEntry {
                user: DirectoryUser {
                    user_id: directory_id(&user.name),
                    user_name: user.name.clone(),
                    groups: user.groups.clone(),
                },
                email: user.email.clone(),
                assigned: true,
                enabled: true,
            })
            .collect();
        users.retain_mut(change);
        let environment = &self
            .sandbox
            .stack
            .function("QueriesFunction")
            .unwrap()
            .environment;
        self.sandbox.aws.configure_identity_center(IdentityCenter {
            application_arn: environment["IDENTITY_CENTER_APPLICATION_ARN"].clone(),
            issuer: issuer.to_owned(),
            audiences: vec![APP_CLIENT_ID.to_owned()],
            jwks_url: format!("{issuer}/.well-known/jwks.json"),
            users,
        });
    }

    /// Journal entries of these AWS services so far.
    pub(super) fn calls(&self, services: &[&str]) -> Vec<Entry> {
        let mut entries = self.sandbox.journal.entries();
        entries.retain(|entry| services.contains(&entry.service.as_str()));
        entries
    }

    /// Sums by city of the rows that a zone has, in cents, computed from the source's records.
    pub(super) fn oracle(&self, zone: &str) -> BTreeMap<String, Option<i64>> {
        sandbox_saas::salesforce::sales_by_city(&self.sandbox.salesforce.sales(), zone)
    }
}

/// The id that [`World::directory`] gives a person.
pub(super) fn directory_id(name: &str) -> String {
    let number: u32 = name.bytes().map(u32::from).sum();
    format!("907{number:07}-1111-2222-3333-444455556666")
}

fn row(sale: &CitySale) -> Vec<Option<String>> {
    let money = |cents: i64| {
        let sign = if cents < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
    };
    vec![
        Some(sale.id.clone()),
        Some(sale.city.clone()),
        Some(sale.country.clone()),
        Some(sale.timezone.clone()),
        sale.amount_cents.map(money),
        Some(sale.units.to_string()),
        sale.email.clone(),
    ]
}

pub(super) async fn fresh(sandbox: &Sandbox, person: &Person) -> (Api, String) {
    let tokens = sandbox.tokens(&person.browser, true).await.unwrap();
    let api = Api::new(&sandbox.api_url, tokens["accessToken"].as_str());
    (api, tokens["idToken"].as_str().unwrap().to_owned())
}

pub(super) async fn session(sandbox: &Sandbox, person: &Person) -> Api {
    let (api, id_token) = fresh(sandbox, person).await;
    present(&api, &id_token).await.expect(200).unwrap();
    api
}

/// `POST /v1/identity`.
pub(super) async fn present(api: &Api, id_token: &str) -> Answer {
    api.post("/v1/identity", &json!({ "idToken": id_token }))
        .await
        .unwrap()
}

/// Runs a query and answers how it ended, or the problem with which it was refused.
pub(super) async fn ask(api: &Api, request: &Value) -> Answer {
    let answer = api.post("/v1/queries", request).await.unwrap();
    if answer.status.as_u16() != 202 {
        return answer;
    }
    let path = format!("/v1/queries/{}", answer.body["id"].as_str().unwrap());
    common::eventually("the query's end", || async {
        let answer = api.get(&path).await.unwrap();
        (answer.body["state"] != "running").then_some(answer)
    })
    .await
}

/// All rows of a query that must succeed.
pub(super) async fn rows(api: &Api, request: &Value) -> Vec<Vec<Value>> {
    let ended = ask(api, request).await.expect(200).unwrap();
    assert_eq!(ended["state"], "finished", "{ended}");
    pages(api, ended["id"].as_str().unwrap()).await.concat()
}

/// The pages of a finished query's rows, read through its own address.
pub(super) async fn pages(api: &Api, id: &str) -> Vec<Vec<Vec<Value>>> {
    let path = format!("/v1/queries/{id}/results");
    let mut page = api.get(&path).await.unwrap().expect(200).unwrap();
    let mut pages = Vec::new();
    loop {
        pages.push(serde_json::from_value(page["rows"].take()).unwrap());
        let Some(cursor) = page["nextCursor"].as_str() else {
            return pages;
        };
        page = api
            .get(&format!("{path}?cursor={cursor}"))
            .await
            .unwrap()
            .expect(200)
            .unwrap();
    }
}

/// "Total sales by city".
pub(super) fn totals() -> Value {
    json!({ "query": "total-sales-by-city" })
}

/// Rows of city and total as cents by city; each city once.
pub(super) fn cents_by_city(rows: &[Vec<Value>]) -> BTreeMap<String, Option<i64>> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let cents = row[1]
            .as_str()
            .map(|text| text.replace('.', "").parse().unwrap());
        let earlier = sums.insert(row[0].as_str().unwrap().to_owned(), cents);
        assert!(earlier.is_none(), "{row:?} came twice");
    }
    sums
}

//! "Total sales by city", as three people: each sees their own rows.

use std::collections::BTreeMap;

use sandbox_saas::salesforce::CitySale;
use serde_json::{Value, json};

use super::{Step, Tour, TourError, flows::expected, text};
use crate::client::{Api, until};

/// Who sees which time zones.
const VIEWS: [(&str, &str); 3] = [("frank", "America/"), ("ming", "Asia/"), ("ethan", "")];

pub(super) async fn run(tour: &mut Tour<'_>) -> Step {
    tour.step("\"Total sales by city\" as Frank, Ming and Ethan");
    let sales = expected(tour);
    for (name, zone) in VIEWS {
        let person = tour.person(name)?;
        let tokens = tour.sandbox.tokens(&person.browser, true).await?;
        let api = Api::new(&tour.sandbox.api_url, tokens["accessToken"].as_str());
        let identity = api
            .post("/v1/identity", &json!({ "idToken": tokens["idToken"] }))
            .await?;
        tour.check(identity.status.is_success(), || {
            format!("{name} got no warehouse session: {}", identity.body)
        })?;
        let me = api.get("/v1/warehouse/whoami").await?.expect(200)?;
        let user = format!("AWSIDC:{name}");
        tour.check(me["databaseUser"] == user && me["isPerson"] == true, || {
            format!("{name} arrives in the warehouse as somebody else: {me}")
        })?;
        let got = totals(&api).await?;
        let right = direct(&sales, zone);
        tour.check(got == right, || {
            format!(
                "{name} sees {} cities, the direct sum has {}",
                got.len(),
                right.len()
            )
        })?;
        let cents: i64 = right.values().sum();
        let own = api.get("/v1/queries").await?.expect(200)?;
        let listed = own["items"].as_array().map_or(0, Vec::len);
        tour.check(listed == 1, || {
            format!("{name} ran one query and has {listed} in the list: {own}")
        })?;
        tour.say(format!(
            "{name}, in the warehouse {user}: {} cities, {}.{:02} in total, equal to the sum computed directly",
            got.len(),
            cents / 100,
            cents.abs() % 100
        ));
    }
    Ok(())
}

/// All pages of the query, as cents by city.
async fn totals(api: &Api) -> Step<BTreeMap<String, i64>> {
    let answer = api
        .post(
            "/v1/queries",
            &json!({ "query": "total-sales-by-city", "parameters": {} }),
        )
        .await?;
    tour_status(&answer.body, answer.status.as_u16())?;
    let id = text(&answer.body, "id").to_owned();
    let finished = until(|| async {
        let query = api
            .get(&format!("/v1/queries/{id}"))
            .await
            .ok()?
            .expect(200)
            .ok()?;
        (text(&query, "state") != "running").then_some(query)
    })
    .await
    .ok_or_else(|| TourError::Wrong("the query did not finish".to_owned()))?;
    if text(&finished, "state") != "finished" {
        return Err(TourError::Wrong(format!(
            "the query ended otherwise: {finished}"
        )));
    }
    let (mut totals, mut cursor) = (BTreeMap::new(), None::<String>);
    loop {
        let path = match &cursor {
            None => format!("/v1/queries/{id}/results"),
            Some(cursor) => format!("/v1/queries/{id}/results?cursor={cursor}"),
        };
        let page = api.get(&path).await?.expect(200)?;
        for row in page["rows"].as_array().into_iter().flatten() {
            let (Some(city), Some(total)) = (row[0].as_str(), row[1].as_str()) else {
                return Err(TourError::Wrong(format!(
                    "a row is not city and total: {row}"
                )));
            };
            totals.insert(city.to_owned(), cents(total)?);
        }
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(totals);
        }
    }
}

fn tour_status(body: &Value, status: u16) -> Step {
    if matches!(status, 200 | 202) {
        return Ok(());
    }
    Err(TourError::Wrong(format!(
        "the query was answered {status}: {body}"
    )))
}

/// The same sum, computed from the source's records.
fn direct(sales: &[CitySale], zone: &str) -> BTreeMap<String, i64> {
    let mut totals = BTreeMap::new();
    for sale in sales.iter().filter(|sale| sale.timezone.starts_with(zone)) {
        *totals.entry(sale.city.clone()).or_default() += sale.amount_cents.unwrap_or(0);
    }
    totals
}

/// A decimal text with two places, as cents.
fn cents(text: &str) -> Step<i64> {
    let wrong = || TourError::Wrong(format!("{text} is not an amount"));
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    let digits = format!("{whole}{part:0<2}");
    digits.parse().map_err(|_| wrong())
}

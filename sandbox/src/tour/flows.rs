//! Two flows: Salesforce to S3 in the customer's account, and to Redshift in the vendor's.

use reqwest::Method;
use sandbox_core::{CUSTOMER_ACCOUNT, REGION, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::{Step, Tour, TourError, connect::OBJECT, text};
use crate::{client::until, warehouse};

pub(super) async fn run(tour: &mut Tour<'_>) -> Step {
    to_s3(tour).await?;
    to_redshift(tour).await
}

async fn to_s3(tour: &mut Tour<'_>) -> Step {
    let bucket = format!("tributary-landing-{CUSTOMER_ACCOUNT}-{REGION}");
    let flow = json!({
        "name": "City sales to S3",
        "accountId": tour.fact("customer account")?,
        "source": { "connector": "salesforce", "connectionId": tour.fact("customer connection")?, "object": OBJECT },
        "destination": { "connector": "s3", "bucket": bucket, "prefix": "crm", "format": { "file": "json" } },
        "trigger": { "type": "onDemand" },
        "mappings": [{ "type": "all" }],
    });
    tour.step("A flow to S3 is compiled: the exact AppFlow request, nothing created");
    let compiled = tour
        .person("frank")?
        .api
        .post("/v1/flows/compile", &flow)
        .await?
        .expect(200)?;
    tour.say(compiled.to_string());

    tour.step("The flow is created and started");
    let created = tour
        .person("frank")?
        .api
        .post("/v1/flows", &flow)
        .await?
        .expect(201)?;
    let id = tour.keep("s3 flow", &created["id"])?;
    let run = run_flow(tour, &id).await?;
    let written = s3_records(
        tour,
        &bucket,
        &format!("crm/tributary-{}", tour.fact("tenant")?),
    )
    .await?;
    let source = tour
        .sandbox
        .salesforce
        .sales()
        .iter()
        .filter(|sale| !sale.is_deleted)
        .count();
    tour.say(format!(
        "records in Salesforce {source}, reported by the run {}, in S3 {written}",
        run["recordsProcessed"]
    ));
    tour.check(
        written == source && run["recordsProcessed"] == source,
        || "the counts differ".to_owned(),
    )
}

async fn to_redshift(tour: &mut Tour<'_>) -> Step {
    tour.step(
        "A flow to Redshift in the vendor's account: mapped fields, a filter, a mask, a validation",
    );
    let tenant = tour.fact("tenant")?;
    let opened = tour
        .operator()?
        .call(
            Method::PUT,
            &format!("/v1/tenants/{tenant}/warehouse"),
            Some(json!({ "schemas": ["public"] }).to_string()),
            &[],
        )
        .await?
        .expect(200)?;
    tour.say(format!(
        "the operator opens to the tenant the schemas {}",
        opened["schemas"]
    ));
    // Workgroup, database, roles and staging folder are the vendor's and filled in.
    let connection = json!({
        "name": "Warehouse", "connector": "redshift", "accountId": tour.fact("vendor account")?,
    });
    let connection = tour
        .person("frank")?
        .api
        .post("/v1/connections", &connection)
        .await?
        .expect(201)?;
    let field = |from: &str, to: &str| json!({ "type": "field", "from": from, "to": to });
    let flow = json!({
        "name": "City sales to the warehouse",
        "accountId": tour.fact("vendor account")?,
        "source": { "connector": "salesforce", "connectionId": tour.fact("vendor connection")?, "object": OBJECT },
        "destination": { "connector": "redshift", "connectionId": connection["id"], "schema": "public", "table": "city_sales" },
        "trigger": { "type": "onDemand" },
        "mappings": [
            field("Id", "id"), field("City__c", "city"), field("Country__c", "country"), field("Timezone__c", "timezone"),
            field("Amount__c", "amount"), field("Units__c", "units"), field("Email__c", "email"),
        ],
        "filters": [{ "field": "Units__c", "fieldType": "double", "operator": "greaterThan", "value": 0 }],
        "transforms": [{ "type": "mask", "field": "Email__c", "part": "first", "length": 4, "with": "*" }],
        "validations": [{ "field": "Amount__c", "must": "notBeNull", "otherwise": "dropRecord" }],
    });
    let created = tour
        .person("frank")?
        .api
        .post("/v1/flows", &flow)
        .await?
        .expect(201)?;
    let id = tour.keep("redshift flow", &created["id"])?;
    run_flow(tour, &id).await?;
    let rows = tour
        .sandbox
        .redshift
        .query_as_admin(VENDOR_ACCOUNT, warehouse::DATABASE, "SELECT COUNT(*), COUNT(email), SUM(CASE WHEN email LIKE '****%' THEN 1 ELSE 0 END) FROM public.city_sales")
        .map_err(TourError::Wrong)?;
    let expected = expected(tour).len();
    let row = rows.first().cloned().unwrap_or_default();
    let number = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    tour.say(format!("records that pass filter and validation {expected}, rows in Redshift {}, masked addresses {} of {}", number(0), number(2), number(1)));
    tour.check(
        number(0) == expected.to_string() && number(1) == number(2),
        || "the counts differ".to_owned(),
    )
}

/// The records that the second flow must bring, computed directly.
pub(super) fn expected(tour: &Tour<'_>) -> Vec<sandbox_saas::salesforce::CitySale> {
    let keep = |sale: &&sandbox_saas::salesforce::CitySale| {
        !sale.is_deleted && sale.units > 0 && sale.amount_cents.is_some()
    };
    tour.sandbox
        .salesforce
        .sales()
        .iter()
        .filter(keep)
        .cloned()
        .collect()
}

/// Starts a flow, waits for its run's end as the API tells it, and answers the run.
pub(super) async fn run_flow(tour: &Tour<'_>, flow: &str) -> Step<Value> {
    let started = tour
        .person("frank")?
        .api
        .post(&format!("/v1/flows/{flow}/start"), &json!({}))
        .await?
        .expect(202)?;
    let run_id = text(&started, "runId").to_owned();
    let path = format!("/v1/flows/{flow}/runs/{run_id}");
    let api = &tour.person("frank")?.api;
    let ended = until(|| async {
        let run = api.get(&path).await.ok()?.expect(200).ok()?;
        let status = text(&run, "status").to_owned();
        ["completed", "failed", "cancelled"]
            .contains(&status.as_str())
            .then_some(run)
    })
    .await
    .ok_or_else(|| TourError::Wrong(format!("run {run_id} did not end")))?;
    tour.say(format!(
        "run {run_id} {}: {} records",
        text(&ended, "status"),
        ended["recordsProcessed"]
    ));
    tour.check(text(&ended, "status") == "completed", || {
        format!("the run failed: {ended}")
    })?;
    Ok(ended)
}

/// Lines of all objects under a prefix of a bucket.
async fn s3_records(tour: &Tour<'_>, bucket: &str, prefix: &str) -> Step<usize> {
    let aws = &tour.sandbox.aws;
    let keys = aws
        .list_objects(CUSTOMER_ACCOUNT, bucket, prefix)
        .await
        .map_err(TourError::Wrong)?;
    let mut records = 0;
    for key in &keys {
        let object = aws
            .get_object(CUSTOMER_ACCOUNT, bucket, key)
            .await
            .map_err(TourError::Wrong)?;
        records += object
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .count();
    }
    tour.say(format!(
        "{} object(s) under s3://{bucket}/{prefix}",
        keys.len()
    ));
    Ok(records)
}

//! Two accounts: the customer's own, proven by probes, and the vendor's.

use sandbox_aws::Role;
use sandbox_core::{CUSTOMER_ACCOUNT, REGION};
use serde_json::{Value, json};

use super::{Step, Tour, text};
use crate::Sandbox;

pub(super) async fn run(tour: &mut Tour<'_>) -> Step {
    tour.step("Frank onboards the customer's AWS account: external id, launch link");
    let request =
        json!({ "hosting": "customer", "awsAccountId": CUSTOMER_ACCOUNT, "region": REGION });
    let account = tour
        .person("frank")?
        .api
        .post("/v1/accounts", &request)
        .await?
        .expect(201)?;
    let id = tour.keep("customer account", &account["id"])?;
    let link = tour.keep("launch link", &account["launchUrl"])?;
    tour.say(format!(
        "201 {id}, external id of {} characters",
        text(&account, "externalId").len()
    ));
    tour.say(format!(
        "launch link {} ...",
        link.chars().take(96).collect::<String>()
    ));

    tour.step("Verified before anything is launched: refused");
    verify(tour, &id, false).await?;

    tour.step("The role trusts everybody in the vendor's account, without an external id: refused");
    let arn = text(&account, "roleArn").to_owned();
    tour.sandbox.aws.put_role(careless_role(&arn));
    verify(tour, &id, false).await?;
    tour.sandbox.aws.delete_role(&arn);

    tour.step("The customer edits the external id in the launch form: refused");
    let mut parameters = Sandbox::launch_parameters(&link).unwrap_or_default();
    let right = parameters.insert(
        "ExternalId".to_owned(),
        "somebody-elses-external-id".to_owned(),
    );
    tour.sandbox
        .launch_customer_stack(CUSTOMER_ACCOUNT, parameters.clone())
        .await?;
    verify(tour, &id, false).await?;

    tour.step("The customer launches the template as the link gives it: accepted");
    parameters.insert("ExternalId".to_owned(), right.unwrap_or_default());
    tour.sandbox
        .launch_customer_stack(CUSTOMER_ACCOUNT, parameters)
        .await?;
    verify(tour, &id, true).await?;

    tour.step("The vendor's own account, for flows that the vendor hosts");
    let request = json!({ "hosting": "vendor", "region": REGION });
    let account = tour
        .person("frank")?
        .api
        .post("/v1/accounts", &request)
        .await?
        .expect(201)?;
    let id = tour.keep("vendor account", &account["id"])?;
    verify(tour, &id, true).await
}

/// Verifies an account and shows what each probe found.
async fn verify(tour: &mut Tour<'_>, id: &str, passes: bool) -> Step {
    let answer = tour
        .person("frank")?
        .api
        .post(&format!("/v1/accounts/{id}/verify"), &json!({}))
        .await?
        .expect(200)?;
    let report = &answer["report"];
    for probe in report["probes"].as_array().into_iter().flatten() {
        tour.say(format!(
            "{:<26} {:<8} {}",
            text(probe, "name"),
            text(probe, "outcome"),
            text(probe, "detail")
        ));
    }
    tour.say(format!(
        "account is {}{}",
        text(&answer, "state"),
        reason(report)
    ));
    tour.check(report["passed"] == passes, || {
        format!(
            "verification should have {}: {answer}",
            if passes { "passed" } else { "failed" }
        )
    })
}

fn reason(report: &Value) -> String {
    report["reason"]
        .as_str()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default()
}

/// A role as people write it who have not heard of confused deputies.
fn careless_role(arn: &str) -> Role {
    Role {
        arn: arn.to_owned(),
        trust_policy: json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
            "Action": ["sts:AssumeRole", "sts:TagSession"] }] }),
        identity_policies: Vec::new(),
        max_session_seconds: 3600,
    }
}

//! Registering an account: what is generated, what is answered, and what is refused.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use sandbox::Sandbox;
use sandbox_core::{CUSTOMER_ACCOUNT, VENDOR_ACCOUNT};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use url::Url;

use super::{register, text};
use crate::{
    common,
    edge::wire::{self, Moment, assert_problem, header, pointers},
};

/// O1: the external id is ours, random and stable; the link has exactly the template's parameters;
/// the trust policy is the one that the launched stack makes. F1-like: an idempotency key is for one
/// request.
#[tokio::test(flavor = "multi_thread")]
async fn o1_an_account_has_one_external_id_and_a_launch_link_that_fits() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let red = common::tenant(&sandbox, "Red", &[("alex", "admin")]).await;
    let (frank, alex) = (blue.api("frank"), red.api("alex"));

    let account = register(frank, CUSTOMER_ACCOUNT).await;
    let external_id = text(&account, "externalId");
    // 43 characters of base64url are 256 bits.
    assert_eq!(external_id.len(), 43);
    assert!(
        external_id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    );
    assert_eq!(text(&account, "state"), "pending");
    assert_eq!(
        text(&account, "roleArn"),
        format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:role/TributaryAccess")
    );
    assert_link(&sandbox, text(&account, "launchUrl"), external_id);

    // Asked again, and again in ten browsers at once: the same account.
    let request =
        json!({ "hosting": "customer", "awsAccountId": CUSTOMER_ACCOUNT, "region": "us-east-1" });
    let mut asked = JoinSet::new();
    for _ in 0..10 {
        let (api, request) = (frank.clone(), request.clone());
        asked.spawn(async move { api.post("/v1/accounts", &request).await.unwrap() });
    }
    for answer in asked.join_all().await {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body, account);
    }
    let other_region = json!({ "awsAccountId": CUSTOMER_ACCOUNT, "region": "eu-west-1" });
    let other_region = frank.post("/v1/accounts", &other_region).await.unwrap();
    assert_problem(&other_region, 409, "account_exists", "another Region");

    // Ten at once for an account that is new: one is made.
    let fresh = json!({ "awsAccountId": "555555555555", "region": "us-east-1" });
    let mut asked = JoinSet::new();
    for _ in 0..10 {
        let (api, request) = (frank.clone(), fresh.clone());
        asked.spawn(async move { api.post("/v1/accounts", &request).await.unwrap() });
    }
    let answers = asked.join_all().await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let ids: BTreeSet<&str> = answers
        .iter()
        .map(|answer| text(&answer.body, "id"))
        .collect();
    assert_eq!((made, ids.len()), (1, 1));

    // Another tenant gets an id of its own for the same AWS account.
    let theirs = register(alex, CUSTOMER_ACCOUNT).await;
    assert_ne!(text(&theirs, "externalId"), external_id);
    assert_ne!(text(&theirs, "id"), text(&account, "id"));

    // What the customer launches trusts exactly what the answer says.
    let parameters = Sandbox::launch_parameters(text(&account, "launchUrl")).unwrap();
    sandbox
        .launch_customer_stack(CUSTOMER_ACCOUNT, parameters)
        .await
        .unwrap();
    let launched = sandbox.aws.role(text(&account, "roleArn")).unwrap();
    assert_eq!(launched.trust_policy, account["trustPolicy"]);

    an_idempotency_key_is_for_one_request(&sandbox, frank).await;
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// The link opens the console of the right Region with the template and all of its parameters, each
/// with the stack's own value, and nothing else.
#[track_caller]
fn assert_link(sandbox: &Sandbox, link: &str, external_id: &str) {
    let url = Url::parse(link).unwrap();
    assert_eq!(
        url[..url::Position::AfterQuery],
        *"https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1"
    );
    let query = url
        .fragment()
        .unwrap()
        .strip_prefix("/stacks/create/review?")
        .unwrap();
    assert!(
        !query.contains('+') && !query.contains(' '),
        "blanks are %20 behind a fragment: {query}"
    );
    let got: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let flows = &sandbox.stack.function("FlowsFunction").unwrap().environment;
    let (stack, _) = flows["VENDOR_ROLE_ARN"]
        .rsplit_once("-vendor-flows")
        .unwrap();
    let expected = [
        ("templateURL", flows["CUSTOMER_TEMPLATE_URL"].clone()),
        ("stackName", "tributary-access".to_owned()),
        ("param_ExternalId", external_id.to_owned()),
        ("param_VendorAccountId", VENDOR_ACCOUNT.to_owned()),
        ("param_VendorRolePattern", format!("{stack}-*")),
        ("param_VendorEventBusArn", flows["EVENT_BUS_ARN"].clone()),
    ];
    let expected: Vec<(String, String)> = expected
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    assert_eq!(got, expected);

    // The template asks for these and for nothing more.
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../customer-account.yaml");
    let template = std::fs::read_to_string(template).unwrap();
    let parameters = template
        .split("\nParameters:\n")
        .nth(1)
        .unwrap()
        .split("\nResources:")
        .next()
        .unwrap();
    let asked: BTreeSet<&str> = parameters
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.trim().trim_end_matches(':'))
        .collect();
    let given = Sandbox::launch_parameters(link).unwrap();
    assert_eq!(
        given.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        asked
    );
}

async fn an_idempotency_key_is_for_one_request(sandbox: &Sandbox, frank: &sandbox::client::Api) {
    let post = async |key: &str, aws_account: &str| {
        let body = json!({ "awsAccountId": aws_account, "region": "us-east-1" }).to_string();
        let headers = [("idempotency-key", key)];
        frank
            .call(Method::POST, "/v1/accounts", Some(body), &headers)
            .await
            .unwrap()
    };
    let first = post("onboard-1", "666666666666").await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(header(&first, "idempotency-replayed"), "");
    let before = Moment::of(sandbox).await;
    let again = post("onboard-1", "666666666666").await;
    assert_eq!(
        (
            again.status.as_u16(),
            header(&again, "idempotency-replayed")
        ),
        (201, "true")
    );
    assert_eq!(again.body, first.body);
    assert_eq!(header(&again, "location"), header(&first, "location"));
    let other = post("onboard-1", "777777777777").await;
    assert_problem(
        &other,
        422,
        "idempotency_key_reused",
        "the same key with another body",
    );
    before
        .assert_nothing_changed(sandbox, "a key that was used")
        .await;

    // A refusal gives the key back: correct the request and use it again.
    let wrong = post("onboard-2", "7777").await;
    assert_problem(&wrong, 422, "invalid_account", "seven sevens too few");
    assert_eq!(post("onboard-2", "777777777777").await.status, 201);

    // Ten at once with one key: one account, and nobody gets another answer.
    let mut asked = JoinSet::new();
    for _ in 0..10 {
        let api = frank.clone();
        asked.spawn(async move {
            let body = json!({ "awsAccountId": "888888888888", "region": "us-east-1" }).to_string();
            let headers = [("idempotency-key", "onboard-3")];
            api.call(Method::POST, "/v1/accounts", Some(body), &headers)
                .await
                .unwrap()
        });
    }
    let mut by_status: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    for answer in asked.join_all().await {
        let told = answer.body["id"]
            .as_str()
            .unwrap_or(answer.code())
            .to_owned();
        by_status
            .entry(answer.status.as_u16())
            .or_default()
            .insert(told);
    }
    assert_eq!(by_status[&201].len(), 1, "{by_status:?}");
    for (status, told) in &by_status {
        let is_waiting = *status == 409 && told.iter().all(|code| code == "request_in_progress");
        assert!(*status == 201 || is_waiting, "{by_status:?}");
    }
}

/// O2 and O10: an external id, a role or another ARN from outside is refused, before STS is asked and
/// without a trace; so is what is no account of a customer.
#[tokio::test(flavor = "multi_thread")]
async fn o2_o10_ids_and_arns_from_outside_are_refused() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let frank = blue.api("frank");
    let before = Moment::of(&sandbox).await;
    let chosen = "chosen-by-the-customer-0123456789";
    let unknown_fields = [
        ("externalId", json!(chosen)),
        ("external_id", json!(chosen)),
        ("externalID", json!(chosen)),
        ("ExternalId", json!(chosen)),
        (
            "roleArn",
            json!("arn:aws:iam::222222222222:role/TributaryAccess"),
        ),
        ("roleArn", json!("arn:aws:iam::222222222222:user/frank")),
        ("roleArn", json!("arn:aws:iam::222222222222:root")),
        ("roleArn", json!("not-an-arn")),
        ("trustPolicy", json!({})),
        ("state", json!("verified")),
        ("id", json!("acc_0193d3f0aaaa7bbb8cccdddddddddddd")),
        ("tenantId", json!(blue.id)),
    ];
    for (field, value) in unknown_fields {
        let mut body = json!({ "awsAccountId": CUSTOMER_ACCOUNT, "region": "us-east-1" });
        body[field] = value;
        let answer = frank.post("/v1/accounts", &body).await.unwrap();
        assert_problem(&answer, 400, "malformed_body", field);
        assert_eq!(pointers(&answer), [format!("/{field}")]);
        assert!(!answer.body.to_string().contains(chosen), "{}", answer.body);
    }
    let account = |id: Value, region: &str| json!({ "awsAccountId": id, "region": region });
    let vendor = |id: &str, region: &str| json!({ "hosting": "vendor", "awsAccountId": id, "region": region });
    let broken: Vec<(Value, Vec<&str>)> = vec![
        (account(json!(""), "us-east-1"), vec!["/awsAccountId"]),
        (
            account(json!("22222222222"), "us-east-1"),
            vec!["/awsAccountId"],
        ),
        (
            account(json!("2222222222222"), "us-east-1"),
            vec!["/awsAccountId"],
        ),
        (
            account(json!("22222222222x"), "us-east-1"),
            vec!["/awsAccountId"],
        ),
        (
            account(json!(" 22222222222"), "us-east-1"),
            vec!["/awsAccountId"],
        ),
        (
            account(json!("２２２２２２２２２２２２"), "us-east-1"),
            vec!["/awsAccountId"],
        ),
        (
            account(json!("arn:aws:iam::222222222222:root"), "us-east-1"),
            vec!["/awsAccountId"],
        ),
        (
            account(json!("arn:aws:iam::222222222222:user/frank"), "mars-1"),
            vec!["/awsAccountId", "/region"],
        ),
        (
            account(
                json!("arn:aws-cn:iam::222222222222:role/TributaryAccess"),
                "cn-north-1",
            ),
            vec!["/awsAccountId", "/region"],
        ),
        (
            account(json!(VENDOR_ACCOUNT), "us-east-1"),
            vec!["/awsAccountId"],
        ),
        (
            account(json!(CUSTOMER_ACCOUNT), "us-gov-west-1"),
            vec!["/region"],
        ),
        (
            account(json!(CUSTOMER_ACCOUNT), "us-east-1.evil.example"),
            vec!["/region"],
        ),
        (account(json!(CUSTOMER_ACCOUNT), ""), vec!["/region"]),
        (json!({ "region": "us-east-1" }), vec!["/awsAccountId"]),
        (vendor(CUSTOMER_ACCOUNT, "us-east-1"), vec!["/awsAccountId"]),
        (
            vendor(CUSTOMER_ACCOUNT, "eu-west-1"),
            vec!["/awsAccountId", "/region"],
        ),
    ];
    for (body, expected) in broken {
        let answer = frank.post("/v1/accounts", &body).await.unwrap();
        assert_problem(&answer, 422, "invalid_account", &body.to_string());
        assert_eq!(pointers(&answer), expected, "{body}");
    }
    for typed in [
        json!(222_222_222_222_u64),
        json!(["222222222222"]),
        json!({}),
    ] {
        let answer = frank
            .post("/v1/accounts", &account(typed, "us-east-1"))
            .await
            .unwrap();
        assert_problem(&answer, 400, "malformed_body", "an account that is no text");
        assert_eq!(pointers(&answer), ["/awsAccountId"]);
    }
    before
        .assert_nothing_changed(&sandbox, "refused accounts")
        .await;
    assert_eq!(before.asked_since(&sandbox, &["sts"]), Vec::<String>::new());
    let stored = serde_json::to_string(&sandbox.table_items().await).unwrap();
    assert!(!stored.contains(chosen));
    assert!(
        !sandbox
            .logs
            .lines()
            .iter()
            .any(|line| line.text.contains(chosen))
    );

    // An account that is registered takes no external id either, by any method.
    let made = register(frank, CUSTOMER_ACCOUNT).await;
    let path = format!("/v1/accounts/{}", text(&made, "id"));
    let body = json!({ "externalId": chosen }).to_string();
    for method in [Method::PUT, Method::PATCH, Method::POST] {
        let answer = frank
            .call(method, &path, Some(body.clone()), &[])
            .await
            .unwrap();
        assert_problem(&answer, 405, "method_not_allowed", &path);
    }
    let verify = format!("{path}/verify");
    let answer = frank
        .call(Method::POST, &verify, Some(body), &[])
        .await
        .unwrap();
    assert_problem(
        &answer,
        400,
        "malformed_body",
        "an external id to verify with",
    );
    let seen = frank.get(&path).await.unwrap().expect(200).unwrap();
    assert_eq!(seen["externalId"], made["externalId"]);
    assert_eq!(seen["state"], "pending");
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

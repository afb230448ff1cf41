//! The AWS stand-ins, asked by a client that is not AWS's Rust SDK.
//!
//! `tests/independent_client/check.py` drives them with boto3 and compares each answer with AWS's
//! service models. It needs a Python with `tests/independent_client/requirements.txt`, named by
//! `TRIBUTARY_PYTHON`; CI has one, so there the test fails without it.

use std::{collections::BTreeMap, path::Path};

use reqwest::{Client, redirect::Policy};
use sandbox::Sandbox;
use sandbox_aws::Role;
use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT, VENDOR_ACCOUNT};
use sandbox_saas::oidc::{Signature, TokenUse};
use serde_json::{Value, json};
use tokio::process::Command;
use url::Url;

use crate::common::start;

const EXTERNAL_ID: &str = "independent-client-external-id";
const DATABASE: &str = "independent";
const CALLBACK: &str = "http://127.0.0.1:9/callback";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_every_answer_as_aws_gives_it() {
    let Some(python) = std::env::var_os("TRIBUTARY_PYTHON") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "TRIBUTARY_PYTHON must name a Python with tests/independent_client/requirements.txt"
        );
        eprintln!("not run: TRIBUTARY_PYTHON is not set, see tests/independent_client/check.py");
        return;
    };
    let sandbox = start().await;
    let role = trusting_role(&sandbox);
    let user_role = user_role(&sandbox);
    let queries = &sandbox
        .stack
        .function("QueriesFunction")
        .unwrap()
        .environment;
    sandbox
        .redshift
        .execute_as_admin(
            CUSTOMER_ACCOUNT,
            DATABASE,
            "CREATE TABLE public.made (it INTEGER)",
        )
        .unwrap();
    sandbox.redshift.set_page_rows(100);
    let admin = sandbox.aws.admin_credentials(CUSTOMER_ACCOUNT);
    let vendor = sandbox.aws.admin_credentials(VENDOR_ACCOUNT);
    let id_token = sandbox
        .oidc
        .mint("frank", TokenUse::Id, json!({}), Signature::Current);
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("independent_client/check.py");

    let output = Command::new(python)
        .arg(check)
        .args(["--endpoint", sandbox.aws_url.as_str()])
        .args(["--admin-key", &admin.access_key_id])
        .args(["--admin-secret", &admin.secret_access_key])
        .args(["--account", CUSTOMER_ACCOUNT])
        .args(["--salesforce", sandbox.salesforce_url.as_str()])
        .args(["--role-arn", &role, "--external-id", EXTERNAL_ID])
        .args(["--workgroup", "independent", "--database", DATABASE])
        .args(["--vendor-key", &vendor.access_key_id])
        .args(["--vendor-secret", &vendor.secret_access_key])
        .args(["--application", &queries["IDENTITY_CENTER_APPLICATION_ARN"]])
        .args(["--user-role-arn", &user_role])
        .args(["--user-workgroup", &queries["WAREHOUSE_WORKGROUP"]])
        .args(["--user-database", &queries["WAREHOUSE_DATABASE"]])
        .env("TRIBUTARY_ID_TOKEN", id_token.unwrap())
        .env(
            "TRIBUTARY_SALESFORCE_TOKEN",
            salesforce_token(&sandbox).await,
        )
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .await
        .unwrap();

    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.contains("checks hold"), "{said}");
}

/// A role of another account that trusts the customer's with an external id, as customers' do.
fn trusting_role(sandbox: &Sandbox) -> String {
    let arn = format!("arn:aws:iam::{OTHER_CUSTOMER_ACCOUNT}:role/IndependentClient");
    let principal = json!({ "AWS": format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:root") });
    let with_external_id = json!({ "StringEquals": { "sts:ExternalId": EXTERNAL_ID } });
    sandbox.aws.put_role(Role {
        arn: arn.clone(),
        trust_policy: json!({
            "Version": "2012-10-17",
            "Statement": [
                { "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": with_external_id },
                { "Effect": "Allow", "Principal": principal, "Action": "sts:TagSession" },
            ],
        }),
        identity_policies: vec![everything()],
        max_session_seconds: 3_600,
    });
    arn
}

/// A role that the vendor's administrator may assume on behalf of a person.
fn user_role(sandbox: &Sandbox) -> String {
    let arn = format!("arn:aws:iam::{VENDOR_ACCOUNT}:role/IndependentUser");
    let principal = json!({ "AWS": format!("arn:aws:iam::{VENDOR_ACCOUNT}:root") });
    let actions = ["sts:AssumeRole", "sts:SetContext"];
    sandbox.aws.put_role(Role {
        arn: arn.clone(),
        trust_policy: json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": principal, "Action": actions }],
        }),
        identity_policies: vec![everything()],
        max_session_seconds: 3_600,
    });
    arn
}

/// What a client is checked with, so that no refusal is IAM's.
fn everything() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] })
}

/// An access token that a person granted to the vendor's app.
async fn salesforce_token(sandbox: &Sandbox) -> String {
    sandbox.salesforce.register_redirect_uri(CALLBACK);
    let app = sandbox
        .aws
        .get_secret(VENDOR_ACCOUNT, "tributary/oauth-apps/salesforce")
        .await
        .unwrap();
    let app: Value = serde_json::from_str(&app).unwrap();
    let client_id = app["clientId"].as_str().unwrap();
    let http = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let at = |path: &str| sandbox.salesforce_url.join(path).unwrap();

    let request = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", CALLBACK),
        ("scope", "api refresh_token id"),
        ("state", "independent"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let shown = http
        .get(at("/services/oauth2/authorize"))
        .query(&request)
        .send()
        .await
        .unwrap();
    let page = shown.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"transaction\" value=\"").unwrap();
    let transaction = rest.split('"').next().unwrap();
    let consent = [("transaction", transaction), ("decision", "allow")];
    let consented = http
        .post(at("/services/oauth2/authorize"))
        .form(&consent)
        .send()
        .await
        .unwrap();
    let location = Url::parse(consented.headers()["location"].to_str().unwrap()).unwrap();
    let landed: BTreeMap<String, String> = location.query_pairs().into_owned().collect();

    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("client_secret", app["clientSecret"].as_str().unwrap()),
        ("redirect_uri", CALLBACK),
        ("code", &landed["code"]),
        ("code_verifier", VERIFIER),
    ];
    let answer = http
        .post(at("/services/oauth2/token"))
        .form(&exchange)
        .send()
        .await
        .unwrap();
    let tokens: Value = answer.json().await.unwrap();
    tokens["access_token"].as_str().unwrap().to_owned()
}

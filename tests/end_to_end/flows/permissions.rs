//! What flows must be allowed, and how a bucket's policy comes to allow it.

use std::collections::BTreeSet;

use http::Method;
use sandbox::client::Answer;
use sandbox_aws::ExpectedDenial;
use sandbox_core::{
    CUSTOMER_ACCOUNT, Fault, FaultRule, OTHER_CUSTOMER_ACCOUNT, REGION, VENDOR_ACCOUNT,
};
use serde_json::{Value, json};

use super::world::{World, faults, items, landing_bucket};
use crate::common;

impl World {
    /// Makes a bucket in an account, with or without a policy.
    async fn bucket(&self, account: &str, name: &str, policy: Option<&Value>) {
        let aws = &self.sandbox.aws;
        let admin = aws.admin(account);
        let made = aws
            .call_rest(
                &admin,
                "s3",
                Method::PUT,
                &format!("/{name}"),
                String::new().into(),
            )
            .await;
        assert!(made.status.is_success(), "{name}: {}", made.status);
        if let Some(policy) = policy {
            let body = policy.to_string().into();
            let set = aws
                .call_rest(&admin, "s3", Method::PUT, &format!("/{name}?policy"), body)
                .await;
            assert!(set.status.is_success(), "{name}: {}", set.status);
        }
    }

    /// The policy of a bucket, as its account's administrator sees it.
    async fn policy(&self, account: &str, name: &str) -> Value {
        let aws = &self.sandbox.aws;
        let reply = aws
            .call_rest(
                &aws.admin(account),
                "s3",
                Method::GET,
                &format!("/{name}?policy"),
                String::new().into(),
            )
            .await;
        serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
    }

    async fn shown(&self, bucket: &str) -> Answer {
        let path = format!("/v1/buckets/{bucket}/policy?accountId={}", self.account);
        self.api().get(&path).await.unwrap()
    }

    async fn put(&self, bucket: &str, access: &[&str], if_match: Option<&str>) -> Answer {
        self.put_in(&self.account, bucket, access, if_match).await
    }

    async fn put_in(
        &self,
        account: &str,
        bucket: &str,
        access: &[&str],
        if_match: Option<&str>,
    ) -> Answer {
        let body = json!({ "accountId": account, "access": access }).to_string();
        let headers: Vec<(&str, &str)> =
            if_match.map(|tag| ("if-match", tag)).into_iter().collect();
        let path = format!("/v1/buckets/{bucket}/policy");
        self.api()
            .call(Method::PUT, &path, Some(body), &headers)
            .await
            .unwrap()
    }

    async fn vendor_account(&self) -> String {
        let request = json!({ "hosting": "vendor", "region": REGION });
        let made = self
            .api()
            .post("/v1/accounts", &request)
            .await
            .unwrap()
            .expect(201)
            .unwrap();
        let id = made["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/accounts/{id}/verify");
        self.api()
            .post(&path, &json!({}))
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        id
    }
}

fn sids(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap();
    statements
        .iter()
        .map(|one| one["Sid"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The policy is added to until a flow that AppFlow could not write for can be run.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_opened_for_a_flow_and_for_nothing_else() {
    let world = World::new().await;
    let bucket = "tributary-team-data";
    let team = json!({ "Version": "2012-10-17", "Id": "Team", "Statement": [{ "Sid": "Team", "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:root") }, "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*") }] });
    world.bucket(CUSTOMER_ACCOUNT, bucket, Some(&team)).await;

    let mut definition = world.flow();
    definition["destination"]["bucket"] = json!(bucket);
    let ask = async || {
        let answer = world
            .api()
            .post("/v1/flows/permissions?check=true", &definition)
            .await;
        answer.unwrap().expect(200).unwrap()
    };
    let found = ask().await;
    assert_eq!(
        (&found["bucketsInPlace"], &found["grants"][0]["inPlace"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(found["grants"][0]["resource"], bucket);
    assert!(
        found["grants"][0]["problem"]
            .as_str()
            .unwrap()
            .contains("s3:PutObject")
    );

    let seen = world.shown(bucket).await;
    let tag = seen.headers["etag"].to_str().unwrap().to_owned();
    let seen = seen.expect(200).unwrap();
    assert_eq!((&seen["policy"], &seen["inPlace"]), (&team, &json!(false)));
    assert_eq!(
        sids(&seen["merged"]),
        ["Team", "TributaryAppFlowRead", "TributaryAppFlowWrite"]
    );
    assert_eq!(
        world.policy(CUSTOMER_ACCOUNT, bucket).await,
        team,
        "showing changes nothing"
    );

    let put = world.put(bucket, &["write"], Some(&tag)).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.body);
    let after = world.policy(CUSTOMER_ACCOUNT, bucket).await;
    assert_eq!(after["Statement"][0], team["Statement"][0]);
    assert_eq!(
        (&after["Id"], sids(&after)),
        (
            &json!("Team"),
            vec!["Team".to_owned(), "TributaryAppFlowWrite".to_owned()]
        )
    );
    assert_eq!(
        (&put.body["policy"], &put.body["inPlace"]),
        (&after, &json!(true))
    );
    let new_tag = put.headers["etag"].to_str().unwrap().to_owned();
    assert_ne!(new_tag, tag);
    // Again: nothing is added twice, nothing is written.
    let again = world.put(bucket, &["write"], Some(&new_tag)).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["policy"]),
        (200, &after)
    );
    assert_eq!(again.headers["etag"], new_tag);
    // Whoever saw the policy before has to look again.
    let stale = world.put(bucket, &["read"], Some(&tag)).await;
    assert_eq!(
        (stale.status.as_u16(), stale.code()),
        (412, "stale_version")
    );
    let blind = world.put(bucket, &["read"], None).await;
    assert_eq!(blind.status.as_u16(), 428);
    assert_eq!(world.policy(CUSTOMER_ACCOUNT, bucket).await, after);

    assert_eq!(ask().await["bucketsInPlace"], true);
    let flow = world.create(&definition).await;
    let path = format!(
        "/v1/flows/{}/permissions?check=true",
        flow["id"].as_str().unwrap()
    );
    let exact = world.api().get(&path).await.unwrap().expect(200).unwrap();
    assert_eq!(exact["bucketsInPlace"], true, "{exact}");
    let arn =
        &exact["grants"][0]["policy"]["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"][0];
    let name = flow["appflowName"].as_str().unwrap();
    assert_eq!(
        *arn,
        format!("arn:aws:appflow:{REGION}:{CUSTOMER_ACCOUNT}:flow/{name}")
    );
    world.run(&flow).await;
    common::no_leaks(&world.sandbox).await;
}

/// What would not work, and what is not ours, is refused with the reason, and stays as it is.
#[tokio::test(flavor = "multi_thread")]
async fn policies_that_cannot_be_added_to_are_refused_and_stay() {
    let world = World::new().await;
    // A bucket of another account, which the role does not reach.
    world.sandbox.aws.expect_denial(ExpectedDenial {
        role: "AccessRole".to_owned(),
        action: "s3:GetBucketLocation".to_owned(),
    });
    let deny = |bucket: &str, condition: Value| {
        let all = [
            format!("arn:aws:s3:::{bucket}"),
            format!("arn:aws:s3:::{bucket}/*"),
        ];
        json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "OnlyOurOrg", "Effect": "Deny", "Principal": "*",
            "Action": "s3:*", "Resource": all, "Condition": condition }] })
    };
    let org = deny(
        "tributary-denied",
        json!({ "StringNotEquals": { "aws:PrincipalOrgID": format!("o-{CUSTOMER_ACCOUNT}") } }),
    );
    let tls = deny(
        "tributary-tls",
        json!({ "Bool": { "aws:SecureTransport": "false" } }),
    );
    let long = json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "Long", "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:root") },
        "Action": "s3:GetObject", "Resource": (0..410).map(|n| format!("arn:aws:s3:::tributary-long/part-{n:04}/and-on/*")).collect::<Vec<_>>() }] });
    world
        .bucket(CUSTOMER_ACCOUNT, "tributary-denied", Some(&org))
        .await;
    world
        .bucket(CUSTOMER_ACCOUNT, "tributary-tls", Some(&tls))
        .await;
    world
        .bucket(CUSTOMER_ACCOUNT, "tributary-long", Some(&long))
        .await;
    world
        .bucket(OTHER_CUSTOMER_ACCOUNT, "tributary-theirs", None)
        .await;
    for (bucket, status, code) in [
        ("tributary-denied", 409, "policy_denies"),
        ("tributary-long", 409, "policy_too_large"),
        ("tributary-theirs", 409, "bucket_not_accessible"),
        ("tributary-nowhere", 404, "not_found"),
        ("Not_A_Bucket", 404, "not_found"),
        ("..%2F..", 404, "not_found"),
    ] {
        let answer = world.put(bucket, &["write"], Some("*")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code),
            "{bucket}: {}",
            answer.body
        );
    }
    assert_eq!(
        world.policy(CUSTOMER_ACCOUNT, "tributary-denied").await,
        org
    );
    let shown = world.shown("tributary-denied").await.expect(200).unwrap();
    assert!(
        shown["problem"].as_str().unwrap().contains("OnlyOurOrg"),
        "{shown}"
    );
    assert_eq!(shown.get("merged"), None);
    // A Deny that does not hit AppFlow is in nobody's way.
    let answer = world.put("tributary-tls", &["write"], Some("*")).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);

    // Bad requests say everything at once.
    let path = format!(
        "/v1/buckets/tributary-tls/policy?accountId={}&access=own",
        world.account
    );
    let answer = world.api().get(&path).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), faults(&answer.body)),
        (400, BTreeSet::from(["query:access malformed".to_owned()]))
    );
    let answer = world.api().get("/v1/buckets?limit=0").await.unwrap();
    let expected = ["query:accountId required", "query:limit out_of_range"].map(str::to_owned);
    assert_eq!(
        (answer.status.as_u16(), faults(&answer.body)),
        (400, expected.into())
    );
    let answer = world.put("tributary-tls", &[], Some("*")).await;
    assert_eq!(
        (answer.status.as_u16(), faults(&answer.body)),
        (422, BTreeSet::from(["/access required".to_owned()]))
    );
    common::no_leaks(&world.sandbox).await;
}

/// S3 that is slow is asked again; one that stays away is told as such, and nothing is written twice.
#[tokio::test(flavor = "multi_thread")]
async fn s3_that_fails_for_a_moment_is_asked_again() {
    let world = World::new().await;
    let bucket = landing_bucket(CUSTOMER_ACCOUNT);
    let fault = |times| FaultRule {
        service: "s3".to_owned(),
        operation: String::new(),
        fault: Fault::Status {
            status: 503,
            retry_after: None,
            body: "<Error><Code>SlowDown</Code></Error>".to_owned(),
        },
        times,
    };
    world.sandbox.faults.add(fault(2));
    assert_eq!(world.shown(&bucket).await.status.as_u16(), 200);
    world.sandbox.faults.add(fault(3));
    let answer = world.shown(&bucket).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (429, "aws_throttled")
    );
    assert_eq!(world.shown(&bucket).await.status.as_u16(), 200);
    common::no_leaks(&world.sandbox).await;
}

/// F11: both hosting modes list, show and compare alike; in the vendor's account nobody changes a
/// policy that all tenants share, and what is not for flows is not shown.
#[tokio::test(flavor = "multi_thread")]
async fn f11_buckets_in_both_hosting_modes() {
    let world = World::new().await;
    let vendor = world.vendor_account().await;
    world.bucket(CUSTOMER_ACCOUNT, "team-reports", None).await;
    world.bucket(VENDOR_ACCOUNT, "vendor-payroll", None).await;
    let list = async |account: &str| {
        let path = format!("/v1/buckets?limit=100&accountId={account}");
        items(world.api().get(&path).await.unwrap().expect(200).unwrap())
    };
    let names = |list: &[Value]| {
        list.iter()
            .map(|one| {
                (
                    one["name"].as_str().unwrap().to_owned(),
                    one["policyManaged"] == true,
                )
            })
            .collect::<Vec<_>>()
    };
    let (customers, vendors) = (list(&world.account).await, list(&vendor).await);
    assert_eq!(
        names(&customers),
        [
            ("team-reports".to_owned(), false),
            (landing_bucket(CUSTOMER_ACCOUNT), true)
        ]
    );
    assert_eq!(names(&vendors), [(landing_bucket(VENDOR_ACCOUNT), true)]);
    // Pages.
    let path = format!("/v1/buckets?limit=1&accountId={}", world.account);
    let page = world.api().get(&path).await.unwrap().expect(200).unwrap();
    let cursor = page["nextCursor"].as_str().unwrap().to_owned();
    let rest = world
        .api()
        .get(&format!("{path}&cursor={cursor}"))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(
        (&rest["items"][0], rest.get("nextCursor")),
        (&customers[1], None)
    );

    for (account, aws_account) in [
        (&world.account, CUSTOMER_ACCOUNT),
        (&vendor, VENDOR_ACCOUNT),
    ] {
        let bucket = landing_bucket(aws_account);
        let path = format!("/v1/buckets/{bucket}/policy?accountId={account}&access=write");
        let shown = world.api().get(&path).await.unwrap().expect(200).unwrap();
        assert_eq!(
            (&shown["inPlace"], &shown["merged"]),
            (&json!(true), &shown["policy"]),
            "{shown}"
        );
        // The template's own statement does it already.
        let put = world.put_in(account, &bucket, &["write"], Some("*")).await;
        assert_eq!(
            (put.status.as_u16(), &put.body["policy"]),
            (200, &shown["policy"])
        );
    }
    world
        .bucket(VENDOR_ACCOUNT, "tributary-further", None)
        .await;
    let answer = world
        .put_in(&vendor, "tributary-further", &["write"], Some("*"))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (409, "vendor_managed")
    );
    assert_eq!(
        world
            .policy(VENDOR_ACCOUNT, "tributary-further")
            .await
            .get("Statement"),
        None
    );
    let answer = world
        .put_in(&vendor, "vendor-payroll", &["read"], Some("*"))
        .await;
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"));
    common::no_leaks(&world.sandbox).await;
}

/// Every kind of grant of a flow to the warehouse and of one from a bucket.
#[tokio::test(flavor = "multi_thread")]
async fn permissions_name_every_resource_of_a_flow() {
    let world = World::new().await;
    let mut definition = world.flow();
    definition["kmsKeyArn"] = json!(format!(
        "arn:aws:kms:{REGION}:{CUSTOMER_ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    ));
    definition["destination"]["catalog"] = json!({ "roleArn": format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:role/tributary-glue"), "databaseName": "crm", "tablePrefix": "sf" });
    let found = world
        .api()
        .post("/v1/flows/permissions", &definition)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let grants = found["grants"].as_array().unwrap();
    let places: Vec<&Value> = grants.iter().map(|grant| &grant["place"]).collect();
    assert_eq!(places, ["bucketPolicy", "keyPolicy", "role"]);
    assert!(
        grants.iter().all(|grant| grant.get("inPlace").is_none()),
        "not asked, not said"
    );
    let arns = &grants[0]["policy"]["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"];
    assert_eq!(
        *arns,
        json!([format!(
            "arn:aws:appflow:{REGION}:{CUSTOMER_ACCOUNT}:flow/tributary-{}-*",
            world.tenant.id
        )])
    );
    // A definition that breaks rules has no permissions, and a foreign flow none either.
    definition["mappings"] = json!([]);
    let answer = world
        .api()
        .post("/v1/flows/permissions", &definition)
        .await
        .unwrap();
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (422, "invalid_flow")
    );
    let answer = world
        .api()
        .get("/v1/flows/flw_0193d3f0aaaa7bbb8cccdddddddddddd/permissions")
        .await
        .unwrap();
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"));
    let answer = world
        .api()
        .post("/v1/flows/permissions?check=perhaps", &world.flow())
        .await
        .unwrap();
    assert_eq!(
        (answer.status.as_u16(), faults(&answer.body)),
        (400, BTreeSet::from(["query:check malformed".to_owned()]))
    );
    common::no_leaks(&world.sandbox).await;
}

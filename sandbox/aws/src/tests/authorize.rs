//! Calls of a role's session, allowed and denied by identity policies, session policies and policies
//! of buckets.

use std::sync::Arc;

use http::{Method, StatusCode};
use sandbox_core::{AwsCall, AwsReply, AwsService, BoxFuture};
use serde_json::{Value, json};

use super::support::{CUSTOMER, VENDOR, World, element, everything};
use crate::{Act, Credentials, Role};

const ROLE: &str = "arn:aws:iam::111111111111:role/worker";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:111111111111:table/t";

/// A session of a role with these statements, as a function has it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]
fn session(world: &World, statements: Value) -> Credentials {
    world.aws.put_role(Role {
        arn: ROLE.into(),
        trust_policy: json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"AWS": VENDOR}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
        ]}),
        identity_policies: vec![json!({"Version": "2012-10-17", "Statement": statements})],
        max_session_seconds: 3600,
    });
    world.aws.assume_for_function(ROLE, "worker").unwrap()
}

/// A session of the same role for a tenant, with a session policy if there is one.
async fn tenants_session(world: &World, tenant: &str, policy: Option<&str>) -> Credentials {
    let function = world.function();
    let mut parameters = vec![
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "tenant"),
        ("Tags.member.1.Key", "tributary:tenant"),
        ("Tags.member.1.Value", tenant),
    ];
    parameters.extend(policy.map(|policy| ("Policy", policy)));
    let (status, xml) = world.form(&function, &parameters).await;
    assert_eq!(status, 200, "{xml}");
    Credentials {
        access_key_id: element(&xml, "AccessKeyId").into(),
        secret_access_key: element(&xml, "SecretAccessKey").into(),
        session_token: Some(element(&xml, "SessionToken").into()),
        account: VENDOR.into(),
    }
}

async fn table(world: &World) {
    let admin = world.aws.admin_credentials(VENDOR);
    let request = json!({
        "TableName": "t", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "due_shard", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "due", "KeySchema": [{"AttributeName": "due_shard", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
    });
    world.ok(&admin, "dynamodb", "CreateTable", request).await;
}

fn item(pk: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": "a"}, "due_shard": {"S": "due-1"}})
}

fn key(pk: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": "a"}})
}

/// Status and error code of a call.
async fn outcome(
    world: &World,
    who: &Credentials,
    service: &str,
    operation: &str,
    ask: Value,
) -> (u16, String) {
    let (status, answer) = world.json(who, service, operation, ask).await;
    let code = answer["__type"].as_str().unwrap_or_default();
    (status, code.to_owned())
}

fn refused() -> (u16, String) {
    (400, "AccessDeniedException".to_owned())
}

#[tokio::test]
async fn without_a_permission_the_refusal_is_aws_own() {
    let world = World::start().await;
    table(&world).await;
    let worker = session(&world, json!([]));
    let ask = json!({"TableName": "t", "Key": key("a")});
    let (status, answer) = world.json(&worker, "dynamodb", "GetItem", ask).await;
    assert_eq!(status, 400);
    assert_eq!(
        answer,
        json!({
            "__type": "AccessDeniedException",
            "message": "User: arn:aws:sts::111111111111:assumed-role/worker/worker is not authorized to perform: \
                        dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:111111111111:table/t because no \
                        identity-based policy allows the dynamodb:GetItem action",
        })
    );
    let (status, xml) = world
        .form(
            &worker,
            &[
                ("Action", "AssumeRole"),
                ("Version", "2011-06-15"),
                ("RoleArn", ROLE),
                ("RoleSessionName", "x1"),
            ],
        )
        .await;
    assert_eq!((status, element(&xml, "Code")), (403, "AccessDenied"));
    assert!(
        element(&xml, "Message")
            .contains("no identity-based policy allows the sts:AssumeRole action")
    );
    // Everybody may ask who they are.
    let (status, _) = world
        .form(
            &worker,
            &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")],
        )
        .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn an_operation_that_the_table_does_not_know_is_denied_and_says_so() {
    let world = World::start().await;
    let worker = session(
        &world,
        json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]),
    );
    for (service, operation) in [
        ("dynamodb", "ExecuteStatement"),
        ("kms", "ReplicateKey"),
        ("ec2", "RunInstances"),
    ] {
        let (status, answer) = world.json(&worker, service, operation, json!({})).await;
        assert_eq!(status, 400);
        assert!(
            answer["message"]
                .as_str()
                .unwrap()
                .contains("no entry of the table of permissions"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn leading_keys_fence_items_transactions_batches_queries_and_indexes() {
    let world = World::start().await;
    table(&world).await;
    let own = [
        "TENANT#${aws:PrincipalTag/tributary:tenant}",
        "TENANT#${aws:PrincipalTag/tributary:tenant}#*",
    ];
    session(
        &world,
        json!([
            {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query",
                "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem"], "Resource": TABLE,
             "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": own}}},
            {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE,
             "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["OUTBOX"]}}},
            {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": format!("{TABLE}/index/due"),
             "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["due-1"]}}},
        ]),
    );
    let one = tenants_session(&world, "ten_1", None).await;
    let query = |pk: &str| {
        json!({
            "TableName": "t", "KeyConditionExpression": "#p = :p", "ExpressionAttributeNames": {"#p": "pk"},
            "ExpressionAttributeValues": {":p": {"S": pk}},
        })
    };
    let index = |shard: &str| {
        json!({
            "TableName": "t", "IndexName": "due", "KeyConditionExpression": "due_shard = :s",
            "ExpressionAttributeValues": {":s": {"S": shard}},
        })
    };
    let put = |pk: &str| json!({"Put": {"TableName": "t", "Item": item(pk)}});
    let check = |pk: &str| {
        json!({"ConditionCheck": {
            "TableName": "t", "Key": key(pk), "ConditionExpression": "attribute_not_exists(gone)",
        }})
    };
    let update = |pk: &str| {
        json!({"Update": {
            "TableName": "t", "Key": key(pk), "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "x"}},
        }})
    };
    for (operation, ask, allowed) in [
        (
            "PutItem",
            json!({"TableName": "t", "Item": item("TENANT#ten_1")}),
            true,
        ),
        (
            "PutItem",
            json!({"TableName": "t", "Item": item("TENANT#ten_1#runs")}),
            true,
        ),
        (
            "PutItem",
            json!({"TableName": "t", "Item": item("TENANT#ten_2")}),
            false,
        ),
        (
            "PutItem",
            json!({"TableName": "t", "Item": item("TENANT#ten_10")}),
            false,
        ),
        (
            "PutItem",
            json!({"TableName": "t", "Item": {"sk": {"S": "a"}}}),
            false,
        ),
        (
            "GetItem",
            json!({"TableName": TABLE, "Key": key("TENANT#ten_2")}),
            false,
        ),
        (
            "GetItem",
            json!({"TableName": "t", "Key": key("TENANT#ten_1")}),
            true,
        ),
        (
            "GetItem",
            json!({"TableName": "other", "Key": key("TENANT#ten_1")}),
            false,
        ),
        (
            "UpdateItem",
            json!({"TableName": "t", "Key": key("TENANT#ten_1"), "UpdateExpression": "SET a = sk"}),
            false,
        ),
        ("Query", query("TENANT#ten_1"), true),
        ("Query", query("TENANT#ten_2"), false),
        ("Query", index("due-1"), true),
        ("Query", index("due-2"), false),
        ("Scan", json!({"TableName": "t"}), false),
        (
            "TransactWriteItems",
            json!({"TransactItems": [put("TENANT#ten_1"), check("TENANT#ten_1#runs")]}),
            true,
        ),
        (
            "TransactWriteItems",
            json!({"TransactItems": [put("TENANT#ten_1"), put("OUTBOX")]}),
            false,
        ),
        (
            "TransactWriteItems",
            json!({"TransactItems": [put("TENANT#ten_1"), check("TENANT#ten_2")]}),
            false,
        ),
        (
            "TransactWriteItems",
            json!({"TransactItems": [put("TENANT#ten_1"), update("TENANT#ten_1#x")]}),
            false,
        ),
        (
            "BatchGetItem",
            json!({"RequestItems": {"t": {"Keys": [key("TENANT#ten_1")]}}}),
            true,
        ),
        (
            "BatchGetItem",
            json!({"RequestItems": {"t": {"Keys": [key("TENANT#ten_1"), key("TENANT#ten_2")]}}}),
            false,
        ),
        (
            "BatchWriteItem",
            json!({"RequestItems": {"t": [{"PutRequest": {"Item": item("TENANT#ten_1")}}]}}),
            false,
        ),
    ] {
        let came = outcome(&world, &one, "dynamodb", operation, ask.clone()).await;
        if allowed {
            assert_eq!(came.0, 200, "{operation} {ask}: {came:?}");
        } else {
            assert_eq!(came, refused(), "{operation} {ask}");
        }
    }
    // Whoever carries no tag has no partition.
    let nobody = world.aws.assume_for_function(ROLE, "worker").unwrap();
    let ask = json!({"TableName": "t", "Item": item("TENANT#")});
    assert_eq!(
        outcome(&world, &nobody, "dynamodb", "PutItem", ask).await,
        refused()
    );
}

#[tokio::test]
async fn kms_is_bound_to_key_and_encryption_context() {
    let world = World::start().await;
    let admin = world.aws.admin_credentials(VENDOR);
    let mut keys = Vec::new();
    for _ in 0..2 {
        let made = world.ok(&admin, "kms", "CreateKey", json!({})).await;
        keys.push(made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned());
    }
    session(
        &world,
        json!([{
            "Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": keys[0],
            "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "${aws:PrincipalTag/tributary:tenant}"}},
        }]),
    );
    let one = tenants_session(&world, "ten_1", None).await;
    let two = tenants_session(&world, "ten_2", None).await;
    let generate = |key: &str, tenant: &str| {
        json!({
            "KeyId": key, "KeySpec": "AES_256", "EncryptionContext": {"tenant": tenant, "kind": "token"},
        })
    };
    assert_eq!(
        outcome(
            &world,
            &one,
            "kms",
            "GenerateDataKey",
            generate(&keys[1], "ten_1")
        )
        .await,
        refused()
    );
    assert_eq!(
        outcome(
            &world,
            &two,
            "kms",
            "GenerateDataKey",
            generate(&keys[0], "ten_1")
        )
        .await,
        refused()
    );
    let made = world
        .ok(&one, "kms", "GenerateDataKey", generate(&keys[0], "ten_1"))
        .await;
    let decrypt = json!({"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": {"tenant": "ten_1", "kind": "token"}});
    // The key is not named: the ciphertext tells which it is.
    world.ok(&one, "kms", "Decrypt", decrypt.clone()).await;
    assert_eq!(
        outcome(&world, &two, "kms", "Decrypt", decrypt).await,
        refused()
    );
    let id = keys[0].rsplit('/').next().unwrap();
    world
        .ok(&one, "kms", "GenerateDataKey", generate(id, "ten_1"))
        .await;
    let without = json!({"KeyId": keys[0], "KeySpec": "AES_256"});
    assert_eq!(
        outcome(&world, &one, "kms", "GenerateDataKey", without).await,
        refused()
    );
}

#[tokio::test]
async fn a_secrets_arn_ends_in_what_aws_made_up() {
    let world = World::start().await;
    let admin = world.aws.admin_credentials(VENDOR);
    for name in ["apps/one", "apps/one-more", "other"] {
        let ask = json!({"Name": name, "SecretString": "s", "ClientRequestToken": "c0ffee00-0000-4000-8000-000000000000"});
        world
            .ok(&admin, "secretsmanager", "CreateSecret", ask)
            .await;
    }
    let arn = "arn:aws:secretsmanager:us-east-1:111111111111:secret";
    let worker = session(
        &world,
        json!([
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": format!("{arn}:apps/one-??????")},
            {"Effect": "Allow", "Action": "secretsmanager:CreateSecret", "Resource": format!("{arn}:tenants/*"),
             "Condition": {"StringLike": {"secretsmanager:Name": "tenants/*"}}},
        ]),
    );
    let get = |id: &str| json!({"SecretId": id});
    world
        .ok(&worker, "secretsmanager", "GetSecretValue", get("apps/one"))
        .await;
    for other in ["apps/one-more", "other", "nowhere"] {
        assert_eq!(
            outcome(
                &world,
                &worker,
                "secretsmanager",
                "GetSecretValue",
                get(other)
            )
            .await,
            refused(),
            "{other}"
        );
    }
    let create = |name: &str| json!({"Name": name, "SecretString": "s", "ClientRequestToken": "c0ffee00-0000-4000-8000-000000000001"});
    world
        .ok(
            &worker,
            "secretsmanager",
            "CreateSecret",
            create("tenants/x"),
        )
        .await;
    assert_eq!(
        outcome(
            &world,
            &worker,
            "secretsmanager",
            "CreateSecret",
            create("apps/x")
        )
        .await,
        refused()
    );
}

#[tokio::test]
async fn an_explicit_deny_wins_and_a_session_policy_only_takes_away() {
    let world = World::start().await;
    let queue = json!({"QueueName": "q"});
    let admin = world.aws.admin_credentials(VENDOR);
    world.ok(&admin, "sqs", "CreateQueue", queue).await;
    session(
        &world,
        json!([
            {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:q"},
            {"Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "*"},
        ]),
    );
    let url = json!({"QueueUrl": world.aws.queue_url(VENDOR, "q")});
    let send = json!({"QueueUrl": url["QueueUrl"], "MessageBody": "b"});
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:SendMessage","sqs:PurgeQueue","dynamodb:*"],"Resource":"*"}]}"#;
    let bounded = tenants_session(&world, "ten_1", Some(policy)).await;
    let free = tenants_session(&world, "ten_1", None).await;
    for (who, operation, ask, because) in [
        (&free, "SendMessage", &send, ""),
        (&free, "ReceiveMessage", &url, ""),
        (&bounded, "SendMessage", &send, ""),
        (
            &bounded,
            "ReceiveMessage",
            &url,
            "because no session policy allows the sqs:ReceiveMessage action",
        ),
        (
            &bounded,
            "PurgeQueue",
            &url,
            "with an explicit deny in an identity-based policy",
        ),
        (
            &free,
            "PurgeQueue",
            &url,
            "with an explicit deny in an identity-based policy",
        ),
    ] {
        let (status, answer) = world.json(who, "sqs", operation, ask.clone()).await;
        let message = answer["message"].as_str().unwrap_or_default();
        assert_eq!(status == 200, because.is_empty(), "{operation}: {answer}");
        assert!(message.ends_with(because), "{operation}: {message}");
    }
    // What the session policy allows and the role does not stays denied.
    assert_eq!(
        outcome(&world, &bounded, "dynamodb", "ListTables", json!({})).await,
        refused()
    );
    let denying = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"sqs:SendMessage","Resource":"*"}]}"#;
    let denied = tenants_session(&world, "ten_1", Some(denying)).await;
    let (_, answer) = world.json(&denied, "sqs", "SendMessage", send).await;
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .ends_with("with an explicit deny in a session policy")
    );
}

#[tokio::test]
async fn an_encrypted_queue_needs_its_key() {
    let world = World::start().await;
    let admin = world.aws.admin_credentials(VENDOR);
    world
        .ok(&admin, "sqs", "CreateQueue", json!({"QueueName": "q"}))
        .await;
    let key = "arn:aws:kms:us-east-1:111111111111:key/k";
    world
        .aws
        .encrypt("arn:aws:sqs:us-east-1:111111111111:q", key);
    let send = json!({"QueueUrl": world.aws.queue_url(VENDOR, "q"), "MessageBody": "b"});
    for (kms, status) in [
        (vec!["kms:GenerateDataKey", "kms:Decrypt"], 200),
        (vec!["kms:GenerateDataKey"], 400),
        (vec!["kms:Decrypt"], 400),
    ] {
        let worker = session(
            &world,
            json!([
                {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"},
                {"Effect": "Allow", "Action": kms, "Resource": key,
                 "Condition": {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}},
            ]),
        );
        let (came, answer) = world
            .json(&worker, "sqs", "SendMessage", send.clone())
            .await;
        assert_eq!(came, status, "{kms:?}: {answer}");
    }
}

#[tokio::test]
async fn buckets_are_told_apart_by_account_and_their_policies_count() {
    let world = World::start().await;
    for (account, bucket) in [
        (VENDOR, "tributary-mine"),
        (CUSTOMER, "tributary-theirs"),
        (VENDOR, "shared"),
        (VENDOR, "closed"),
    ] {
        let admin = world.aws.admin_credentials(account);
        let made = world
            .request(&admin, "s3", Method::PUT, &format!("/{bucket}"))
            .send()
            .await
            .unwrap();
        assert_eq!(made.status(), 200);
    }
    let admin = world.aws.admin_credentials(VENDOR);
    for (bucket, effect, action) in [
        ("shared", "Allow", "s3:GetObject"),
        ("closed", "Deny", "s3:*"),
    ] {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": effect, "Principal": {"AWS": ROLE}, "Action": action,
            "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
        }]});
        let put = world
            .request(&admin, "s3", Method::PUT, &format!("/{bucket}?policy"))
            .body(policy.to_string());
        assert!(put.send().await.unwrap().status().is_success());
    }
    let worker = session(
        &world,
        json!([
            {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
            {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:PutObject"],
             "Resource": ["arn:aws:s3:::tributary-*", "arn:aws:s3:::closed", "arn:aws:s3:::closed/*"],
             "Condition": {"StringEquals": {"aws:ResourceAccount": VENDOR}}},
        ]),
    );
    for (method, path, expected) in [
        (Method::GET, "/", 200),
        (Method::GET, "/tributary-mine?location", 200),
        (Method::GET, "/tributary-theirs?location", 403),
        (Method::GET, "/nowhere?location", 404),
        (Method::GET, "/tributary-mine?policy", 403),
        (Method::GET, "/tributary-mine?inventory", 403),
        (Method::PUT, "/tributary-mine/a%20b", 200),
        (Method::GET, "/tributary-mine/a%20b", 403),
        (Method::GET, "/shared/none", 404),
        (Method::PUT, "/shared/none", 403),
        (Method::PUT, "/closed/a", 403),
        (Method::PUT, "/fresh", 403),
    ] {
        let answer = world
            .request(&worker, "s3", method.clone(), path)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert_eq!(status, expected, "{method} {path}: {text}");
        if status == 403 {
            assert_eq!(element(&text, "Code"), "AccessDenied");
            assert!(text.contains("is not authorized to perform: s3:"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_service_acts_under_a_role_as_far_as_its_policies_go() {
    let world = World::start().await;
    session(
        &world,
        json!([{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:*:*:function:f"}]),
    );
    let act = |resource| Act {
        action: "lambda:InvokeFunction",
        resource,
        keys: &[],
    };
    let aws = &world.aws;
    assert_eq!(
        aws.authorize_role(
            ROLE,
            &act("arn:aws:lambda:us-east-1:111111111111:function:f")
        ),
        Ok(())
    );
    let refused = aws
        .authorize_role(
            ROLE,
            &act("arn:aws:lambda:us-east-1:111111111111:function:g"),
        )
        .unwrap_err();
    assert!(refused.to_string().starts_with(&format!(
        "User: {ROLE} is not authorized to perform: lambda:InvokeFunction"
    )));
    assert!(
        aws.authorize_role("arn:aws:iam::111111111111:role/none", &act("*"))
            .is_err()
    );
}

#[tokio::test]
async fn the_caller_of_sts_needs_each_action_that_the_request_implies() {
    let world = World::start().await;
    let function = world.function();
    session(&world, json!([]));
    let with_id = |condition: Value| {
        json!([{
            "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": ROLE, "Condition": condition,
        }])
    };
    for (statements, tagged, expected) in [
        (
            with_id(json!({"Null": {"sts:ExternalId": "false"}})),
            true,
            200,
        ),
        (
            with_id(json!({"StringEquals": {"sts:ExternalId": "other"}})),
            true,
            403,
        ),
        (
            json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}]),
            true,
            403,
        ),
        (
            json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}]),
            false,
            200,
        ),
        (
            json!([{"Effect": "Allow", "Action": "sts:*", "Resource": format!("{ROLE}x")}]),
            false,
            403,
        ),
    ] {
        let mut role = world.aws.role(super::support::FUNCTION_ROLE).unwrap();
        role.identity_policies = vec![json!({"Version": "2012-10-17", "Statement": statements})];
        world.aws.put_role(role.clone());
        let mut parameters = vec![
            ("Action", "AssumeRole"),
            ("Version", "2011-06-15"),
            ("RoleArn", ROLE),
            ("RoleSessionName", "x1"),
            ("ExternalId", "the-id"),
        ];
        if tagged {
            parameters.extend([("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")]);
        }
        let (status, xml) = world.form(&function, &parameters).await;
        assert_eq!(status, expected, "{:?}: {xml}", role.identity_policies);
        role.identity_policies = vec![everything()];
        world.aws.put_role(role);
    }
}

/// A warehouse that lets everybody in whom IAM lets through.
struct Warehouse;

impl AwsService for Warehouse {
    fn signing_names(&self) -> &'static [&'static str] {
        &["redshift-data"]
    }

    fn handle(&self, _: AwsCall) -> BoxFuture<'_, AwsReply> {
        let body = json!({"Id": "1"});
        Box::pin(async move { AwsReply::json(StatusCode::OK, "application/x-amz-json-1.1", &body) })
    }
}

/// A statement under a secret needs the right to that very secret, named by its name or its ARN, and
/// needs no credentials of the workgroup.
#[tokio::test]
async fn a_statement_under_a_secret_reads_it_with_the_callers_rights() {
    let world = World::start().await;
    world.aws.register(Arc::new(Warehouse));
    for tenant in ["t1", "t2"] {
        let name = format!("tributary/tenants/{tenant}/warehouse");
        world
            .aws
            .put_secret(VENDOR, &name, "{}".to_owned())
            .await
            .unwrap();
    }
    let secret = "arn:aws:secretsmanager:us-east-1:111111111111:secret:tributary/tenants";
    let worker = session(
        &world,
        json!([
            {"Effect": "Allow", "Action": "redshift-data:ExecuteStatement", "Resource": "*"},
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue",
             "Resource": format!("{secret}/t1/warehouse-*")},
        ]),
    );
    let ask = |secret: &str| json!({"WorkgroupName": "wg", "Database": "dev", "Sql": "SELECT 1", "SecretArn": secret});
    let run =
        async |ask: Value| outcome(&world, &worker, "redshift-data", "ExecuteStatement", ask).await;
    let allowed = (200, String::new());
    assert_eq!(run(ask("tributary/tenants/t1/warehouse")).await, allowed);
    for id in [
        "tributary/tenants/t2/warehouse",
        "tributary/tenants/t3/warehouse",
    ] {
        assert_eq!(run(ask(id)).await, refused(), "{id}");
    }
    assert_eq!(
        run(ask(&format!("{secret}/t1/warehouse-abcdef"))).await,
        allowed
    );
    assert_eq!(
        run(ask(&format!("{secret}/t2/warehouse-abcdef"))).await,
        refused()
    );
    // Without a secret the caller would need GetCredentials, which nobody has.
    let mut plain = ask("");
    plain.as_object_mut().unwrap().remove("SecretArn");
    assert_eq!(run(plain).await, refused());
}

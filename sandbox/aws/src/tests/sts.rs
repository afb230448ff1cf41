//! `AssumeRole` and `GetCallerIdentity` (O3: a role is proven with, without and with a wrong
//! external id).

use serde_json::{Value, json};

use super::support::{CUSTOMER, FUNCTION_ROLE, World, element, everything};
use crate::{Credentials, Role};

const CUSTOMER_ROLE: &str = "arn:aws:iam::222222222222:role/TributaryAccess";
const MISSING_ROLE: &str = "arn:aws:iam::222222222222:role/TributaryAbsent";

fn customer_role(world: &World, statements: &Value) {
    world.aws.put_role(Role {
        arn: CUSTOMER_ROLE.into(),
        trust_policy: json!({"Version": "2012-10-17", "Statement": statements}),
        identity_policies: vec![everything()],
        max_session_seconds: 7200,
    });
}

fn trusting(world: &World) {
    customer_role(
        world,
        &json!([{
            "Effect": "Allow", "Principal": {"AWS": FUNCTION_ROLE}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "the-right-id"}},
        }]),
    );
}

async fn assume(world: &World, credentials: &Credentials, more: &[(&str, &str)]) -> (u16, String) {
    let mut parameters = vec![
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", CUSTOMER_ROLE),
        ("RoleSessionName", "ten_1-sync"),
    ];
    for (name, value) in more {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name, value));
    }
    world.form(credentials, &parameters).await
}

fn credentials(xml: &str) -> Credentials {
    Credentials {
        access_key_id: element(xml, "AccessKeyId").into(),
        secret_access_key: element(xml, "SecretAccessKey").into(),
        session_token: Some(element(xml, "SessionToken").into()),
        account: CUSTOMER.into(),
    }
}

#[tokio::test]
async fn the_right_external_id_opens_the_customers_account() {
    let world = World::start().await;
    trusting(&world);
    let function = world.function();
    let (status, xml) = assume(&world, &function, &[("ExternalId", "the-right-id")]).await;
    assert_eq!(status, 200, "{xml}");
    assert_eq!(
        element(&xml, "Arn"),
        "arn:aws:sts::222222222222:assumed-role/TributaryAccess/ten_1-sync"
    );
    assert!(element(&xml, "AssumedRoleId").starts_with("AROA"));
    let (_, identity) = world
        .form(
            &credentials(&xml),
            &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")],
        )
        .await;
    assert_eq!(element(&identity, "Account"), CUSTOMER);
    assert_eq!(element(&identity, "Arn"), element(&xml, "Arn"));
    assert_eq!(element(&identity, "UserId"), element(&xml, "AssumedRoleId"));
}

#[tokio::test]
async fn no_or_a_wrong_external_id_and_a_missing_role_are_refused_alike() {
    let world = World::start().await;
    trusting(&world);
    let function = world.function();
    let mut texts = Vec::new();
    for more in [
        vec![],
        vec![("ExternalId", "the-wrong-id")],
        vec![("ExternalId", "the-right-id"), ("RoleArn", MISSING_ROLE)],
    ] {
        let (status, xml) = assume(&world, &function, &more).await;
        assert_eq!(
            (status, element(&xml, "Code")),
            (403, "AccessDenied"),
            "{more:?}"
        );
        texts.push(element(&xml, "Message").replace(MISSING_ROLE, CUSTOMER_ROLE));
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    let other = world.aws.admin_credentials("333333333333");
    assert_eq!(
        assume(&world, &other, &[("ExternalId", "the-right-id")])
            .await
            .0,
        403
    );
}

#[tokio::test]
async fn tags_contexts_and_source_identity_each_need_their_own_action() {
    let world = World::start().await;
    trusting(&world);
    let function = world.function();
    let id = ("ExternalId", "the-right-id");
    for more in [
        vec![
            id,
            ("Tags.member.1.Key", "tenant"),
            ("Tags.member.1.Value", "ten_1"),
        ],
        vec![id, ("SourceIdentity", "ten_1")],
    ] {
        assert_eq!(assume(&world, &function, &more).await.0, 403, "{more:?}");
    }
    customer_role(
        &world,
        &json!([
            {
                "Effect": "Allow", "Principal": {"AWS": FUNCTION_ROLE},
                "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
            },
            {
                "Effect": "Allow", "Principal": {"AWS": FUNCTION_ROLE}, "Action": "sts:TagSession",
                "Condition": {
                    "StringEquals": {"aws:RequestTag/tenant": "ten_1"},
                    "ForAllValues:StringEquals": {"aws:TagKeys": ["tenant"]},
                },
            },
        ]),
    );
    let tag = |value| {
        vec![
            ("Tags.member.1.Key", "tenant"),
            ("Tags.member.1.Value", value),
            ("TransitiveTagKeys.member.1", "tenant"),
            ("SourceIdentity", "ten_1"),
        ]
    };
    assert_eq!(assume(&world, &function, &tag("ten_2")).await.0, 403);
    let (status, xml) = assume(&world, &function, &tag("ten_1")).await;
    assert_eq!((status, element(&xml, "SourceIdentity")), (200, "ten_1"));
    let key = element(&xml, "AccessKeyId");
    let session = world.aws.credentials.session(key).unwrap();
    assert_eq!(session.principal.tags["tenant"], "ten_1");
}

#[tokio::test]
async fn parameters_are_checked_before_anything_else() {
    let world = World::start().await;
    trusting(&world);
    let function = world.function();
    let long = "x".repeat(2049);
    let wide = format!(
        "{{\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"{}\"}}]}}",
        "a".repeat(1970)
    );
    for (more, code) in [
        (vec![("Martian", "x")], "ValidationError"),
        (vec![("RoleSessionName", "a")], "ValidationError"),
        (vec![("RoleSessionName", "has space")], "ValidationError"),
        (vec![("ExternalId", "a")], "ValidationError"),
        (vec![("ExternalId", "no$dollar")], "ValidationError"),
        (vec![("DurationSeconds", "899")], "ValidationError"),
        (vec![("DurationSeconds", "43201")], "ValidationError"),
        (vec![("SourceIdentity", "aws:x")], "ValidationError"),
        (vec![("RoleArn", "short")], "ValidationError"),
        (vec![("Policy", long.as_str())], "ValidationError"),
        (vec![("Policy", "{not json")], "MalformedPolicyDocument"),
        (
            vec![("Policy", "{\"Statement\":[{\"Effect\":\"Allow\"}]}")],
            "MalformedPolicyDocument",
        ),
        (
            vec![
                ("Policy", wide.as_str()),
                (
                    "PolicyArns.member.1.arn",
                    "arn:aws:iam::aws:policy/ReadOnlyAccess",
                ),
            ],
            "PackedPolicyTooLarge",
        ),
        (vec![("Tags.member.1.Key", "only")], "ValidationError"),
        (
            vec![
                ("TransitiveTagKeys.member.1", "absent"),
                ("ExternalId", "the-right-id"),
            ],
            "ValidationError",
        ),
    ] {
        let (status, xml) = assume(&world, &function, &more).await;
        assert_eq!((status, element(&xml, "Code")), (400, code), "{more:?}");
    }
}

#[tokio::test]
async fn a_chained_session_lasts_an_hour_at_most_and_a_users_as_long_as_the_role_allows() {
    let world = World::start().await;
    customer_role(
        &world,
        &json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}),
    );
    let function = world.function();
    let user = world.aws.admin_credentials(CUSTOMER);
    let (status, xml) = assume(&world, &function, &[("DurationSeconds", "3601")]).await;
    assert_eq!(status, 400);
    assert!(element(&xml, "Message").contains("role chaining"), "{xml}");
    assert_eq!(
        assume(&world, &function, &[("DurationSeconds", "3600")])
            .await
            .0,
        200
    );
    assert_eq!(
        assume(&world, &user, &[("DurationSeconds", "7200")])
            .await
            .0,
        200
    );
    let (status, xml) = assume(&world, &user, &[("DurationSeconds", "7201")]).await;
    assert_eq!((status, element(&xml, "Code")), (400, "ValidationError"));
}

#[tokio::test]
async fn a_session_policy_is_kept_with_the_session_and_a_deleted_role_ends_it() {
    let world = World::start().await;
    trusting(&world);
    let function = world.function();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"appflow:*","Resource":"*"}]}"#;
    let (_, xml) = assume(
        &world,
        &function,
        &[("ExternalId", "the-right-id"), ("Policy", policy)],
    )
    .await;
    assert!(element(&xml, "PackedPolicySize").parse::<u32>().unwrap() > 0);
    let session = credentials(&xml);
    assert_eq!(
        world.aws.session_policy(&session.access_key_id).as_deref(),
        Some(policy)
    );
    assert!(world.aws.delete_role(CUSTOMER_ROLE));
    assert_eq!(
        world.json(&session, "sqs", "ListQueues", json!({})).await.0,
        403
    );
    assert_eq!(
        assume(&world, &function, &[("ExternalId", "the-right-id")])
            .await
            .0,
        403
    );
}

#[tokio::test]
async fn lambda_assumes_only_roles_that_trust_it() {
    let world = World::start().await;
    trusting(&world);
    assert!(world.aws.assume_for_function(CUSTOMER_ROLE, "f").is_err());
    assert!(world.aws.assume_for_function(MISSING_ROLE, "f").is_err());
    assert!(world.function().access_key_id.starts_with("ASIA"));
}

#[tokio::test]
async fn an_unknown_action_or_version_is_refused() {
    let world = World::start().await;
    // Of a role's session, IAM would say before STS that it may not.
    let admin = world.aws.admin_credentials(CUSTOMER);
    for parameters in [
        [
            ("Action", "DecodeAuthorizationMessage"),
            ("Version", "2011-06-15"),
        ],
        [("Action", "GetCallerIdentity"), ("Version", "2010-01-01")],
    ] {
        let (status, xml) = world.form(&admin, &parameters).await;
        assert_eq!((status, element(&xml, "Code")), (400, "InvalidAction"));
    }
}

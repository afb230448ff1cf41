//! The evaluator against a table, and against conditions that nobody knows.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const ROLE: &str = "arn:aws:iam::111111111111:role/flows";

fn caller() -> Caller {
    Caller {
        account: "111111111111".into(),
        arn: "arn:aws:sts::111111111111:assumed-role/flows/s1".into(),
        role_arn: Some(ROLE.into()),
        service: None,
    }
}

fn context() -> Context {
    let mut context = Context::with_known_keys(&[
        "sts:ExternalId",
        "aws:PrincipalArn",
        "aws:TagKeys",
        "aws:RequestTag/",
        "sts:SourceIdentity",
        "aws:PrincipalAccount",
        "aws:SecureTransport",
    ]);
    context.set("aws:PrincipalAccount", ["111111111111".to_owned()]);
    context.set("aws:SecureTransport", ["true".to_owned()]);
    context.set("sts:ExternalId", ["right".to_owned()]);
    context.set("aws:PrincipalArn", [ROLE.to_owned()]);
    context.set("aws:TagKeys", ["tenant".to_owned(), "env".to_owned()]);
    context.set("aws:RequestTag/tenant", ["ten_1".to_owned()]);
    context
}

fn allowed(policy: &Value) -> bool {
    allows(
        policy,
        &Request {
            caller: Some(&caller()),
            action: "sts:AssumeRole",
            resource: None,
            context: &context(),
        },
    )
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]
fn trust(principal: Value, condition: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition,
    }]})
}

#[test]
fn a_principal_is_matched_by_account_role_session_or_star_and_by_nothing_else() {
    for (principal, expected) in [
        (json!("*"), true),
        (json!({"AWS": "*"}), true),
        (json!({"AWS": "111111111111"}), true),
        (json!({"AWS": "arn:aws:iam::111111111111:root"}), true),
        (json!({"AWS": ROLE}), true),
        (json!({"AWS": ["arn:aws:iam::1:root", ROLE]}), true),
        (
            json!({"AWS": "arn:aws:sts::111111111111:assumed-role/flows/s1"}),
            true,
        ),
        (
            json!({"AWS": "arn:aws:sts::111111111111:assumed-role/flows/s2"}),
            false,
        ),
        (json!({"AWS": "arn:aws:iam::111111111111:role/*"}), false),
        (
            json!({"AWS": "arn:aws:iam::111111111111:role/other"}),
            false,
        ),
        (json!({"AWS": "222222222222"}), false),
        (json!({"AWS": "arn:aws:iam::222222222222:root"}), false),
        (json!({"Service": "lambda.amazonaws.com"}), false),
        (json!({"Federated": "*"}), false),
        (json!({"Martian": "*"}), false),
        (json!(null), false),
    ] {
        assert_eq!(
            allowed(&trust(principal.clone(), json!({}))),
            expected,
            "{principal}"
        );
    }
}

#[test]
fn conditions_hold_as_iam_documents_them() {
    for (condition, expected) in [
        (json!({"StringEquals": {"sts:ExternalId": "right"}}), true),
        (
            json!({"StringEquals": {"STS:externalid": ["x", "right"]}}),
            true,
        ),
        (json!({"StringEquals": {"sts:ExternalId": "Right"}}), false),
        (
            json!({"StringEqualsIgnoreCase": {"sts:ExternalId": "RIGHT"}}),
            true,
        ),
        (
            json!({"StringNotEquals": {"sts:ExternalId": "right"}}),
            false,
        ),
        (
            json!({"StringNotEquals": {"sts:ExternalId": "wrong"}}),
            true,
        ),
        (
            json!({"StringNotEquals": {"sts:SourceIdentity": "any"}}),
            true,
        ),
        (
            json!({"StringEquals": {"sts:SourceIdentity": "any"}}),
            false,
        ),
        (json!({"StringLike": {"sts:ExternalId": "ri*"}}), true),
        (json!({"StringLike": {"sts:ExternalId": "x*"}}), false),
        (
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/fl*"}}),
            true,
        ),
        (
            json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/flows"}}),
            false,
        ),
        (json!({"Null": {"sts:ExternalId": "false"}}), true),
        (json!({"Null": {"sts:ExternalId": true}}), false),
        (json!({"Null": {"sts:SourceIdentity": "true"}}), true),
        (
            json!({"StringEquals": {"aws:RequestTag/tenant": "ten_1"}}),
            true,
        ),
        (
            json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["tenant", "env", "x"]}}),
            true,
        ),
        (
            json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["tenant"]}}),
            false,
        ),
        (
            json!({"ForAllValues:StringEquals": {"sts:SourceIdentity": "x"}}),
            true,
        ),
        (
            json!({"ForAnyValue:StringEquals": {"aws:TagKeys": "env"}}),
            true,
        ),
        (
            json!({"ForAnyValue:StringEquals": {"sts:SourceIdentity": "x"}}),
            false,
        ),
        (json!({"StringEquals": {"aws:TagKeys": "tenant"}}), false),
        (
            json!({"StringEquals": {"aws:MultiFactorAuthAge": "1"}}),
            false,
        ),
        (
            json!({"StringEquals": {"sts:ExternalId": "${aws:userid}"}}),
            false,
        ),
        (json!("not an object"), false),
    ] {
        assert_eq!(
            allowed(&trust(json!("*"), condition.clone())),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn opposites_quantifiers_and_if_exists_hold_as_iam_documents_them() {
    // `sts:ExternalId` is "right", `aws:TagKeys` are "tenant" and "env", `sts:SourceIdentity` is absent.
    for (operator, key, wanted, expected) in [
        (
            "StringNotEqualsIgnoreCase",
            "sts:ExternalId",
            "RIGHT",
            false,
        ),
        ("StringNotEqualsIgnoreCase", "sts:ExternalId", "left", true),
        ("StringNotLike", "sts:ExternalId", "ri*", false),
        ("StringNotLike", "sts:ExternalId", "le*", true),
        ("StringNotLike", "sts:SourceIdentity", "*", true),
        ("StringEquals", "sts:ExternalId", "ri*", false),
        (
            "ArnNotLike",
            "aws:PrincipalArn",
            "arn:aws:iam::*:role/f*",
            false,
        ),
        (
            "ArnNotEquals",
            "aws:PrincipalArn",
            "arn:aws:iam::*:role/x",
            true,
        ),
        ("Bool", "aws:SecureTransport", "TRUE", true),
        ("Bool", "aws:SecureTransport", "false", false),
        ("StringEqualsIfExists", "sts:ExternalId", "right", true),
        ("StringEqualsIfExists", "sts:ExternalId", "wrong", false),
        ("StringEqualsIfExists", "sts:SourceIdentity", "x", true),
        ("StringNotEqualsIfExists", "sts:SourceIdentity", "x", true),
        (
            "ArnLikeIfExists",
            "aws:PrincipalArn",
            "arn:aws:iam::*:role/x",
            false,
        ),
        ("BoolIfExists", "sts:SourceIdentity", "true", true),
        ("ForAllValues:StringLike", "aws:TagKeys", "*en*", true),
        ("ForAllValues:StringLike", "aws:TagKeys", "t*", false),
        ("ForAllValues:StringLike", "sts:SourceIdentity", "x", true),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", "env", false),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", "other", true),
        (
            "ForAllValues:StringEqualsIfExists",
            "sts:SourceIdentity",
            "x",
            true,
        ),
        ("ForAnyValue:StringLike", "aws:TagKeys", "t*", true),
        ("ForAnyValue:StringLike", "aws:TagKeys", "x*", false),
        ("ForAnyValue:StringLike", "sts:SourceIdentity", "*", false),
        ("ForAnyValue:StringNotEquals", "aws:TagKeys", "env", true),
        (
            "ForAnyValue:StringEqualsIfExists",
            "sts:SourceIdentity",
            "x",
            true,
        ),
        // What IAM does not have.
        ("NullIfExists", "sts:SourceIdentity", "true", false),
        ("ForAllValues:Null", "sts:SourceIdentity", "true", false),
        ("NumericEquals", "sts:ExternalId", "right", false),
    ] {
        let condition = json!({operator: {key: wanted}});
        assert_eq!(
            allowed(&trust(json!("*"), condition.clone())),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn variables_are_filled_in_where_the_version_has_them() {
    let policy = |version: &str, wanted: &str| {
        json!({"Version": version, "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole",
            "Condition": {"StringLike": {"aws:PrincipalArn": wanted}},
        }]})
    };
    let own = "arn:aws:iam::${aws:PrincipalAccount}:role/*";
    assert!(allowed(&policy("2012-10-17", own)));
    assert!(!allowed(&policy("2008-10-17", own)));
    assert!(!allowed(&policy(
        "2012-10-17",
        "arn:aws:iam::${sts:SourceIdentity}:role/*"
    )));
    // A deny that an absent variable leaves open denies; one that fits nothing does not.
    for (operator, expected) in [("StringNotLike", false), ("StringLike", true)] {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": "*",
             "Condition": {operator: {"aws:PrincipalArn": "${sts:SourceIdentity}"}}},
        ]});
        assert_eq!(allowed(&policy), expected, "{operator}");
    }
}

#[test]
fn the_first_statement_that_allows_is_named() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
        {"Effect": "Allow", "Action": ["dynamodb:Put*", "dynamodb:Get*"],
         "Resource": ["arn:aws:dynamodb:*:*:table/${aws:PrincipalArn}", "arn:aws:dynamodb:*:*:table/t"]},
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
    ]});
    let context = context();
    let ask = |action| {
        evaluate(
            &policy,
            &Request {
                caller: None,
                action,
                resource: Some("arn:aws:dynamodb:us-east-1:111111111111:table/t"),
                context: &context,
            },
        )
    };
    let permission = |statement, action: &str, resource: &str| {
        Verdict::Allowed(Permission {
            statement,
            action: action.to_owned(),
            resource: resource.to_owned(),
        })
    };
    assert_eq!(
        ask("dynamodb:GetItem"),
        permission(1, "dynamodb:Get*", "arn:aws:dynamodb:*:*:table/t")
    );
    assert_eq!(ask("dynamodb:Scan"), permission(2, "*", "*"));
    // An identity policy names no principal.
    let named =
        json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}});
    assert_eq!(
        evaluate(
            &named,
            &Request {
                caller: None,
                action: "sts:AssumeRole",
                resource: Some("*"),
                context: &context,
            }
        ),
        Verdict::Silent
    );
}

#[test]
fn a_deny_wins_also_when_it_is_not_understood() {
    for (condition, expected) in [
        (
            json!({"StringNotEquals": {"sts:ExternalId": "right"}}),
            true,
        ),
        (json!({"StringEquals": {"sts:ExternalId": "right"}}), false),
        (
            json!({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01"}}),
            false,
        ),
        (
            json!({"StringEquals": {"aws:VpcSourceIp": "10.0.0.1"}}),
            false,
        ),
    ] {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sts:*"},
            {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": condition.clone()},
        ]});
        assert_eq!(allowed(&policy), expected, "{condition}");
    }
}

#[test]
fn malformed_and_foreign_statements_allow_nothing() {
    for policy in [
        json!({}),
        json!({"Statement": "x"}),
        json!({"Statement": [{"Effect": "Allow", "Principal": "*", "NotAction": "x"}]}),
        json!({"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "*"}]}),
        json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}),
        json!({"Statement": [{"Effect": "allow", "Principal": "*", "Action": "*"}]}),
        json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:TagSession"}]}),
    ] {
        assert!(!allowed(&policy), "{policy}");
    }
}

proptest! {
    #[test]
    fn an_unknown_operator_never_allows(operator in "[A-Za-z:]{1,24}", value in ".{0,12}") {
        prop_assume!(![
            "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
            "StringLike", "StringNotLike", "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike",
            "Bool", "Null",
        ].contains(&operator
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .trim_end_matches("IfExists")));
        let condition = json!({operator: {"sts:ExternalId": value}});
        prop_assert!(!allowed(&trust(json!("*"), condition)));
    }

    #[test]
    fn an_unknown_key_never_allows(
        key in "[a-z]{2,6}:[A-Za-z/]{1,20}",
        value in ".{0,12}",
        operator in prop::sample::select(vec![
            "StringEquals", "StringNotEquals", "StringLike", "ArnLike", "Bool", "Null",
            "ForAllValues:StringEquals", "ForAnyValue:StringLike",
        ]),
    ) {
        prop_assume!(!context().knows(&key));
        let condition = json!({operator: {key: value}});
        prop_assert!(!allowed(&trust(json!("*"), condition)));
    }

    #[test]
    fn no_condition_value_but_the_right_one_opens_the_external_id(value in "[a-z${}]{0,8}") {
        let condition = json!({"StringEquals": {"sts:ExternalId": value.clone()}});
        prop_assert_eq!(allowed(&trust(json!("*"), condition)), value == "right");
    }
}

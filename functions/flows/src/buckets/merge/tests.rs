use proptest::prelude::*;

use super::*;
use crate::buckets::policy::{
    tests::{ACCOUNT, BUCKET, need},
    verdict,
};

fn needs(accesses: &[Access]) -> Vec<(Access, BucketNeed)> {
    accesses
        .iter()
        .map(|access| (*access, need(*access)))
        .collect()
}

fn merged(current: Option<&Value>, accesses: &[Access]) -> Merged {
    merge(current, &needs(accesses)).unwrap()
}

fn all_statements(policy: &Value) -> Vec<Value> {
    statements(policy).into_iter().cloned().collect()
}

#[test]
fn an_empty_bucket_gets_a_policy_of_its_own() {
    let found = merged(None, &Access::ALL);
    assert!(found.is_changed);
    assert_eq!(found.policy["Version"], "2012-10-17");
    let sids: Vec<Value> = all_statements(&found.policy)
        .iter()
        .map(|one| one["Sid"].clone())
        .collect();
    assert_eq!(sids, ["TributaryAppFlowRead", "TributaryAppFlowWrite"]);
    for access in Access::ALL {
        assert!(verdict(Some(&found.policy), &need(access)).is_enough());
    }
}

#[test]
fn what_is_there_stays_to_the_last_member() {
    let before = json!({
        "Version": "2008-10-17", "Id": "Old", "Odd": [1, 2.5, null],
        "Statement": { "Sid": "Team", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:root" },
            "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*"), "Unknown": { "x": true } },
    });
    let after = merged(Some(&before), &[Access::Write]).policy;
    for member in ["Version", "Id", "Odd"] {
        assert_eq!(after[member], before[member]);
    }
    assert_eq!(after["Statement"][0], before["Statement"]);
    assert_eq!(after["Statement"].as_array().unwrap().len(), 2);
}

#[test]
fn what_others_allow_already_is_not_added_again() {
    let mut theirs = need(Access::Write).statement("AllowAppFlowDestinationActions");
    theirs["Condition"]["ArnLike"]["aws:SourceArn"] =
        json!(format!("arn:aws:appflow:us-east-1:{ACCOUNT}:*"));
    let before = json!({ "Statement": [theirs] });
    assert_eq!(
        merged(Some(&before), &[Access::Write]),
        Merged {
            policy: before.clone(),
            is_changed: false
        }
    );
    assert!(merged(Some(&before), &[Access::Read]).is_changed);
}

#[test]
fn our_own_statement_is_brought_up_to_date() {
    let mut old = need(Access::Write).statement(sid(Access::Write));
    old["Action"] = json!("s3:PutObject");
    let team = json!({ "Sid": "Team", "Effect": "Allow", "Principal": "*", "Action": "s3:List*", "Resource": "*", "Condition": { "StringEquals": { "aws:PrincipalOrgID": "o-1" } } });
    let before = json!({ "Statement": [old, team] });
    let after = merged(Some(&before), &[Access::Write]).policy;
    assert_eq!(
        after["Statement"],
        json!([team, need(Access::Write).statement(sid(Access::Write))])
    );
}

#[test]
fn a_deny_that_hits_appflow_a_full_policy_and_an_odd_one_are_refused() {
    let deny = json!({ "Sid": "OnlyUs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": { "StringNotEquals": { "aws:PrincipalOrgID": "o-1" } } });
    let refused = merge(Some(&json!({ "Statement": [deny] })), &needs(&Access::ALL)).unwrap_err();
    assert_eq!(refused, Refusal::Denied(vec!["OnlyUs".to_owned()]));
    assert!(refused.to_string().contains("OnlyUs"));
    let long = json!({ "Statement": [{ "Sid": "L".repeat(20_400), "Effect": "Allow", "Principal": { "AWS": "x" }, "Action": "s3:*", "Resource": "*" }] });
    assert!(matches!(
        merge(Some(&long), &needs(&[Access::Read])),
        Err(Refusal::TooLarge(_))
    ));
    for odd in [
        json!([]),
        json!("x"),
        json!({ "Statement": ["x"] }),
        json!({ "Statement": 1 }),
    ] {
        assert_eq!(
            merge(Some(&odd), &needs(&[Access::Read])),
            Err(Refusal::Unreadable),
            "{odd}"
        );
    }
}

/// Statements as people write them, some of them ours, current or old.
fn a_statement() -> impl Strategy<Value = Value> {
    let resource = prop_oneof![
        Just(json!("*")),
        Just(json!([
            format!("arn:aws:s3:::{BUCKET}"),
            format!("arn:aws:s3:::{BUCKET}/*")
        ])),
        Just(json!(format!("arn:aws:s3:::{BUCKET}/logs/*")))
    ];
    let principal = prop_oneof![
        Just(json!("*")),
        Just(json!({ "Service": "appflow.amazonaws.com" })),
        Just(json!({ "AWS": "arn:aws:iam::123456789012:root" }))
    ];
    let action = prop_oneof![
        Just(json!("s3:*")),
        Just(json!("s3:GetObject")),
        Just(json!(["s3:PutObject", "s3:GetBucketAcl"])),
        Just(json!("s3:DeleteObject"))
    ];
    let condition = prop_oneof![
        Just(Value::Null),
        Just(json!({ "Bool": { "aws:SecureTransport": "false" } })),
        Just(json!({ "StringEquals": { "aws:SourceAccount": ACCOUNT } }))
    ];
    let other = ("[A-Z][a-z]{0,6}", prop::bool::weighted(0.15), principal, action, resource, condition).prop_map(|(sid, deny, principal, action, resource, condition)| {
        let mut one = json!({ "Sid": sid, "Effect": if deny { "Deny" } else { "Allow" }, "Principal": principal, "Action": action, "Resource": resource });
        if !condition.is_null() {
            one["Condition"] = condition;
        }
        one
    });
    prop_oneof![5 => other]
}

fn a_policy() -> impl Strategy<Value = Option<Value>> {
    let own = prop::option::of((prop::bool::ANY, prop::bool::ANY).prop_map(|(read, old)| {
        let access = if read { Access::Read } else { Access::Write };
        let mut own = need(access).statement(sid(access));
        if old {
            own["Resource"] = json!("arn:aws:s3:::old");
        }
        own
    }));
    let whole = (prop::collection::vec(a_statement(), 0..4), own, 0..4_usize).prop_map(
        |(mut others, own, at)| {
            if let Some(own) = own {
                others.insert(at.min(others.len()), own);
            }
            json!({ "Version": "2012-10-17", "Id": "kept", "Statement": others })
        },
    );
    prop::option::weighted(0.9, whole)
}

proptest! {
    #[test]
    fn merging_twice_is_merging_once(policy in a_policy(), which in 0..3_usize) {
        let accesses: &[Access] = [&[Access::Read][..], &[Access::Write], &Access::ALL][which];
        if let Ok(once) = merge(policy.as_ref(), &needs(accesses)) {
            let twice = merge(Some(&once.policy), &needs(accesses)).unwrap();
            prop_assert_eq!(&twice.policy, &once.policy);
            prop_assert!(!twice.is_changed);
        }
    }

    #[test]
    fn the_order_of_accesses_does_not_matter(policy in a_policy()) {
        let both = |first: Access, second: Access| {
            let once = merge(policy.as_ref(), &needs(&[first]))?;
            merge(Some(&once.policy), &needs(&[second])).map(|merged| merged.policy)
        };
        let (one, other) = (both(Access::Read, Access::Write), both(Access::Write, Access::Read));
        prop_assert_eq!(one.is_ok(), other.is_ok());
        if let (Ok(one), Ok(other)) = (one, other) {
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(one, merged(policy.as_ref(), &Access::ALL).policy);
        }
    }

    #[test]
    fn every_statement_of_others_stays_in_its_order_and_appflow_gets_in(policy in a_policy()) {
        let foreign = |policy: &Value| -> Vec<Value> { all_statements(policy).into_iter().filter(|one| !is_ours(one)).collect() };
        if let Ok(after) = merge(policy.as_ref(), &needs(&Access::ALL)) {
            let before = policy.as_ref().map(foreign).unwrap_or_default();
            prop_assert_eq!(foreign(&after.policy), before);
            for access in Access::ALL {
                prop_assert!(verdict(Some(&after.policy), &need(access)).is_enough());
            }
            if let Some(policy) = &policy {
                prop_assert_eq!(&after.policy["Id"], &policy["Id"]);
                prop_assert_eq!(after.is_changed, after.policy != *policy);
            }
        }
    }
}

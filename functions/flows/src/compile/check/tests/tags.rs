//! flow-model section 12: key and tags.

use super::*;

fn tagged(tags: Value) -> Vec<String> {
    let members = serde_json::Map::from_iter([("tags".to_owned(), tags)]);
    faults_with(members.into())
}

/// flow-model 12, row tags; two of the fifty are ours
#[test]
fn f8_tags_keep_their_limits() {
    let many = |count: usize| -> Value {
        (0..count)
            .map(|n| (format!("k{n}"), json!("v")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    assert_eq!(tagged(many(48)), NONE);
    assert_eq!(tagged(many(49)), ["/tags too_many"]);
    let x = |count: usize| "x".repeat(count);
    assert_eq!(tagged(json!({ (x(128)): x(256) })), NONE);
    assert_eq!(
        tagged(json!({ (x(129)): "" })),
        [format!("/tags/{} invalid_tag_key", x(129))]
    );
    assert_eq!(
        tagged(json!({ "k": x(257) })),
        ["/tags/k invalid_tag_value"]
    );
}

/// appflow 1.4, row Tags
#[test]
fn f8_tags_have_the_characters_of_appflows_patterns() {
    assert_eq!(tagged(json!({ "A-z+0,9./:;<=_": "a Z_0+,-./:;<=@" })), NONE);
    for (key, pointer) in [
        ("two words", "two words"),
        ("", ""),
        ("a@b", "a@b"),
        ("a/b~é", "a~1b~0é"),
    ] {
        assert_eq!(
            tagged(json!({ (key): "" })),
            [format!("/tags/{pointer} invalid_tag_key")]
        );
    }
    assert_eq!(
        tagged(json!({ "k": "(no)" })),
        ["/tags/k invalid_tag_value"]
    );
}

#[test]
fn f8_nobody_sets_reserved_tags() {
    for key in ["aws:x", "AWS:x", "tributary:tenant", "Tributary:flow"] {
        assert_eq!(
            tagged(json!({ (key): "v" })),
            [format!("/tags/{key} reserved_tag")]
        );
    }
    assert_eq!(tagged(json!({ "aws": "v", "tributary-x": "v" })), NONE);
}

/// flow-model 12, row ARNs; appflow 1.4, row KMSArn
#[test]
fn f8_the_key_is_a_key_or_alias_of_kms() {
    let key = |arn: &str| faults_with(json!({ "kmsKeyArn": arn }));
    for sound in [
        "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "arn:aws:kms:eu-central-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        "arn:aws:kms:us-east-1:123456789012:alias/data/flows",
    ] {
        assert_eq!(key(sound), NONE, "{sound}");
    }
    let long = format!(
        "arn:aws:kms:us-east-1:123456789012:alias/{}",
        "x".repeat(2048)
    );
    for wrong in [
        "",
        "11111111-2222-3333-4444-555555555555",
        "arn:aws-cn:kms:cn-north-1:123456789012:key/x",
        "arn:aws:s3:us-east-1:123456789012:key/x",
        "arn:aws:kms::123456789012:key/x",
        "arn:aws:kms:us-east-1:12345678901:key/x",
        "arn:aws:kms:us-east-1:123456789012:key/",
        "arn:aws:kms:us-east-1:123456789012:grant/x",
        &long,
    ] {
        assert_eq!(key(wrong), ["/kmsKeyArn invalid_key_arn"], "{wrong}");
    }
}

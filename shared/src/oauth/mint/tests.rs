use aws_lc_rs::{
    encoding::AsDer,
    rsa::KeySize,
    signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use serde_json::Value;

use super::*;
use crate::oauth::provider::provider;

fn pem() -> Secret {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = key.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    Secret::new(format!(
        "-----BEGIN {PEM_LABEL}-----\n{}\n-----END {PEM_LABEL}-----\n",
        lines.join("\n")
    ))
}

#[test]
fn c13_an_assertion_is_signed_short_lived_and_for_one_audience() {
    let pem = pem();
    let now = 1_767_225_600;
    let signed = sign(
        &pem,
        "3MVG",
        "svc@acme.example",
        "https://acme.my.salesforce.com",
        now,
    )
    .unwrap();
    let (message, signature) = signed.expose().rsplit_once('.').unwrap();
    let key = key_pair(&pem).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
        .verify(
            message.as_bytes(),
            &URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .unwrap();
    let (_, payload) = message.split_once('.').unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["iss"], "3MVG");
    assert_eq!(claims["sub"], "svc@acme.example");
    assert_eq!(claims["aud"], "https://acme.my.salesforce.com");
    let life = claims["exp"].as_i64().unwrap() - now;
    assert!((60..=180).contains(&life), "{life}");
    let again = sign(&pem, "3MVG", "svc@acme.example", "https://x", now).unwrap();
    assert!(!again.same_as(signed.expose()), "each has an id of its own");
}

#[test]
fn keys_that_are_none_are_refused() {
    let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----");
    let rsa = format!("RSA {PEM_LABEL}");
    for text in [String::new(), pem(PEM_LABEL), pem(&rsa), "3MVG".to_owned()] {
        assert!(key_pair(&Secret::new(text.as_str())).is_none(), "{text}");
    }
}

#[test]
fn each_kind_needs_its_members() {
    let text = Secret::new(
        r#"{"clientId":"c","clientSecret":"s","username":"u","password":"p","privateKey":"k"}"#,
    );
    for kind in [
        AuthKind::OauthClientCredentials,
        AuthKind::OauthJwtBearer,
        AuthKind::OauthPassword,
    ] {
        assert!(MintCredentials::are_of(kind));
        let read = MintCredentials::read(kind, &text).unwrap();
        assert_eq!(format!("{read:?}"), "MintCredentials");
        assert!(MintCredentials::read(kind, &Secret::new(r#"{"clientId":"c"}"#)).is_none());
    }
    for kind in [AuthKind::ApiKey, AuthKind::OauthAuthorizationCode] {
        assert!(!MintCredentials::are_of(kind));
        assert!(MintCredentials::read(kind, &text).is_none());
    }
}

/// C13: whatever the provider says against the customer's own client is about this connection.
#[test]
fn c13_refusals_of_a_customers_client_never_count_against_ours() {
    let salesforce = provider("salesforce").unwrap();
    for (error, description) in [
        ("invalid_client", "invalid client credentials"),
        ("invalid_client_id", ""),
        ("invalid_grant", "authentication failure"),
        ("invalid_grant", "user hasn't approved this consumer"),
    ] {
        let body = json!({"error": error, "error_description": description}).to_string();
        let refused = TokenOutcome::Refused(salesforce.classify(400, &body, None).unwrap());
        let TokenOutcome::Refused(failure) = theirs(refused) else {
            panic!("{error}")
        };
        assert_eq!(failure, WRONG, "{error} {description}");
    }
    let busy = TokenOutcome::Refused(TokenFailure::retryable("rate_limited"));
    assert!(matches!(
        theirs(busy),
        TokenOutcome::Refused(TokenFailure::Retryable { .. })
    ));
}

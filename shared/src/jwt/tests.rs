use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://idp.example/pool";
const AUDIENCE: &str = "client";
const NOW: i64 = 1_767_225_600;

fn key_pair() -> RsaKeyPair {
    RsaKeyPair::generate(KeySize::Rsa2048).unwrap()
}

fn document(key: &RsaKeyPair) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let public = key.public_key();
    json!({"keys": [
        {"kty": "EC", "kid": "other", "crv": "P-256", "x": "a", "y": "b"},
        {"kty": "RSA", "kid": "encryption", "use": "enc", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256",
         "n": encode(public.modulus().big_endian_without_leading_zero()),
         "e": encode(public.exponent().big_endian_without_leading_zero())},
    ]})
    .to_string()
}

fn sign(key: &RsaKeyPair, header: &str, payload: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": "one", "typ": "JWT"})
}

fn good() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "user", "exp": NOW + 3600, "iat": NOW, "token_use": "id",
        "nonce": "n", "email": "frank@sports.example", "email_verified": "true", "origin_jti": "login",
        "jti": "j", "tenant_id": "ten_x",
    })
}

/// What [`IdTokenVerifier::verify`] does, with keys and time given.
fn verify(document: &str, token: &str, nonce: Option<&str>) -> Result<IdClaims, JwtError> {
    let parts = Parts::split(token)?;
    let key_id = key_id(&parts.header)?;
    let published = keys::read(document).unwrap();
    parts.check_signature(published.keys.get(&key_id).ok_or(JwtError::UnknownKey)?)?;
    let expected = Expected {
        issuer: ISSUER,
        audience: AUDIENCE,
        nonce,
        now: NOW,
    };
    claims::check(&parts.payload, &expected)
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

#[test]
fn a_genuine_token_is_read() {
    let key = key_pair();
    let token = sign(&key, &header().to_string(), &good().to_string());
    let claims = verify(&document(&key), &token, Some("n")).unwrap();
    assert_eq!(claims.subject, "user");
    assert_eq!(claims.login_id.as_deref(), Some("login"));
    assert_eq!(claims.text("tenant_id"), Some("ten_x"));
    assert!(claims.email_verified);
    assert!(!format!("{claims:?}").contains("frank@"));
}

#[test]
fn signatures_of_another_key_of_another_text_and_none_at_all_are_refused() {
    let (key, other) = (key_pair(), key_pair());
    let keys = document(&key);
    let token = sign(&key, &header().to_string(), &good().to_string());
    let forged = sign(&other, &header().to_string(), &good().to_string());
    assert!(matches!(
        verify(&keys, &forged, None),
        Err(JwtError::Signature)
    ));

    let mut parts: Vec<&str> = token.split('.').collect();
    let changed = URL_SAFE_NO_PAD.encode(with(good(), "sub", json!("admin")).to_string());
    parts[1] = &changed;
    assert!(matches!(
        verify(&keys, &parts.join("."), None),
        Err(JwtError::Signature)
    ));

    for text in [
        "",
        "a.b",
        "a.b.c",
        &format!("{token}.{token}"),
        &token[..token.len() - 400],
    ] {
        assert!(verify(&keys, text, None).is_err(), "{text}");
    }
    let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
    assert!(matches!(
        verify(&keys, &unsigned, None),
        Err(JwtError::Signature)
    ));
    assert!(matches!(
        verify(&keys, &"x".repeat(20_000), None),
        Err(JwtError::Malformed)
    ));
}

#[test]
fn headers_that_ask_for_other_keys_or_algorithms_are_refused() {
    let key = key_pair();
    let keys = document(&key);
    let refused = [
        with(header(), "alg", json!("none")).to_string(),
        with(header(), "alg", json!("HS256")).to_string(),
        with(header(), "alg", json!("PS256")).to_string(),
        with(header(), "alg", json!(["RS256"])).to_string(),
        with(header(), "jku", json!("https://evil.example/keys")).to_string(),
        with(header(), "x5u", json!("https://evil.example/cert")).to_string(),
        with(header(), "jwk", json!({"kty": "RSA"})).to_string(),
        with(header(), "x5c", json!([])).to_string(),
        with(header(), "crit", json!(["exp"])).to_string(),
        with(header(), "typ", json!("at+jwt")).to_string(),
        without(header(), "kid").to_string(),
        r#"{"alg":"none","alg":"RS256","kid":"one"}"#.to_owned(),
        "[]".to_owned(),
    ];
    for text in refused {
        let token = sign(&key, &text, &good().to_string());
        assert!(
            matches!(verify(&keys, &token, None), Err(JwtError::Header(_))),
            "{text}"
        );
    }
    for kid in ["two", "encryption", "other"] {
        let token = sign(
            &key,
            &with(header(), "kid", json!(kid)).to_string(),
            &good().to_string(),
        );
        assert!(
            matches!(verify(&keys, &token, None), Err(JwtError::UnknownKey)),
            "{kid}"
        );
    }
}

#[test]
fn claims_that_are_missing_wrong_or_of_the_wrong_type_are_refused() {
    let key = key_pair();
    let keys = document(&key);
    let refused = [
        ("iss", without(good(), "iss")),
        ("iss", with(good(), "iss", json!("https://evil.example"))),
        ("iss", with(good(), "iss", json!(format!("{ISSUER}/")))),
        ("iss", with(good(), "iss", json!([ISSUER]))),
        ("aud", without(good(), "aud")),
        ("aud", with(good(), "aud", json!("other"))),
        ("aud", with(good(), "aud", json!({AUDIENCE: true}))),
        ("aud", with(good(), "aud", json!([AUDIENCE, 1]))),
        ("azp", with(good(), "aud", json!([AUDIENCE, "other"]))),
        ("azp", with(good(), "azp", json!("other"))),
        ("sub", without(good(), "sub")),
        ("sub", with(good(), "sub", json!(""))),
        ("sub", with(good(), "sub", json!(7))),
        ("exp", without(good(), "exp")),
        ("exp", with(good(), "exp", json!((NOW + 3600).to_string()))),
        ("exp", with(good(), "exp", json!(-1))),
        ("nbf", with(good(), "nbf", json!(NOW + 60))),
        ("iat", with(good(), "iat", json!(NOW + 60))),
        ("token_use", with(good(), "token_use", json!("access"))),
        ("token_use", with(good(), "token_use", json!(["id"]))),
        ("nonce", with(good(), "nonce", json!("m"))),
        ("nonce", without(good(), "nonce")),
    ];
    for (claim, payload) in refused {
        let token = sign(&key, &header().to_string(), &payload.to_string());
        let result = verify(&keys, &token, Some("n"));
        assert!(
            matches!(result, Err(JwtError::Claim(name)) if name == claim),
            "{payload}: {result:?}"
        );
    }
    let twice = good().to_string().replacen('{', r#"{"sub":"admin","#, 1);
    assert!(verify(&keys, &sign(&key, &header().to_string(), &twice), None).is_err());
}

#[test]
fn a_token_ends_five_seconds_after_its_time() {
    let key = key_pair();
    let keys = document(&key);
    for (exp, current) in [
        (NOW - 6, false),
        (NOW - 5, false),
        (NOW - 4, true),
        (NOW + 1, true),
    ] {
        let payload = with(good(), "exp", json!(exp)).to_string();
        let result = verify(&keys, &sign(&key, &header().to_string(), &payload), None);
        assert_eq!(result.is_ok(), current, "{exp}: {result:?}");
    }
}

#[test]
fn several_audiences_need_us_as_the_authorised_party() {
    let key = key_pair();
    let payload = with(
        with(good(), "aud", json!([AUDIENCE, "other"])),
        "azp",
        json!(AUDIENCE),
    );
    let token = sign(&key, &header().to_string(), &payload.to_string());
    assert!(verify(&document(&key), &token, None).is_ok());
}

//! Signed reports: anybody with the published key can check one, and no one can change one.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sandbox::client::Api;
use serde_json::{Value, json};

use super::{text, verify};
use crate::{common, edge::wire::assert_problem};

async fn get(api: &Api, path: &str) -> Value {
    api.get(path).await.unwrap().expect(200).unwrap()
}

/// The payload of a JWS, if one of these keys signed it.
fn checked(jws: &str, keys: &Value) -> Option<Value> {
    let parts: Vec<&str> = jws.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return None;
    };
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header_says: Value = serde_json::from_slice(&decoded(header)?).ok()?;
    assert_eq!(header_says["alg"], "ES256");
    let keys = keys["keys"].as_array()?;
    let key = keys.iter().find(|key| key["kid"] == header_says["kid"])?;
    assert_eq!((text(key, "kty"), text(key, "crv")), ("EC", "P-256"));
    let point = [vec![4], decoded(text(key, "x"))?, decoded(text(key, "y"))?].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(
            format!("{header}.{payload}").as_bytes(),
            &decoded(signature)?,
        )
        .ok()?;
    serde_json::from_slice(&decoded(payload)?).ok()
}

/// O3: the report of a verification is signed, says whose it is and what was found, and a changed
/// one does not verify. Reports are history, of one's own tenant only.
#[tokio::test(flavor = "multi_thread")]
async fn o3_reports_are_signed_kept_and_ones_own() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin"), ("ethan", "viewer")]).await;
    let red = common::tenant(&sandbox, "Red", &[("alex", "admin")]).await;
    let (frank, ethan, alex) = (blue.api("frank"), blue.api("ethan"), red.api("alex"));
    let pending = super::register(frank, "444444444444").await;
    let none = format!("/v1/accounts/{}/report", text(&pending, "id"));
    assert_problem(
        &frank.get(&none).await.unwrap(),
        404,
        "not_found",
        "no report yet",
    );

    let id = common::customer_account(&sandbox, frank).await;
    let account = get(frank, &format!("/v1/accounts/{id}")).await;
    let path = format!("/v1/accounts/{id}/report");
    let report = get(ethan, &path).await;
    let keys = get(alex, "/v1/report-keys").await;
    let jws = text(&report, "jws");
    let said = checked(jws, &keys).expect("the signature holds");
    assert_eq!(said["report"], report["report"]);
    assert_eq!(said["report"], account["report"]);
    assert_eq!(
        (
            &said["accountId"],
            &said["tenantId"],
            &said["state"],
            &said["roleArn"]
        ),
        (
            &json!(id),
            &json!(blue.id),
            &json!("verified"),
            &account["roleArn"]
        )
    );
    assert_eq!(said["checkedAt"], report["checkedAt"]);
    assert!(!said.to_string().contains(text(&account, "externalId")));

    // One letter of the payload, another header, another key: nothing of it holds.
    let parts: Vec<&str> = jws.split('.').collect();
    let mut changed = said.clone();
    changed["state"] = json!("degraded");
    let forged = URL_SAFE_NO_PAD.encode(changed.to_string());
    let forged = format!("{}.{forged}.{}", parts[0], parts[2]);
    assert_eq!(checked(&forged, &keys), None);
    let mut others = keys.clone();
    others["keys"][0]["x"] = keys["keys"][0]["y"].clone();
    assert_eq!(checked(jws, &others), None);

    // History, newest first, paged.
    verify(frank, &account).await;
    let list = get(ethan, &format!("/v1/accounts/{id}/reports?limit=1")).await;
    let newest = get(ethan, &path).await;
    assert_eq!(list["items"], json!([newest]));
    let cursor = text(&list, "nextCursor");
    let next = get(
        ethan,
        &format!("/v1/accounts/{id}/reports?limit=1&cursor={cursor}"),
    )
    .await;
    assert_eq!(next["items"], json!([report]));
    assert!(next["nextCursor"].is_null());

    // Another tenant's are like nobody's.
    for path in [path.clone(), format!("/v1/accounts/{id}/reports")] {
        let answer = alex.get(&path).await.unwrap();
        assert_problem(&answer, 404, "not_found", &path);
    }
    let deleted = frank
        .call(
            reqwest::Method::DELETE,
            &format!("/v1/accounts/{id}"),
            None,
            &[],
        )
        .await
        .unwrap();
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    let left = sandbox.table_items().await;
    assert!(
        !left
            .iter()
            .any(|item| item["sk"].to_string().contains("REPORT#"))
    );
    common::no_leaks(&sandbox).await;
}

//! A browser without scripts: reads forms, follows nothing by itself.

use std::collections::BTreeMap;

use reqwest::{Client, Response, redirect::Policy};
use serde_json::Value;
use url::Url;

pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const CALLBACK: &str = "http://127.0.0.1:9/callback";

pub(crate) fn client() -> Client {
    Client::builder()
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

/// The hidden transaction id of a page.
pub(crate) fn transaction(page: &str) -> String {
    let marker = "name=\"transaction\" value=\"";
    let from = page.find(marker).unwrap() + marker.len();
    page[from..].split('"').next().unwrap().to_owned()
}

/// The parameters of a redirect to the callback.
pub(crate) fn landed(response: &Response) -> BTreeMap<String, String> {
    assert_eq!(response.status(), 302);
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(CALLBACK), "{location}");
    Url::parse(location)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

/// Status and JSON body.
pub(crate) async fn parts(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

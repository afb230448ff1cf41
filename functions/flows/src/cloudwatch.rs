//! The four calls of CloudWatch that we make, in the account that runs a flow.
//!
//! A small adapter instead of the SDK's client, as for S3 and Glue (docs/adr/0008): AWS JSON 1.0, signed
//! with the account's role session. Each call may be repeated: alarms are put whole, and one that is
//! gone was deleted.

mod failure;
mod wire;

use std::time::Duration;

use aws_config::SdkConfig;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tributary::{error::Error, sign, tenancy::Account};

use crate::{TenantApp, s3::BucketHttp};
pub(crate) use failure::Failure;
pub(crate) use wire::{AlarmSpec, Dimension, KeptAlarm, Series, Wanted};
use wire::{Alarms, Data, Refused};

/// AppFlow's metrics.
pub(crate) const NAMESPACE: &str = "AWS/AppFlow";
/// The one dimension that they have.
pub(crate) const DIMENSION: &str = "FlowName";
/// Most alarms that one call describes or deletes.
const MOST_ALARMS: usize = 100;
/// Largest answer that is read: five metrics of the most points that we ask for are a tenth of it.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;
/// How often a call is made when CloudWatch is slow or asks us to slow down.
const ATTEMPTS: u32 = 3;
/// Wait before the second attempt; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(150);

/// CloudWatch of a tenant's account.
#[derive(Debug)]
pub(crate) struct CloudWatch {
    http: reqwest::Client,
    config: SdkConfig,
    region: String,
    endpoint: String,
}

impl CloudWatch {
    /// Acts as the account's role session does. The host is the Region's own endpoint, or the one that
    /// the operator configured for the whole process.
    pub(crate) fn new(http: &BucketHttp, config: SdkConfig, account: &Account) -> Self {
        let region = account.region.clone();
        let endpoint = config.endpoint_url().map_or_else(
            || format!("https://monitoring.{region}.amazonaws.com"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        Self {
            http: http.0.clone(),
            config,
            region,
            endpoint,
        }
    }

    /// The data of a flow's metrics between two times (epoch seconds), oldest first, in the order in
    /// which the metrics are wanted.
    pub(crate) async fn data(
        &self,
        flow: &str,
        wanted: &[Wanted],
        (from, to): (i64, i64),
        period: u32,
    ) -> Result<Vec<Series>, Failure> {
        let queries: Vec<Value> = wanted
            .iter()
            .enumerate()
            .map(|(at, one)| one.query(at, flow, period))
            .collect();
        let mut series = vec![Series::default(); wanted.len()];
        let mut ask = json!({
            "MetricDataQueries": queries,
            "StartTime": from,
            "EndTime": to,
            "ScanBy": "TimestampAscending",
        });
        loop {
            let page: Data = self.call("GetMetricData", &ask).await?;
            let next = page.next();
            page.add_to(&mut series);
            let Some(token) = next else { break };
            ask["NextToken"] = json!(token);
        }
        Ok(series)
    }

    /// Makes an alarm, or changes it to this.
    pub(crate) async fn put_alarm(&self, alarm: &AlarmSpec) -> Result<(), Failure> {
        let _: Value = self.call("PutMetricAlarm", alarm).await?;
        Ok(())
    }

    /// The alarms on single metrics whose names begin so, by name.
    pub(crate) async fn alarms(&self, prefix: &str) -> Result<Vec<KeptAlarm>, Failure> {
        let mut found = Vec::new();
        let mut ask = json!({
            "AlarmNamePrefix": prefix,
            "AlarmTypes": ["MetricAlarm"],
            "MaxRecords": MOST_ALARMS,
        });
        loop {
            let page: Alarms = self.call("DescribeAlarms", &ask).await?;
            found.extend(page.metric_alarms);
            let Some(token) = page.next_token.filter(|token| !token.is_empty()) else {
                return Ok(found);
            };
            ask["NextToken"] = json!(token);
        }
    }

    /// Deletes an alarm; one that is gone is no fault.
    pub(crate) async fn delete_alarm(&self, name: &str) -> Result<(), Failure> {
        let deleted: Result<Value, Failure> = self
            .call("DeleteAlarms", &json!({ "AlarmNames": [name] }))
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(failure) if failure.is_gone() => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    async fn call<A: DeserializeOwned>(
        &self,
        name: &'static str,
        ask: &impl serde::Serialize,
    ) -> Result<A, Failure> {
        let body = serde_json::to_string(ask).map_err(|error| Failure::internal(name, error))?;
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match self.attempt(name, &body).await {
                Err(failure) if failure.is_passing() => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                settled => return read(name, &settled?),
            }
        }
        read(name, &self.attempt(name, &body).await?)
    }

    async fn attempt(&self, name: &'static str, body: &str) -> Result<Vec<u8>, Failure> {
        let url = reqwest::Url::parse(&format!("{}/", self.endpoint));
        let url = url.map_err(|error| Failure::internal(name, error))?;
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-amz-json-1.0"),
        );
        let target = HeaderValue::from_str(&format!("GraniteServiceVersion20100801.{name}"));
        let target = target.map_err(|error| Failure::internal(name, error))?;
        headers.insert("x-amz-target", target);
        let place = ("monitoring", self.region.as_str());
        sign::add_signature(&self.config, place, &Method::POST, &url, &mut headers, body)
            .await
            .map_err(|error| Failure::internal(name, error))?;
        let request = self.http.post(url).headers(headers).body(body.to_owned());
        let mut response = request
            .send()
            .await
            .map_err(|error| Failure::no_answer(name, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| Failure::no_answer(name, error))?
        {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_LIMIT {
                return Err(Failure::unreadable(name, "the answer is too large"));
            }
        }
        if status.is_success() {
            return Ok(bytes);
        }
        let refused: Refused = serde_json::from_slice(&bytes).unwrap_or_default();
        Err(Failure::answered(name, status, &headers, refused))
    }
}

/// Calls that answer nothing answer an empty body, or an empty object.
fn read<A: DeserializeOwned>(name: &'static str, bytes: &[u8]) -> Result<A, Failure> {
    let bytes: &[u8] = if bytes.is_empty() { b"null" } else { bytes };
    serde_json::from_slice(bytes).map_err(|error| Failure::unreadable(name, error))
}

/// CloudWatch of an account of the tenant, if its role was ever proven.
pub(crate) async fn of(app: &TenantApp, account: &Account) -> Result<CloudWatch, Error> {
    crate::accounts::usable(account)?;
    let config = tributary::tenancy::session(&app.sessions, &app.store, account).await?;
    Ok(CloudWatch::new(&app.buckets, config, account))
}

//! Puts records into the bucket.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_config::SdkConfig;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::Url;

use super::{AuditConfig, Record};
use crate::{
    sign,
    telemetry::{self, Metric},
};

/// How often a record is sent.
const ATTEMPTS: u32 = 3;
/// Longest that one attempt may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Wait before the second attempt; doubled before the third.
const PAUSE: Duration = Duration::from_millis(100);

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The bucket, and how it is reached.
#[derive(Debug, Clone)]
pub(super) struct Keeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: AuditConfig,
    aws: SdkConfig,
    /// Made when it is first needed: most requests read.
    http: OnceLock<reqwest::Client>,
}

impl Keeper {
    pub(super) fn new(config: AuditConfig, aws: SdkConfig) -> Self {
        Self(Arc::new(Inner {
            config,
            aws,
            http: OnceLock::new(),
        }))
    }

    /// Keeps a record: in the bucket, or else in the log.
    pub(super) async fn keep(&self, record: &Record) {
        let body = match serde_json::to_string(record) {
            Ok(body) => body,
            Err(error) => return Self::lost(record, &error.to_string(), ""),
        };
        let mut pause = PAUSE;
        let mut cause = String::new();
        for attempt in 1..=ATTEMPTS {
            match self.put(&record.key(), &body).await {
                // Taken, or taken before although the answer was lost.
                Ok(status) if status.is_success() || status == StatusCode::PRECONDITION_FAILED => {
                    return;
                }
                Ok(status) => cause = format!("status {status}"),
                Err(error) => cause = error.to_string(),
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Self::lost(record, &cause, &body);
    }

    fn lost(record: &Record, cause: &str, body: &str) {
        telemetry::count(Metric::AuditRecordsNotStored);
        tracing::error!(
            request.id = record.request_id,
            audit.key = record.key(),
            audit.record = body,
            error.chain = cause,
            "audit record not stored"
        );
    }

    async fn put(&self, key: &str, body: &str) -> Result<StatusCode, Cause> {
        let Inner { config, aws, http } = &*self.0;
        let region = aws.region().ok_or("there is no Region")?.as_ref();
        let endpoint = aws.endpoint_url().map_or_else(
            || format!("https://s3.{region}.amazonaws.com"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        let url = Url::parse(&format!("{endpoint}/{}/{key}", config.bucket))?;
        let mut headers = HeaderMap::new();
        // Never over one that is there: the role is not allowed to put without this.
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        // Object Lock takes nothing without a checksum.
        sign::add_checksum(&mut headers, body);
        sign::add_signature(aws, ("s3", region), &Method::PUT, &url, &mut headers, body).await?;
        let http = http.get_or_init(client);
        let sent = http.put(url).headers(headers).body(body.to_owned()).send();
        Ok(sent.await?.status())
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .unwrap_or_default()
}

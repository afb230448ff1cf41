//! The three calls of Glue's Data Catalog that we make, each a reading one.
//!
//! A small adapter instead of the SDK's client, as for S3 (docs/adr/0008): awsJson1_1, signed with the
//! account's role session. Glue knows no bearer tokens, and what a token's header holds can come back
//! in the text of a refusal, so nothing of the caller's request is handed on.

mod failure;
mod name;
mod wire;

use std::time::Duration;

use aws_config::SdkConfig;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::{Serialize, de::DeserializeOwned};
use tributary::{error::Error, sign, tenancy::Account};

use crate::{TenantApp, s3::BucketHttp};
pub(crate) use failure::Failure;
pub(crate) use name::CatalogName;
pub(crate) use wire::{Column, Database, Page, Table};
use wire::{Databases, GetDatabases, GetTable, GetTables, OneTable, Refused, Tables};

/// Largest answer that is read: a page of tables with many columns each.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;
/// Largest page that is asked for; Glue takes up to 100.
pub(crate) const LARGEST_PAGE: usize = 50;
/// How often a call is made when Glue is slow or asks us to slow down. All of them only read.
const ATTEMPTS: u32 = 3;
/// Wait before the second attempt; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(150);

/// The catalogue of a tenant's account.
#[derive(Debug)]
pub(crate) struct Glue {
    http: reqwest::Client,
    config: SdkConfig,
    region: String,
    endpoint: String,
}

impl Glue {
    /// Acts as the account's role session does. The host is the Region's own endpoint, or the one that
    /// the operator configured for the whole process.
    pub(crate) fn new(http: &BucketHttp, config: SdkConfig, account: &Account) -> Self {
        let region = account.region.clone();
        let endpoint = config.endpoint_url().map_or_else(
            || format!("https://glue.{region}.amazonaws.com"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        Self {
            http: http.0.clone(),
            config,
            region,
            endpoint,
        }
    }

    /// A page of the databases. It may be empty although there are more.
    pub(crate) async fn databases(
        &self,
        most: usize,
        token: Option<&str>,
    ) -> Result<Page<Database>, Failure> {
        let ask = GetDatabases {
            max_results: most.clamp(1, LARGEST_PAGE),
            next_token: token,
        };
        let answer: Databases = self.call("GetDatabases", &ask).await?;
        Ok(answer.into())
    }

    /// A page of the tables of a database. It may be empty although there are more.
    pub(crate) async fn tables(
        &self,
        database: &CatalogName,
        most: usize,
        token: Option<&str>,
    ) -> Result<Page<Table>, Failure> {
        let ask = GetTables {
            database_name: database.as_str(),
            max_results: most.clamp(1, LARGEST_PAGE),
            next_token: token,
        };
        let answer: Tables = self.call("GetTables", &ask).await?;
        Ok(answer.into())
    }

    /// One table.
    pub(crate) async fn table(
        &self,
        database: &CatalogName,
        table: &CatalogName,
    ) -> Result<Table, Failure> {
        let ask = GetTable {
            database_name: database.as_str(),
            name: table.as_str(),
        };
        let answer: OneTable = self.call("GetTable", &ask).await?;
        Ok(answer.table)
    }

    async fn call<A: DeserializeOwned>(
        &self,
        name: &'static str,
        ask: &impl Serialize,
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
        let internal = |error| Failure::internal(name, error);
        let url = reqwest::Url::parse(&format!("{}/", self.endpoint));
        let url = url.map_err(|error| Failure::internal(name, error))?;
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-amz-json-1.1"),
        );
        let target = HeaderValue::from_str(&format!("AWSGlue.{name}"));
        let target = target.map_err(|error| Failure::internal(name, error))?;
        headers.insert("x-amz-target", target);
        let place = ("glue", self.region.as_str());
        sign::add_signature(&self.config, place, &Method::POST, &url, &mut headers, body)
            .await
            .map_err(internal)?;
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

fn read<A: DeserializeOwned>(name: &'static str, bytes: &[u8]) -> Result<A, Failure> {
    serde_json::from_slice(bytes).map_err(|error| Failure::unreadable(name, error))
}

/// The catalogue of an account of the tenant, if its role was ever proven.
pub(crate) async fn of(app: &TenantApp, account: &Account) -> Result<Glue, Error> {
    crate::accounts::usable(account)?;
    let config = tributary::tenancy::session(&app.sessions, &app.store, account).await?;
    Ok(Glue::new(&app.buckets, config, account))
}

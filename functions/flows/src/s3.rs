//! The four calls of S3 that we make: buckets of an account, and the policy of one.
//!
//! A small adapter instead of the SDK's client, which would be the largest dependency by far for
//! four calls (docs/adr/0008). The host is never anybody's choice: it is the Region's own endpoint, or
//! the one that the operator configured for the whole process.

mod failure;
mod name;
mod xml;

use std::time::Duration;

use aws_config::SdkConfig;
use http::{HeaderMap, Method};
use tributary::{aws, error::Error, sign, tenancy::Account};

pub(crate) use failure::Failure;
pub(crate) use name::BucketName;
pub(crate) use xml::{Bucket, Buckets};

/// Largest answer that is read; a policy has 20 KB at most, a page of buckets less than this.
const ANSWER_LIMIT: usize = 2 * 1024 * 1024;
/// How often a call is made when S3 is slow or asks us to slow down. All four can be repeated.
const ATTEMPTS: u32 = 3;
/// Wait before the second attempt; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(150);

/// The HTTP client, made once.
#[derive(Debug, Clone)]
pub(crate) struct BucketHttp(pub(crate) reqwest::Client);

impl Default for BucketHttp {
    fn default() -> Self {
        let client = reqwest::Client::builder()
            // A redirect leads to another Region, where this signature means nothing.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(aws::ATTEMPT_TIMEOUT)
            .connect_timeout(Duration::from_secs(3))
            .build();
        Self(client.unwrap_or_default())
    }
}

/// S3 in a tenant's account.
#[derive(Debug)]
pub(crate) struct S3 {
    http: reqwest::Client,
    config: SdkConfig,
    region: String,
    endpoint: String,
    account: String,
}

impl S3 {
    /// Acts as the account's role session does.
    pub(crate) fn new(http: &BucketHttp, config: SdkConfig, account: &Account) -> Self {
        let region = account.region.clone();
        let endpoint = config.endpoint_url().map_or_else(
            || format!("https://s3.{region}.amazonaws.com"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        Self {
            http: http.0.clone(),
            config,
            region,
            endpoint,
            account: account.aws_account_id.clone(),
        }
    }

    /// The account's buckets in its Region whose names begin so, by name: at most so many after one.
    pub(crate) async fn list_buckets(
        &self,
        limit: usize,
        prefix: Option<&str>,
        after: Option<&str>,
    ) -> Result<Buckets, Failure> {
        let mut token: Option<String> = None;
        let mut found: Vec<Bucket> = Vec::new();
        loop {
            let mut query = vec![
                ("bucket-region", self.region.as_str()),
                ("max-buckets", "1000"),
            ];
            query.extend(prefix.map(|prefix| ("prefix", prefix)));
            query.extend(token.as_deref().map(|token| ("continuation-token", token)));
            let text = self.call("ListBuckets", Method::GET, None, &query, None);
            let page = xml::buckets(&text.await?)
                .map_err(|error| Failure::unreadable("ListBuckets", error))?;
            // Said again here: to an S3 that does not know these parameters they say nothing.
            found.extend(page.items.into_iter().filter(|bucket| {
                bucket
                    .region
                    .as_ref()
                    .is_none_or(|region| *region == self.region)
                    && prefix.is_none_or(|prefix| bucket.name.starts_with(prefix))
                    && after.is_none_or(|after| bucket.name.as_str() > after)
            }));
            token = page.next;
            if token.is_none() || found.len() > limit {
                break;
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.name.clone());
        Ok(Buckets { items: found, next })
    }

    /// The Region that a bucket is in.
    pub(crate) async fn location(&self, bucket: &BucketName) -> Result<String, Failure> {
        let query = [("location", "")];
        let call = self.call("GetBucketLocation", Method::GET, Some(bucket), &query, None);
        xml::location(&call.await?).map_err(|error| Failure::unreadable("GetBucketLocation", error))
    }

    /// The policy of a bucket, as text; none if it has none.
    pub(crate) async fn policy(&self, bucket: &BucketName) -> Result<Option<String>, Failure> {
        let query = [("policy", "")];
        let answer = self
            .call("GetBucketPolicy", Method::GET, Some(bucket), &query, None)
            .await;
        match answer {
            Ok(text) => Ok(Some(text)),
            Err(failure) if failure.is("NoSuchBucketPolicy") => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Sets the policy of a bucket. S3 has no condition on what it was before.
    pub(crate) async fn put_policy(
        &self,
        bucket: &BucketName,
        policy: &str,
    ) -> Result<(), Failure> {
        let query = [("policy", "")];
        self.call(
            "PutBucketPolicy",
            Method::PUT,
            Some(bucket),
            &query,
            Some(policy),
        )
        .await
        .map(|_| ())
    }

    async fn call(
        &self,
        name: &'static str,
        method: Method,
        bucket: Option<&BucketName>,
        query: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<String, Failure> {
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let answer = self
                .attempt(name, method.clone(), bucket, query, body)
                .await;
            match answer {
                Err(failure) if failure.is_passing() && attempt < ATTEMPTS => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
                settled => return settled,
            }
        }
    }

    async fn attempt(
        &self,
        name: &'static str,
        method: Method,
        bucket: Option<&BucketName>,
        query: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<String, Failure> {
        // Path style: no name of a bucket ever becomes a part of a host.
        let path = bucket.map_or_else(|| "/".to_owned(), |bucket| format!("/{}", bucket.as_str()));
        let base = reqwest::Url::parse(&format!("{}{path}", self.endpoint));
        let mut url = base.map_err(|error| Failure::internal(name, error))?;
        url.query_pairs_mut().extend_pairs(query);
        let mut headers = HeaderMap::new();
        if bucket.is_some() {
            // Whoever else has a bucket of this name gets nothing from us, and we nothing of theirs.
            let owner = self
                .account
                .parse()
                .map_err(|error| Failure::internal(name, error))?;
            headers.insert("x-amz-expected-bucket-owner", owner);
        }
        let body = body.unwrap_or_default();
        if method == Method::PUT {
            sign::add_checksum(&mut headers, body);
        }
        sign::add_signature(
            &self.config,
            ("s3", &self.region),
            &method,
            &url,
            &mut headers,
            body,
        )
        .await
        .map_err(|error| Failure::internal(name, error))?;
        let request = self
            .http
            .request(method, url)
            .headers(headers)
            .body(body.to_owned());
        let response = request
            .send()
            .await
            .map_err(|error| Failure::no_answer(name, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = read(name, response).await?;
        if status.is_success() {
            return Ok(text);
        }
        Err(Failure::answered(name, status, &headers, &text))
    }
}

/// The body, unless it is larger than anything that S3 has to say here.
async fn read(name: &'static str, mut response: reqwest::Response) -> Result<String, Failure> {
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
    String::from_utf8(bytes).map_err(|error| Failure::unreadable(name, error))
}

/// S3 in an account of the tenant, if its role was ever proven.
pub(crate) async fn of(app: &crate::App, account: &Account) -> Result<S3, Error> {
    crate::accounts::usable(account)?;
    let scope = app.scopes.of(account.tenant_id).await?;
    let config = tributary::tenancy::session(&app.sessions, scope.store(), account).await?;
    Ok(S3::new(&app.buckets, config, account))
}

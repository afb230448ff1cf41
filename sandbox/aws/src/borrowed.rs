//! The borrowed services: one set of `winterbaume-*` instances per account.
//!
//! They ignore credentials and know one account, `123456789012`. So each account gets its own
//! set, and the account id is exchanged on the way in and out. Gaps are closed here: DynamoDB's
//! check-then-write is made atomic and answers the old item (`dynamodb`), SQS gets its queue URLs
//! and error codes (`sqs`), KMS unambiguous contexts (`kms`), S3 its upload framing (`s3`),
//! Glue pages (`glue`).

mod dynamodb;
mod glue;
mod kms;
mod rewrite;
mod s3;
mod sqs;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use sandbox_core::{AwsCall, AwsReply};
use winterbaume_core::{MockRequest, MockService};

/// The services of one account.
#[derive(Default)]
struct Account {
    dynamodb: dynamodb::Tables,
    s3: winterbaume_s3::S3Service,
    sqs: winterbaume_sqs::SqsService,
    waiting: sqs::Waiting,
    secretsmanager: winterbaume_secretsmanager::SecretsManagerService,
    kms: kms::Keys,
    glue: glue::Catalogue,
}

/// The services of all accounts.
#[derive(Default)]
pub(crate) struct Borrowed(Mutex<BTreeMap<String, Arc<Account>>>);

impl Borrowed {
    /// Answers a call, or `None` when no borrowed service has this signing name.
    pub(crate) async fn handle(
        &self,
        call: &AwsCall,
        address: Option<&SocketAddr>,
    ) -> Option<AwsReply> {
        let account = self.account(&call.principal.account);
        let reply = match call.service.as_str() {
            "dynamodb" => account.dynamodb.handle(call).await,
            "s3" => self.s3(&account, call).await,
            "sqs" => sqs::handle(&account.sqs, &account.waiting, call, address).await,
            "secretsmanager" => json(&account.secretsmanager, call, &call.body).await,
            "kms" => kms::handle(&account.kms, call).await,
            "glue" => glue::handle(&account.glue, call).await,
            _ => return None,
        };
        Some(reply)
    }

    /// The account that has the bucket which a request names, if there is one.
    pub(crate) async fn bucket_owner(&self, call: &AwsCall) -> Option<String> {
        let bucket = s3::bucket(call)?;
        let accounts: Vec<(String, Arc<Account>)> = {
            let accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let accounts = accounts.iter();
            accounts
                .map(|(id, account)| (id.clone(), Arc::clone(account)))
                .collect()
        };
        for (id, account) in accounts {
            if s3::has(&account.s3, call, bucket).await {
                return Some(id);
            }
        }
        None
    }

    /// S3, where names of buckets belong to one account each.
    async fn s3(&self, account: &Account, call: &AwsCall) -> AwsReply {
        if let Some(bucket) = s3::bucket(call)
            && !s3::has(&account.s3, call, bucket).await
        {
            for other in self.others(&call.principal.account) {
                if s3::has(&other.s3, call, bucket).await {
                    return s3::not_yours(call);
                }
            }
        }
        s3::handle(&account.s3, call).await
    }

    /// Every account but one.
    fn others(&self, id: &str) -> Vec<Arc<Account>> {
        let accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = accounts.iter().filter(|(known, _)| *known != id);
        others.map(|(_, account)| Arc::clone(account)).collect()
    }

    fn account(&self, id: &str) -> Arc<Account> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.entry(id.to_owned()).or_default())
    }
}

/// Hands a call with this body over, with the account id exchanged both ways.
async fn json(service: &impl MockService, call: &AwsCall, body: &[u8]) -> AwsReply {
    let account = &call.principal.account;
    let body = rewrite::to_fixed(body, account);
    let mut reply = hand_over(service, call, body).await;
    reply.body = rewrite::to_real(&reply.body, account);
    reply
}

/// Hands a call over as it is. The services read the Region from the URI's host.
async fn hand_over(service: &impl MockService, call: &AwsCall, body: Bytes) -> AwsReply {
    let mut uri = format!(
        "https://{}.{}.amazonaws.com{}",
        call.service, call.region, call.path
    );
    if !call.query.is_empty() {
        uri.push('?');
        uri.push_str(&call.query);
    }
    let response = service
        .handle(MockRequest {
            method: call.method.to_string(),
            uri,
            headers: call.headers.clone(),
            body,
        })
        .await;
    AwsReply {
        status: StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        headers: headers(response.headers, &call.principal.account),
        body: response.body,
    }
}

fn headers(mut headers: HeaderMap, account: &str) -> HeaderMap {
    for value in headers.values_mut() {
        if let Some(text) = value
            .to_str()
            .ok()
            .and_then(|text| rewrite::arn(text, account))
            && let Ok(exchanged) = text.parse()
        {
            *value = exchanged;
        }
    }
    headers
}

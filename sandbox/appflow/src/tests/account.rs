//! Account services in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use sandbox_core::{AccountServices, BoxFuture};
use serde_json::Value;

type ByAccount<T> = BTreeMap<(String, String), T>;

/// Rows of one table, with their columns.
pub(super) type Rows = Vec<(Vec<String>, Vec<Option<String>>)>;

#[derive(Default)]
pub(super) struct Things {
    /// Buckets by account and name, with their policy.
    pub(super) buckets: ByAccount<Option<Value>>,
    /// Objects by account and `bucket/key`.
    pub(super) objects: ByAccount<Bytes>,
    /// Secrets by account and ARN.
    pub(super) secrets: ByAccount<String>,
    pub(super) events: Vec<(String, Value)>,
    /// Rows by account and `database/table`.
    pub(super) tables: ByAccount<Rows>,
    /// Partner event sources, and whether a bus is associated.
    pub(super) sources: ByAccount<bool>,
    /// S3 answers every put with this.
    pub(super) refuse_puts: Option<String>,
}

#[derive(Default)]
pub(super) struct Memory(Mutex<Things>);

impl Memory {
    pub(super) fn look(&self) -> MutexGuard<'_, Things> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at(account: &str, name: impl Into<String>) -> (String, String) {
    (account.to_owned(), name.into())
}

/// The ARN of a secret; real ones end in six random characters.
pub(super) fn secret_arn(account: &str, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    format!("arn:aws:secretsmanager:us-east-1:{account}:secret:{name}-AbCdEf")
}

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl AccountServices for Memory {
    fn put_object<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
        key: &'a str,
        body: Bytes,
    ) -> BoxFuture<'a, Result<(), String>> {
        let mut things = self.look();
        if let Some(code) = &things.refuse_puts {
            return ready(Err(code.clone()));
        }
        if !things.buckets.contains_key(&at(account, bucket)) {
            return ready(Err("NoSuchBucket".to_owned()));
        }
        things
            .objects
            .insert(at(account, format!("{bucket}/{key}")), body);
        ready(Ok(()))
    }

    fn get_object<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Bytes, String>> {
        let found = self
            .look()
            .objects
            .get(&at(account, format!("{bucket}/{key}")))
            .cloned();
        ready(found.ok_or_else(|| "NoSuchKey".to_owned()))
    }

    fn list_objects<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, String>> {
        let start = format!("{bucket}/{prefix}");
        let keys = self
            .look()
            .objects
            .keys()
            .filter(|(a, path)| a == account && path.starts_with(&start))
            .map(|(_, path)| path[bucket.len() + 1..].to_owned())
            .collect();
        ready(Ok(keys))
    }

    fn bucket_policy<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
    ) -> BoxFuture<'a, Result<Option<Value>, String>> {
        let found = self.look().buckets.get(&at(account, bucket)).cloned();
        ready(found.ok_or_else(|| "NoSuchBucket".to_owned()))
    }

    fn put_secret<'a>(
        &'a self,
        account: &'a str,
        name: &'a str,
        value: String,
    ) -> BoxFuture<'a, Result<String, String>> {
        let arn = secret_arn(account, name);
        self.look().secrets.insert(at(account, &arn), value);
        ready(Ok(arn))
    }

    fn get_secret<'a>(
        &'a self,
        account: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<String, String>> {
        let found = self
            .look()
            .secrets
            .get(&at(account, secret_arn(account, id)))
            .cloned();
        ready(found.ok_or_else(|| "ResourceNotFoundException".to_owned()))
    }

    fn delete_secret<'a>(
        &'a self,
        account: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        self.look()
            .secrets
            .remove(&at(account, secret_arn(account, id)));
        ready(Ok(()))
    }

    fn put_event<'a>(&'a self, account: &'a str, event: Value) -> BoxFuture<'a, ()> {
        self.look().events.push((account.to_owned(), event));
        ready(())
    }

    fn offer_event_source<'a>(&'a self, account: &'a str, source: &'a str) -> BoxFuture<'a, ()> {
        self.look()
            .sources
            .entry(at(account, source))
            .or_insert(false);
        ready(())
    }

    fn event_source_is_active<'a>(
        &'a self,
        account: &'a str,
        source: &'a str,
    ) -> BoxFuture<'a, bool> {
        let active = self.look().sources.get(&at(account, source)) == Some(&true);
        ready(active)
    }

    fn put_partner_event<'a>(
        &'a self,
        account: &'a str,
        _source: &'a str,
        event: Value,
    ) -> BoxFuture<'a, ()> {
        self.look().events.push((account.to_owned(), event));
        ready(())
    }

    fn insert_rows<'a>(
        &'a self,
        account: &'a str,
        database: &'a str,
        table: &'a str,
        columns: &'a [String],
        rows: &'a [Vec<Option<String>>],
    ) -> BoxFuture<'a, Result<u64, String>> {
        let mut things = self.look();
        let Some(kept) = things
            .tables
            .get_mut(&at(account, format!("{database}/{table}")))
        else {
            return ready(Err(format!("relation \"{table}\" does not exist")));
        };
        kept.extend(rows.iter().map(|row| (columns.to_vec(), row.clone())));
        ready(Ok(rows.len() as u64))
    }
}

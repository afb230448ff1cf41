//! The account around a warehouse.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use sandbox_core::{AccountServices, BoxFuture};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::support::Fixture;

/// Services of an account: events are passed on, secrets are read, everything else is refused.
pub(crate) struct Account {
    events: UnboundedSender<(String, Value)>,
    secrets: BTreeMap<String, String>,
}

impl Account {
    /// Gives the warehouse an account with these secrets; answers its events.
    pub(crate) fn connect(
        fixture: &Fixture,
        secrets: &[(&str, Value)],
    ) -> UnboundedReceiver<(String, Value)> {
        let (events, received) = unbounded_channel();
        let secrets = secrets.iter();
        let secrets = secrets.map(|(id, value)| ((*id).to_owned(), value.to_string()));
        fixture.redshift.connect_services(Arc::new(Self {
            events,
            secrets: secrets.collect(),
        }));
        received
    }
}

fn refused<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, String>> {
    Box::pin(async { Err("the warehouse does not need this".to_owned()) })
}

impl AccountServices for Account {
    fn put_object<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
        _: Bytes,
    ) -> BoxFuture<'a, Result<(), String>> {
        refused()
    }

    fn get_object<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Bytes, String>> {
        refused()
    }

    fn list_objects<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, String>> {
        refused()
    }

    fn bucket_policy<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Value>, String>> {
        refused()
    }

    fn put_secret<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: String,
    ) -> BoxFuture<'a, Result<String, String>> {
        refused()
    }

    fn get_secret<'a>(&'a self, _: &'a str, id: &'a str) -> BoxFuture<'a, Result<String, String>> {
        let found = self.secrets.get(id).cloned();
        Box::pin(async { found.ok_or_else(|| "ResourceNotFoundException".to_owned()) })
    }

    fn delete_secret<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), String>> {
        refused()
    }

    fn put_event<'a>(&'a self, account: &'a str, event: Value) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.events.send((account.to_owned(), event)).unwrap() })
    }

    fn offer_event_source<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn event_source_is_active<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async { false })
    }

    fn put_partner_event<'a>(&'a self, _: &'a str, _: &'a str, _: Value) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn insert_rows<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
        _: &'a [String],
        _: &'a [Vec<Option<String>>],
    ) -> BoxFuture<'a, Result<u64, String>> {
        refused()
    }
}

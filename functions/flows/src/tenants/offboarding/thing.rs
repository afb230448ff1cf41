//! Things that an offboarding meets, and what became of each.

use serde::{Deserialize, Serialize};
use tributary::{
    error::Error,
    id::TenantId,
    store::{Key, PageRequest, Store},
};
use utoipa::ToSchema;

/// What sort of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ThingKind {
    /// A flow.
    Flow,
    /// A connection, with its connector profile, tokens and secret.
    Connection,
    /// An OAuth app of the tenant's own.
    OauthApp,
    /// An AWS account.
    Account,
    /// A subscription to notifications.
    Subscription,
    /// A member.
    Member,
    /// Something of the tenant's in AppFlow that no record knew.
    Stray,
}

impl ThingKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Connection => "connection",
            Self::OauthApp => "oauthApp",
            Self::Account => "account",
            Self::Subscription => "subscription",
            Self::Member => "member",
            Self::Stray => "stray",
        }
    }
}

/// Something that is still there, and who can do something about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeftBehind {
    /// What it is.
    #[schema(example = "cloudFormationStack")]
    pub(super) what: String,
    /// Where it is: an address, a name, an account.
    #[schema(example = "222222222222")]
    pub(super) r#where: String,
    /// Why it is left, and what a person can do.
    #[schema(example = "The stack with the role is the customer's. Delete it there.")]
    pub(super) why: String,
}

impl LeftBehind {
    pub(super) fn new(what: &str, place: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            r#where: place.into(),
            why: why.into(),
        }
    }
}

/// One thing, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Thing {
    pub(super) kind: ThingKind,
    /// Its id or name; a hash where the name is a person's.
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) left: Vec<LeftBehind>,
}

/// Writes down that a thing is about to be removed. One that was met before stays as it is.
pub(super) async fn meet(
    store: &Store,
    tenant: TenantId,
    kind: ThingKind,
    name: &str,
) -> Result<(), Error> {
    let thing = Thing {
        kind,
        name: name.to_owned(),
        left: Vec::new(),
    };
    match store
        .insert(&Key::offboarded(tenant, kind.as_str(), name), &thing)
        .await
    {
        Err(error) if !error.is_condition() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes down what is left of a thing.
pub(super) async fn leave(
    store: &Store,
    tenant: TenantId,
    kind: ThingKind,
    name: &str,
    left: Vec<LeftBehind>,
) -> Result<(), Error> {
    let thing = Thing {
        kind,
        name: name.to_owned(),
        left,
    };
    let key = Key::offboarded(tenant, kind.as_str(), name);
    Ok(store.put(&key, &thing).await?)
}

/// Everything that was met.
pub(super) async fn all(store: &Store, tenant: TenantId) -> Result<Vec<Thing>, Error> {
    let mut page = PageRequest::first(500);
    let mut things = Vec::new();
    loop {
        let found = store
            .query::<Thing>(
                &Key::operator_partition(),
                &Key::offboarded_prefix(tenant),
                &page,
            )
            .await?;
        things.extend(found.items);
        if found.next.is_none() {
            return Ok(things);
        }
        page.after = found.next;
    }
}

//! Typed, prefixed, time-sortable ids.
//!
//! An id is its prefix, an underscore and the 32 hexadecimal digits of a UUIDv7: ids made later
//! sort later, and a connection's id can never be passed where a flow's is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, SchemaType, Type},
    },
};
use uuid::Uuid;

/// The text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_ followed by 32 lower-case hexadecimal digits")]
pub struct InvalidId {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What every id of this kind begins with, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, later than all before it.
            #[expect(clippy::new_without_default, reason = "an id is made, never a default")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id whose digits are these; for ids derived from other facts.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The digits as a UUID.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text, $prefix).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::new(Type::String))
                    .description(Some(concat!(
                        "An id that begins with `",
                        $prefix,
                        "_`; ids sort by the time at which they were made."
                    )))
                    .pattern(Some(concat!("^", $prefix, "_[0-9a-f]{32}$")))
                    .examples([concat!($prefix, "_019364c0a1b27cc3a4d5e6f708192a3b")])
                    .into()
            }
        }

        impl ToSchema for $name {}
    };
}

id!(
    /// Id of a tenant, one customer of the vendor.
    TenantId, "ten"
);
id!(
    /// Id of an AWS account in which a tenant's flows run.
    AccountId, "acc"
);
id!(
    /// Id of a connection.
    ConnectionId, "con"
);
id!(
    /// Id of a flow.
    FlowId, "flw"
);
id!(
    /// Id of a run.
    RunId, "run"
);
id!(
    /// Id of an operation that goes on after its request was answered.
    OperationId, "op"
);
id!(
    /// Id of one attempt to get a consent; public, and of use to nobody but the tenant.
    AttemptId, "att"
);
id!(
    /// Id of a grant that waits for a confirmation.
    CandidateId, "cnd"
);
id!(
    /// Id of a notification subscription.
    SubscriptionId, "sub"
);

fn parse(text: &str, prefix: &'static str) -> Result<Uuid, InvalidId> {
    let invalid = InvalidId { prefix };
    let digits = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or_else(|| invalid.clone())?;
    let plain = digits.len() == 32
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !plain {
        return Err(invalid);
    }
    Uuid::try_parse(digits).map_err(|_| invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_sort_by_time() {
        let first = FlowId::new();
        let second = FlowId::new();
        assert_eq!(first.to_string().parse(), Ok(first));
        assert!(first.to_string() < second.to_string());
    }

    #[test]
    fn another_kind_a_short_one_and_upper_case_are_refused() {
        let flow = FlowId::new().to_string();
        assert!(flow.parse::<RunId>().is_err());
        assert!(flow[..flow.len() - 1].parse::<FlowId>().is_err());
        assert!(flow.to_uppercase().parse::<FlowId>().is_err());
        assert!(format!("{flow}0").parse::<FlowId>().is_err());
    }
}

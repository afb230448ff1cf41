//! What a tenant can do, without naming ids: "the second flow that I made".

use proptest::prelude::*;

/// Kinds of things that tenants make and may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Account,
    Connection,
    Flow,
}

impl Kind {
    /// The collection's path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Account => "/v1/accounts",
            Self::Connection => "/v1/connections",
            Self::Flow => "/v1/flows",
        }
    }

    /// An id that never was.
    pub(super) const fn unknown(self) -> &'static str {
        match self {
            Self::Account => "acc_0193d3f0aaaa7bbb8cccdddddddddddd",
            Self::Connection => "con_0193d3f0aaaa7bbb8cccdddddddddddd",
            Self::Flow => "flw_0193d3f0aaaa7bbb8cccdddddddddddd",
        }
    }
}

/// One call, or one call and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Registers one of a few AWS accounts, which the other may register too.
    Register(u8),
    /// The same with an idempotency key that the other may use too.
    RegisterOnce(u8),
    /// Asks for a connection that nobody has consented to yet.
    Ask,
    /// Connects with a password.
    Connect,
    /// Renames a connection of one's own.
    Rename(u8),
    /// Makes a flow between folders of the bucket.
    MakeFlow,
    /// Runs a flow of one's own to its end.
    Run(u8),
    /// Shows a flow's runs.
    Runs(u8),
    /// Sets up an OAuth app of one's own, or replaces it.
    App,
    /// Shows a thing of one's own.
    Show(Kind, u8),
    /// Deletes a thing of one's own.
    Delete(Kind, u8),
    /// Shows a thing of the other's, which it is not told of.
    ShowTheirs(Kind),
    /// Deletes one.
    DeleteTheirs(Kind),
    /// Puts one's own flow onto the other's connection.
    UseTheirs,
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Account),
        Just(Kind::Connection),
        Just(Kind::Flow)
    ]
}

/// Any act; those that make something are likelier.
pub(super) fn acts() -> impl Strategy<Value = Act> {
    let which = 0_u8..3;
    prop_oneof![
        2 => which.clone().prop_map(Act::Register),
        1 => which.clone().prop_map(Act::RegisterOnce),
        2 => Just(Act::Ask),
        1 => Just(Act::Connect),
        1 => which.clone().prop_map(Act::Rename),
        3 => Just(Act::MakeFlow),
        1 => which.clone().prop_map(Act::Run),
        1 => which.clone().prop_map(Act::Runs),
        1 => Just(Act::App),
        2 => (kinds(), which.clone()).prop_map(|(kind, n)| Act::Show(kind, n)),
        2 => (kinds(), which).prop_map(|(kind, n)| Act::Delete(kind, n)),
        2 => kinds().prop_map(Act::ShowTheirs),
        2 => kinds().prop_map(Act::DeleteTheirs),
        1 => Just(Act::UseTheirs),
    ]
}

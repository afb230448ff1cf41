//! Which tenant a person belongs to, and as what.

use serde::Deserialize;
use tributary::{
    id::TenantId,
    identity::Role,
    store::{Key, Store},
    tenancy::TenantState,
};

use crate::Refusal;

/// A person's place in a tenant, as it is stored under [`Key::subject`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Membership {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Roles, as they were given.
    #[serde(default)]
    pub roles: Vec<String>,
}

impl Membership {
    /// The roles that mean something, separated by blanks, in rising order.
    pub fn role_words(&self) -> String {
        let mut roles = Role::parse_words(&self.roles.join(" "));
        roles.sort_unstable();
        roles.dedup();
        let words: Vec<String> = roles.iter().map(ToString::to_string).collect();
        words.join(" ")
    }
}

/// Looks up a subject; its tenant must exist and be active.
pub(crate) async fn of(store: &Store, subject: &str) -> Result<Membership, Refusal> {
    let member: Membership = store
        .get(&Key::subject(subject))
        .await?
        .ok_or(Refusal::NotAMember)?;
    match TenantState::of(store, member.tenant_id).await? {
        Some(TenantState::Active) => Ok(member),
        Some(state) => Err(Refusal::TenantNotActive(state)),
        None => Err(Refusal::UnknownTenant),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::types::AttributeValue;
    use tributary::store::from_item;

    use super::*;

    fn item(roles: AttributeValue) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (
                "tenant_id".to_owned(),
                AttributeValue::S(TenantId::new().to_string()),
            ),
            ("roles".to_owned(), roles),
        ])
    }

    #[test]
    fn roles_may_be_a_list_or_a_set_and_unknown_ones_are_nobodys() {
        let texts = ["editor", "owner", "viewer"].map(str::to_owned);
        let list = AttributeValue::L(texts.clone().map(AttributeValue::S).to_vec());
        let set = AttributeValue::Ss(texts.to_vec());
        for roles in [list, set] {
            let member: Membership = from_item(item(roles)).unwrap();
            assert_eq!(member.role_words(), "viewer editor");
        }
    }

    #[test]
    fn a_role_cannot_smuggle_another_in_by_case_or_repetition() {
        let member = Membership {
            tenant_id: TenantId::new(),
            roles: vec!["Admin".to_owned(), "viewer".to_owned(), "viewer".to_owned()],
        };
        assert_eq!(member.role_words(), "viewer");
    }

    #[test]
    fn a_membership_without_a_readable_tenant_is_unreadable() {
        let mut broken = item(AttributeValue::L(Vec::new()));
        broken.insert("tenant_id".to_owned(), AttributeValue::S("t_1".to_owned()));
        let error = from_item::<Membership>(broken).unwrap_err();
        assert_eq!(Refusal::from(error).error_type(), "TokenClaims.Unreadable");
    }
}

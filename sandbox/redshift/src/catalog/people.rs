//! Users with passwords, and who is a member of which role.

use std::collections::{BTreeMap, BTreeSet};

use super::{Actor, Catalog, Grantee, User};
use crate::error::SqlError;

/// The prefix of everything that comes from Identity Center.
pub(crate) const NAMESPACE: &str = "AWSIDC";

/// A user who logs in with a name and a password.
#[derive(Clone, Default)]
pub(crate) struct Login {
    /// `None` after PASSWORD DISABLE: nobody gets in.
    pub(crate) password: Option<String>,
    /// Made with CREATEUSER.
    pub(crate) superuser: bool,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("superuser", &self.superuser)
            .finish_non_exhaustive()
    }
}

/// Who is a member of which roles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Membership {
    /// Roles granted to users and roles.
    pub(crate) granted: BTreeMap<Grantee, BTreeSet<String>>,
    /// Roles that a person's groups gave at the last login.
    pub(crate) of_directory: BTreeMap<String, BTreeSet<String>>,
}

impl Catalog {
    /// Whom a name and a password let in.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> Result<Actor, SqlError> {
        let failed = || SqlError::Authentication(name.to_owned());
        let login = self.logins.get(name).ok_or_else(failed)?;
        let held = login.password.as_deref().ok_or_else(failed)?;
        if !equal(held.as_bytes(), password.as_bytes()) {
            return Err(failed());
        }
        if login.superuser {
            return Ok(Actor::Superuser);
        }
        Ok(Actor::User(User {
            name: name.to_owned(),
            groups: Vec::new(),
        }))
    }

    /// Notes a person's arrival: the groups become roles if the identity provider makes them.
    pub(crate) fn arrive(&mut self, user: &User) {
        if !user.name.starts_with(NAMESPACE) {
            return;
        }
        let roles = user.groups.iter().map(|group| role_of_group(group));
        if self.identity_providers.values().any(|makes| *makes) {
            self.roles.extend(roles.clone());
        }
        let held: BTreeSet<String> = roles.filter(|role| self.roles.contains(role)).collect();
        self.membership.of_directory.insert(user.name.clone(), held);
    }

    /// Roles of the groups a user came with.
    pub(crate) fn session_roles(&self, user: &User) -> BTreeSet<String> {
        let roles = user.groups.iter().map(|group| role_of_group(group));
        roles.filter(|role| self.roles.contains(role)).collect()
    }

    /// What the user holds: itself, PUBLIC, the role of each of its groups that has one, and every
    /// role granted to these.
    pub(crate) fn grantees(&self, user: &User) -> BTreeSet<Grantee> {
        let mut held = BTreeSet::from([Grantee::Public]);
        let mut todo = vec![Grantee::User(user.name.clone())];
        todo.extend(self.session_roles(user).into_iter().map(Grantee::Role));
        while let Some(next) = todo.pop() {
            let granted = self.membership.granted.get(&next).into_iter().flatten();
            todo.extend(
                granted
                    .map(|role| Grantee::Role(role.clone()))
                    .filter(|role| !held.contains(role)),
            );
            held.insert(next);
        }
        held
    }

    /// Whether one of the user's roles is among these.
    pub(crate) fn has_one_of(&self, user: &User, roles: &BTreeSet<String>) -> bool {
        let held = self.grantees(user);
        roles
            .iter()
            .any(|role| held.contains(&Grantee::Role(role.clone())))
    }
}

/// `AWSIDC:<group>`.
fn role_of_group(group: &str) -> String {
    format!("{NAMESPACE}:{group}")
}

/// Compares without telling by its time where the difference is.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

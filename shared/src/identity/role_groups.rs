//! Roles by the groups of an identity provider that has no claim for roles.

use super::{AuthKind, Role};

/// Which groups have which role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleGroups(Vec<(Role, String)>);

impl RoleGroups {
    /// Reads `admin=tributary-admins`, as often as there are such entries; a role may have several
    /// groups. Says what is wrong with each entry.
    pub(super) fn parse(entries: &[String], kind: Option<AuthKind>) -> Result<Self, Vec<String>> {
        let (mut groups, mut faults) = (Vec::new(), Vec::new());
        for entry in entries {
            let (role, group) = entry.split_once('=').unwrap_or((entry, ""));
            let group = group.trim();
            match Role::parse_words(role).as_slice() {
                [role] if !group.is_empty() => groups.push((*role, group.to_owned())),
                _ => faults.push(format!(
                    "AUTH_ROLE_GROUPS has {entry}; an entry is viewer, editor or admin, =, and a group"
                )),
            }
            // An HTTP API hands lists on as `[a b]`: a name with a blank cannot be told from two.
            if kind == Some(AuthKind::HttpJwt) && group.contains([' ', '[', ']']) {
                faults.push(format!(
                    "AUTH_ROLE_GROUPS names the group {group}, which an HTTP API cannot hand on: no blanks, no brackets"
                ));
            }
        }
        if faults.is_empty() {
            Ok(Self(groups))
        } else {
            Err(faults)
        }
    }

    /// The roles of somebody in these groups. Names are compared as they are.
    pub(super) fn roles_of(&self, groups: &[String]) -> Vec<Role> {
        self.0
            .iter()
            .filter(|(_, group)| groups.contains(group))
            .map(|(role, _)| *role)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(entries: &[&str], kind: AuthKind) -> Result<RoleGroups, Vec<String>> {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        RoleGroups::parse(&entries, Some(kind))
    }

    #[test]
    fn groups_give_the_roles_that_configuration_says_and_no_others() {
        let entries = ["admin=Data-Admins", "editor=builders", "editor=Makers"];
        let groups = parsed(&entries, AuthKind::HttpJwt).unwrap();
        let roles = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            groups.roles_of(&names)
        };
        assert_eq!(
            roles(&["Makers", "Data-Admins"]),
            [Role::Admin, Role::Editor]
        );
        assert_eq!(roles(&["data-admins", "admin", "Builders"]), []);
    }

    #[test]
    fn every_entry_that_cannot_work_is_told_at_start_up() {
        let entries = ["owner=staff", "admin", "viewer=", "editor=Data Builders"];
        assert_eq!(parsed(&entries, AuthKind::HttpJwt).unwrap_err().len(), 4);
        let blanks_are_fine = parsed(&entries[3..], AuthKind::HttpLambda);
        assert_eq!(
            blanks_are_fine
                .unwrap()
                .roles_of(&["Data Builders".to_owned()]),
            [Role::Editor]
        );
    }
}

//! What a record says about the templates.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    record::{Denial, Permission, Record},
    tables::{BY_AWS_ALONE, EXPECTED_DENIALS},
};

/// What became of one permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Some test used it.
    Used,
    /// Only AWS's own machinery uses it, for this reason.
    ByAws(&'static str),
    /// Nobody uses it.
    Unused,
}

/// The templates' roles, judged.
pub(crate) struct Judgement {
    permissions: BTreeMap<Permission, Use>,
    missing: BTreeMap<Denial, BTreeSet<String>>,
    /// Entries of the tables that nothing needs any more.
    stale: Vec<String>,
}

impl Judgement {
    pub(crate) fn of(record: &Record) -> Self {
        let mut stale = Vec::new();
        let mut permissions: BTreeMap<Permission, Use> = BTreeMap::new();
        for permission in &record.granted {
            let used = if record.used.contains(permission) {
                Use::Used
            } else {
                let mut by_aws = BY_AWS_ALONE.iter();
                by_aws
                    .find(|(role, action, _)| {
                        *role == permission.role && *action == permission.action
                    })
                    .map_or(Use::Unused, |(_, _, reason)| Use::ByAws(reason))
            };
            permissions.insert(permission.clone(), used);
        }
        for (role, action, _) in BY_AWS_ALONE {
            let is_needed = permissions.iter().any(|(permission, used)| {
                matches!(used, Use::ByAws(_))
                    && permission.role == role
                    && permission.action == action
            });
            if !is_needed {
                stale.push(format!("BY_AWS_ALONE: {role} {action}"));
            }
        }
        let is_expected = |denial: &Denial, (role, action, _): &(&str, &str, &str)| {
            denial.role == *role && denial.action == *action
        };
        let mut missing = record.denied.clone();
        missing.retain(|denial, _| {
            !EXPECTED_DENIALS
                .iter()
                .any(|entry| is_expected(denial, entry))
        });
        for entry in &EXPECTED_DENIALS {
            if !record
                .denied
                .keys()
                .any(|denial| is_expected(denial, entry))
            {
                stale.push(format!("EXPECTED_DENIALS: {} {}", entry.0, entry.1));
            }
        }
        Self {
            permissions,
            missing,
            stale,
        }
    }

    /// Whether every permission is used, none is missing, and the tables are up to date. A record
    /// without permissions is of no run.
    pub(crate) fn is_good(&self) -> bool {
        self.unused().next().is_none()
            && self.missing.is_empty()
            && self.stale.is_empty()
            && !self.permissions.is_empty()
    }

    fn unused(&self) -> impl Iterator<Item = &Permission> {
        let unused = self
            .permissions
            .iter()
            .filter(|(_, used)| **used == Use::Unused);
        unused.map(|(permission, _)| permission)
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nPermissions of the templates' roles")?;
        let mut role = "";
        for (permission, used) in &self.permissions {
            if permission.role != role {
                role = &permission.role;
                writeln!(f, "\n{role}")?;
            }
            let verdict = match used {
                Use::Used => "used",
                Use::ByAws(_) => "by AWS",
                Use::Unused => "UNUSED",
            };
            writeln!(
                f,
                "  {verdict:<7} {:<42} {} {}",
                permission.action, permission.resource, permission.condition
            )?;
            if let Use::ByAws(reason) = used {
                writeln!(f, "          {reason}")?;
            }
        }
        for (denial, seen) in &self.missing {
            writeln!(
                f,
                "\nMISSING {}: {} on {} ({})",
                denial.role, denial.action, denial.resource, denial.why
            )?;
            for seen in seen {
                writeln!(f, "        in {seen}")?;
            }
        }
        for entry in &self.stale {
            writeln!(
                f,
                "\nSTALE   {entry}: nothing needs this entry of tests/permissions/tables.rs"
            )?;
        }
        let by_aws = self
            .permissions
            .values()
            .filter(|used| matches!(used, Use::ByAws(_)));
        write!(
            f,
            "\n{} permissions: {} unused, {} by AWS alone; {} missing, {} stale entries",
            self.permissions.len(),
            self.unused().count(),
            by_aws.count(),
            self.missing.len(),
            self.stale.len(),
        )
    }
}

//! What a record says about the templates.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    record::{Denial, Permission, Record},
    tables::{BY_AWS_ALONE, DenialEntry, EXPECTED_DENIALS, Entry},
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
pub struct Judgement {
    permissions: BTreeMap<Permission, Use>,
    missing: BTreeMap<Denial, BTreeSet<String>>,
    /// Entries of the tables that nothing needs any more.
    stale: Vec<String>,
}

impl Judgement {
    /// Judges a record.
    pub fn of(record: &Record) -> Self {
        Self::by(record, &BY_AWS_ALONE, &EXPECTED_DENIALS)
    }

    fn by(record: &Record, by_aws_alone: &[Entry], expected_denials: &[DenialEntry]) -> Self {
        let mut stale = Vec::new();
        let mut permissions: BTreeMap<Permission, Use> = BTreeMap::new();
        for permission in &record.granted {
            let used = if record.used.contains(permission) {
                Use::Used
            } else {
                let mut by_aws = by_aws_alone.iter();
                by_aws
                    .find(|(role, action, _)| {
                        *role == permission.role && *action == permission.action
                    })
                    .map_or(Use::Unused, |(_, _, reason)| Use::ByAws(reason))
            };
            permissions.insert(permission.clone(), used);
        }
        for (role, action, _) in by_aws_alone {
            let is_needed = permissions.iter().any(|(permission, used)| {
                matches!(used, Use::ByAws(_))
                    && permission.role == *role
                    && permission.action == *action
            });
            if !is_needed {
                stale.push(format!("BY_AWS_ALONE: {role} {action}"));
            }
        }
        let is_expected = |denial: &Denial, (role, action, part, _): &DenialEntry| {
            denial.role == *role && denial.action == *action && denial.resource.contains(part)
        };
        let mut missing = record.denied.clone();
        missing.retain(|denial, _| {
            !expected_denials
                .iter()
                .any(|entry| is_expected(denial, entry))
        });
        for entry in expected_denials {
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
    pub fn is_good(&self) -> bool {
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
                "\nSTALE   {entry}: nothing needs this entry of tests/src/permissions/tables.rs"
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

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(action: &str) -> Permission {
        Permission {
            role: "t.yaml R".to_owned(),
            action: action.to_owned(),
            resource: "*".to_owned(),
            condition: String::new(),
        }
    }

    fn record(granted: &[&str], used: &[&str], denied: &[&str]) -> Record {
        let denial = |action: &str| Denial {
            role: "t.yaml R".to_owned(),
            action: action.to_owned(),
            resource: "*".to_owned(),
            why: "no identity policy allows it".to_owned(),
        };
        let seen = BTreeSet::from(["a_test".to_owned()]);
        Record {
            granted: granted.iter().map(|action| permission(action)).collect(),
            used: used.iter().map(|action| permission(action)).collect(),
            denied: denied.iter().map(|d| (denial(d), seen.clone())).collect(),
        }
    }

    #[test]
    fn an_unused_permission_a_missing_one_and_a_stale_entry_are_each_a_fault() {
        let entry: Entry = ("t.yaml R", "a:Three", "because");
        let denial: DenialEntry = ("t.yaml R", "a:Three", "*", "because");
        let other: DenialEntry = ("t.yaml R", "a:Three", "elsewhere", "because");
        for (record, by_aws, expected, good) in [
            (record(&["a:One"], &["a:One"], &[]), vec![], vec![], true),
            (record(&[], &[], &[]), vec![], vec![], false),
            (
                record(&["a:One", "a:Two"], &["a:One"], &[]),
                vec![],
                vec![],
                false,
            ),
            (
                record(&["a:One", "a:Three"], &["a:One"], &[]),
                vec![entry],
                vec![],
                true,
            ),
            (
                record(&["a:One"], &["a:One"], &[]),
                vec![entry],
                vec![],
                false,
            ),
            (
                record(&["a:Three"], &["a:Three"], &[]),
                vec![entry],
                vec![],
                false,
            ),
            (
                record(&["a:One"], &["a:One"], &["a:Two"]),
                vec![],
                vec![],
                false,
            ),
            (
                record(&["a:One"], &["a:One"], &["a:Three"]),
                vec![],
                vec![denial],
                true,
            ),
            (
                record(&["a:One"], &["a:One"], &[]),
                vec![],
                vec![denial],
                false,
            ),
            (
                record(&["a:One"], &["a:One"], &["a:Three"]),
                vec![],
                vec![other],
                false,
            ),
        ] {
            let judgement = Judgement::by(&record, &by_aws, &expected);
            assert_eq!(judgement.is_good(), good, "{judgement}");
        }
    }

    #[test]
    fn the_report_names_what_is_wrong() {
        let record = record(&["a:One", "a:Two"], &["a:One"], &["a:Three"]);
        let report = Judgement::by(&record, &[("t.yaml R", "a:Four", "why")], &[]).to_string();
        for part in [
            "used    a:One",
            "UNUSED  a:Two",
            "MISSING t.yaml R: a:Three on * (no identity policy allows it)",
            "STALE   BY_AWS_ALONE: t.yaml R a:Four",
            "2 permissions: 1 unused, 0 by AWS alone; 1 missing, 1 stale entries",
        ] {
            assert!(report.contains(part), "{part} in {report}");
        }
    }
}

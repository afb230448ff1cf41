//! The record that a run of the end-to-end tests leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// One permission of one role: an action and a resource that stand together in a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Permission {
    /// Template and logical id of the role.
    pub(crate) role: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    /// The statement's condition as JSON, empty if it has none.
    pub(crate) condition: String,
}

/// A call that was denied, and one of the tests in which it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Denial {
    pub(crate) role: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) why: String,
}

/// What all tests of a run did together.
#[derive(Debug, Default)]
pub struct Record {
    pub(crate) granted: BTreeSet<Permission>,
    pub(crate) used: BTreeSet<Permission>,
    /// Denials with the tests in which they happened and the condition keys of the call.
    pub(crate) denied: BTreeMap<Denial, BTreeSet<String>>,
}

/// Arguments that leave no test out.
const HARMLESS: [&str; 8] = [
    "--nocapture",
    "--no-capture",
    "--show-output",
    "--quiet",
    "-q",
    "--test-threads",
    "--color",
    "--format",
];

impl Record {
    /// The record of the run that this process belongs to, or why there is none.
    pub fn of_this_run(folder: &Path, arguments: &[String]) -> Result<Self, String> {
        if let Some(named) = std::env::var_os("TRIBUTARY_PERMISSIONS_OF") {
            let mut record = Self::default();
            record.read(&PathBuf::from(named))?;
            return Ok(record);
        }
        if let Some(filter) = filter(arguments) {
            return Err(format!("this run was filtered ({filter})"));
        }
        // Cargo runs one target after the other and stops at the first that fails. So a record by a
        // child of the same cargo is complete, and it is of this run.
        let cargo = std::os::unix::process::parent_id();
        let mut record = Self::default();
        let mut found = false;
        let entries = fs::read_dir(folder).map_err(|_| "no test has left a record".to_owned())?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(&format!("{cargo}-")) {
                record.read(&entry.path())?;
                found = true;
            }
        }
        if found {
            Ok(record)
        } else {
            Err("the end-to-end tests did not run in this `cargo test`".to_owned())
        }
    }

    /// Adds what a file says.
    fn read(&mut self, path: &Path) -> Result<(), String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        for line in text.lines() {
            let fact: Value = serde_json::from_str(line)
                .map_err(|error| format!("{} is damaged: {error}", path.display()))?;
            let Some((kind, fact)) = fact.as_object().and_then(|fact| fact.iter().next()) else {
                return Err(format!("{} has a line without a fact", path.display()));
            };
            self.add(kind, fact)?;
        }
        Ok(())
    }

    fn add(&mut self, kind: &str, fact: &Value) -> Result<(), String> {
        let text = |member: &str| fact[member].as_str().unwrap_or_default().to_owned();
        let permission = || Permission {
            role: text("role"),
            action: text("action"),
            resource: text("resource"),
            condition: text("condition"),
        };
        match kind {
            "run" => {
                let arguments = fact["arguments"].as_array().into_iter().flatten();
                let arguments: Vec<String> = arguments
                    .map(|argument| argument.as_str().unwrap_or("?").to_owned())
                    .collect();
                if let Some(filter) = filter(&arguments) {
                    return Err(format!(
                        "the run of the end-to-end tests was filtered ({filter})"
                    ));
                }
            }
            "granted" => drop(self.granted.insert(permission())),
            "used" => drop(self.used.insert(permission())),
            "denied" => {
                let denial = Denial {
                    role: text("role"),
                    action: text("action"),
                    resource: text("resource"),
                    why: text("why"),
                };
                let seen = format!("{} {}", text("test"), fact["keys"]);
                self.denied.entry(denial).or_default().insert(seen);
            }
            other => return Err(format!("a fact of unknown kind: {other}")),
        }
        Ok(())
    }
}

/// The argument with which a test run leaves tests out, if it does.
fn filter(arguments: &[String]) -> Option<&str> {
    let mut value_follows = false;
    for argument in arguments {
        if std::mem::take(&mut value_follows) {
            continue;
        }
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument.as_str(), None),
        };
        if !HARMLESS.contains(&name) {
            return Some(argument);
        }
        value_follows =
            value.is_none() && ["--test-threads", "--color", "--format"].contains(&name);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(arguments: &[&str]) -> Vec<String> {
        arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect()
    }

    #[test]
    fn a_run_that_leaves_tests_out_is_none() {
        for (arguments, left_out) in [
            (&[][..], None),
            (
                &["--nocapture", "--test-threads", "1", "--color=always"],
                None,
            ),
            (&["--test-threads=2", "-q"], None),
            (&["onboarding"], Some("onboarding")),
            (&["--skip", "scale"], Some("--skip")),
            (&["--test-threads", "1", "--ignored"], Some("--ignored")),
            (&["--exact", "a"], Some("--exact")),
        ] {
            assert_eq!(filter(&texts(arguments)), left_out, "{arguments:?}");
        }
        let whole = serde_json::json!({ "arguments": ["--nocapture"] });
        assert_eq!(Record::default().add("run", &whole), Ok(()));
        let part = serde_json::json!({ "arguments": ["flows"] });
        assert!(Record::default().add("run", &part).is_err());
    }

    #[test]
    fn a_record_of_another_cargo_or_a_damaged_one_is_not_taken() {
        let folder = std::env::temp_dir().join(format!("permissions-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let fact =
            r#"{"granted":{"role":"t.yaml R","action":"a:One","resource":"*","condition":""}}"#;
        fs::write(folder.join("0-1.jsonl"), fact).unwrap();
        assert!(Record::of_this_run(&folder, &[]).is_err());
        let parent = std::os::unix::process::parent_id();
        fs::write(folder.join(format!("{parent}-1.jsonl")), fact).unwrap();
        assert_eq!(Record::of_this_run(&folder, &[]).unwrap().granted.len(), 1);
        assert!(Record::of_this_run(&folder, &texts(&["flows"])).is_err());
        fs::write(folder.join(format!("{parent}-2.jsonl")), "{").unwrap();
        assert!(Record::of_this_run(&folder, &[]).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}

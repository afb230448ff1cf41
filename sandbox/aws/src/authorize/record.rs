//! Which permissions of a template's roles were used, and which were missing.
//!
//! Each fact is one line of JSON in a file that all sandboxes of a process append to; tests run in
//! parallel, so a line is written whole or not at all. Ids that differ from sandbox to sandbox are
//! replaced by the names that the template has for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

use serde_json::{Value, json};

use super::{Need, decision::Asker};
use crate::policy::{self, Permission};

/// A role of a template, whose permissions are counted.
#[derive(Debug, Clone)]
pub struct RoleUnderTest {
    /// The template's file name.
    pub template: String,
    /// The role's logical id.
    pub logical_id: String,
    /// ARNs and ids of the stack's resources, with what the template calls them.
    pub names: BTreeMap<String, String>,
}

/// A call that a test wants to see denied. It counts as no missing permission.
#[derive(Debug, Clone)]
pub struct ExpectedDenial {
    /// The role, by its logical id in the template.
    pub role: String,
    /// The action, as `appflow:DescribeFlow`; `*` for all.
    pub action: String,
}

/// The file, and the lines that are in it already.
struct Record {
    file: File,
    written: BTreeSet<String>,
}

static RECORD: Mutex<Option<Record>> = Mutex::new(None);

/// Writes what all sandboxes of this process do from now on to a file of its own in this folder. Its
/// first line tells which run it belongs to: who started the process, and with which arguments.
/// Only the first call has an effect.
pub fn record_permissions(folder: &Path) -> std::io::Result<()> {
    let mut record = lock(&RECORD);
    if record.is_some() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let parent = std::os::unix::process::parent_id();
    let path = folder.join(format!("{parent}-{}.jsonl", std::process::id()));
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(path)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = json!({ "run": { "parent": parent, "arguments": arguments } });
    file.write_all(format!("{run}\n").as_bytes())?;
    *record = Some(Record {
        file,
        written: BTreeSet::new(),
    });
    Ok(())
}

/// A use of a permission: role, policy, statement, action, resource.
type Seen = (String, usize, usize, String, String);

/// The roles that are watched, and the denials that are expected, in one sandbox.
#[derive(Default)]
pub(crate) struct Watch {
    roles: RwLock<BTreeMap<String, RoleUnderTest>>,
    expected: RwLock<Vec<ExpectedDenial>>,
    /// What was written down as used already.
    seen: Mutex<BTreeSet<Seen>>,
    /// Name of the thread that made the sandbox: the test's.
    test: String,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let thread = std::thread::current();
        Self {
            test: thread.name().unwrap_or_default().to_owned(),
            ..Self::default()
        }
    }

    /// Counts this role's permissions from now on.
    pub(crate) fn watch(&self, arn: &str, role: RoleUnderTest, policies: &[Value]) {
        let statements = policies.iter().filter_map(policy::statements).flatten();
        for statement in statements {
            let allows = statement["Effect"] == "Allow";
            let texts = |element: &str| policy::texts(&statement[element]).unwrap_or_default();
            for action in texts("Action").into_iter().filter(|_| allows) {
                for resource in texts("Resource") {
                    let fact = role.permission(arn, statement, &action, &resource);
                    write(&json!({ "granted": fact }));
                }
            }
        }
        let mut roles = self.roles.write().unwrap_or_else(PoisonError::into_inner);
        roles.insert(arn.to_owned(), role);
        drop(roles);
        lock(&self.seen).retain(|(role, ..)| role != arn);
    }

    /// Stops counting: the role is not the template's any more.
    pub(crate) fn forget(&self, arn: &str) {
        let mut roles = self.roles.write().unwrap_or_else(PoisonError::into_inner);
        roles.remove(arn);
    }

    pub(crate) fn expect(&self, denial: ExpectedDenial) {
        let mut expected = self
            .expected
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        expected.push(denial);
    }

    /// An identity policy allowed something.
    pub(super) fn used(
        &self,
        asker: &Asker,
        policies: &[Value],
        policy: usize,
        permission: &Permission,
    ) {
        let seen = (
            asker.role_arn.clone(),
            policy,
            permission.statement,
            permission.action.clone(),
            permission.resource.clone(),
        );
        if !lock(&self.seen).insert(seen) {
            return;
        }
        let roles = self.roles.read().unwrap_or_else(PoisonError::into_inner);
        let Some(role) = roles.get(&asker.role_arn) else {
            return;
        };
        let statement = policy::statements(&policies[policy])
            .and_then(|statements| statements.get(permission.statement))
            .unwrap_or(&Value::Null);
        let fact = role.permission(
            &asker.role_arn,
            statement,
            &permission.action,
            &permission.resource,
        );
        write(&json!({ "used": fact }));
    }

    /// Something was denied for want of a permission.
    pub(super) fn denied(&self, asker: &Asker, need: &Need, why: &str) {
        let roles = self.roles.read().unwrap_or_else(PoisonError::into_inner);
        let Some(role) = roles.get(&asker.role_arn) else {
            return;
        };
        let expected = self.expected.read().unwrap_or_else(PoisonError::into_inner);
        if expected.iter().any(|denial| {
            denial.role == role.logical_id && ["*", &need.action].contains(&denial.action.as_str())
        }) {
            return;
        }
        let keys: BTreeMap<&str, Vec<String>> = need
            .keys
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| {
                let named = values
                    .iter()
                    .map(|value| role.named(&asker.role_arn, value));
                (name.as_str(), named.collect())
            })
            .collect();
        write(&json!({ "denied": {
            "role": role.name(),
            "action": need.action,
            "resource": role.named(&asker.role_arn, &need.resource),
            "keys": keys,
            "why": why,
            "test": self.test,
        }}));
    }
}

impl RoleUnderTest {
    fn name(&self) -> String {
        format!("{} {}", self.template, self.logical_id)
    }

    fn permission(&self, arn: &str, statement: &Value, action: &str, resource: &str) -> Value {
        let condition = match &statement["Condition"] {
            Value::Null => String::new(),
            condition => self.named(arn, &condition.to_string()),
        };
        json!({
            "role": self.name(),
            "action": action,
            "resource": self.named(arn, resource),
            "condition": condition,
        })
    }

    /// A text with the template's names instead of ids.
    fn named(&self, role_arn: &str, text: &str) -> String {
        let mut named = text.to_owned();
        // Longer ones first: the ARN of a table begins like that of its index.
        let mut names: Vec<_> = self.names.iter().filter(|(id, _)| !id.is_empty()).collect();
        names.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
        for (id, name) in names {
            named = named.replace(id.as_str(), &format!("<{name}>"));
        }
        let account = role_arn.split(':').nth(4).unwrap_or_default();
        anonymous(&named.replace(account, "<account>"))
    }
}

/// Replaces what AWS makes up: the ids of keys, and the ends of secrets' names.
fn anonymous(text: &str) -> String {
    let parts = text.split_inclusive([':', '/', '"']).map(|part| {
        let (body, mark) = match part.strip_suffix([':', '/', '"']) {
            Some(body) => (body, &part[body.len()..]),
            None => (part, ""),
        };
        if uuid::Uuid::try_parse(body).is_ok() {
            format!("<id>{mark}")
        } else {
            part.to_owned()
        }
    });
    let text: String = parts.collect();
    let suffix = text.len().checked_sub(7).and_then(|at| text.get(at..));
    match suffix.and_then(|suffix| suffix.strip_prefix('-')) {
        Some(random)
            if text.contains(":secret:") && random.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            format!("{}-??????", &text[..text.len() - 7])
        }
        _ => text,
    }
}

fn write(fact: &Value) {
    let line = fact.to_string();
    let mut record = lock(&RECORD);
    let Some(record) = record.as_mut() else {
        return;
    };
    if record.written.contains(&line) {
        return;
    }
    // A record that cannot be written lacks facts, and the permissions then count as unused.
    match record.file.write_all(format!("{line}\n").as_bytes()) {
        Ok(()) => {
            record.written.insert(line);
        }
        Err(error) => tracing::error!(%error, "the record of permissions cannot be written"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

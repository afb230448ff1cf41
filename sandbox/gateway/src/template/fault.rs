//! What is wrong with a template or with the values given to it.

use std::{cell::RefCell, fmt};

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path in the template, with dots (`Resources.Table.Properties.TableName`).
    pub at: String,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

/// Everything that is wrong with a template, found in one go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template cannot be used:\n{}", list(.0))]
pub struct TemplateError(
    /// The faults, in the order of the template.
    pub Vec<Fault>,
);

fn list(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(|fault| format!("  {fault}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Collects faults while evaluation goes on, so that all are reported at once.
#[derive(Debug, Default)]
pub(crate) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(&self, at: &str, what: impl Into<String>) {
        let fault = Fault {
            at: at.to_owned(),
            what: what.into(),
        };
        let mut faults = self.0.borrow_mut();
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }

    pub(crate) fn into_result(self) -> Result<(), TemplateError> {
        let faults = self.0.into_inner();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(TemplateError(faults))
        }
    }
}

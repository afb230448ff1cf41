//! The tour: the main job on real input, step by step, each with what came back.
//!
//! Every step checks what it shows. A step that does not hold ends the tour with an error.

mod accounts;
mod connect;
mod flows;
mod notify;
mod people;
mod query;
mod refresh;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::{
    Sandbox,
    browser::BrowserError,
    client::{Api, Person},
};

/// Why the tour ended early.
#[derive(Debug, thiserror::Error)]
pub enum TourError {
    /// A step got another answer than it needs.
    #[error(transparent)]
    Answer(#[from] BrowserError),
    /// A stand-in refused an administrator's act.
    #[error(transparent)]
    Start(#[from] crate::StartError),
    /// What a step shows is not true.
    #[error("{0}")]
    Wrong(String),
}

type Step<T = ()> = Result<T, TourError>;

/// What the steps build on.
struct Tour<'a> {
    sandbox: &'a Arc<Sandbox>,
    number: u32,
    people: BTreeMap<&'static str, Person>,
    operator: Option<Api>,
    facts: BTreeMap<&'static str, String>,
}

/// Walks the whole tour.
pub async fn walk(sandbox: &Arc<Sandbox>) -> Step {
    let mut tour = Tour {
        sandbox,
        number: 0,
        people: BTreeMap::new(),
        operator: None,
        facts: BTreeMap::new(),
    };
    people::run(&mut tour).await?;
    accounts::run(&mut tour).await?;
    connect::run(&mut tour).await?;
    flows::run(&mut tour).await?;
    refresh::run(&mut tour).await?;
    query::run(&mut tour).await?;
    refresh::revoked(&mut tour).await?;
    notify::run(&mut tour).await?;
    tour.step("Seeded secrets appear in no log, event or error");
    let leaks = sandbox.sweep_for_leaks().await;
    tour.check(leaks.is_empty(), || format!("secrets leaked: {leaks:?}"))?;
    tour.say(format!(
        "{} secrets looked for in {} log lines, {} journal entries, every notification and table item: none found",
        sandbox.canaries.len(),
        sandbox.logs.lines().len(),
        sandbox.journal.entries().len()
    ));
    println!(
        "\nthe tour is complete: {} steps, all as they should be",
        tour.number
    );
    Ok(())
}

impl Tour<'_> {
    /// Begins a step.
    fn step(&mut self, title: &str) {
        self.number += 1;
        println!("\n{:>2}. {title}", self.number);
    }

    /// Shows what came back.
    #[expect(clippy::unused_self, reason = "reads as the tour speaking")]
    fn say(&self, line: impl AsRef<str>) {
        println!("    {}", line.as_ref());
    }

    /// Ends the tour unless this holds.
    #[expect(clippy::unused_self, reason = "reads as the tour checking")]
    fn check(&self, holds: bool, wrong: impl FnOnce() -> String) -> Step {
        if holds {
            Ok(())
        } else {
            Err(TourError::Wrong(wrong()))
        }
    }

    fn person(&self, name: &'static str) -> Step<&Person> {
        self.people
            .get(name)
            .ok_or_else(|| TourError::Wrong(format!("{name} is not signed in")))
    }

    fn operator(&self) -> Step<&Api> {
        self.operator
            .as_ref()
            .ok_or_else(|| TourError::Wrong("the operator has no token".to_owned()))
    }

    fn keep(&mut self, name: &'static str, value: &Value) -> Step<String> {
        let text = value
            .as_str()
            .ok_or_else(|| TourError::Wrong(format!("no {name} in the answer")))?
            .to_owned();
        self.facts.insert(name, text.clone());
        Ok(text)
    }

    fn fact(&self, name: &'static str) -> Step<&str> {
        self.facts
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| TourError::Wrong(format!("{name} is not known yet")))
    }
}

/// A text of an answer, for showing.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("-")
}

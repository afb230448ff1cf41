//! What the function is given: AppFlow's events off two buses, those of flows' alarms and of
//! verification the same way, the Data API's events about statements, and the reconciliation's schedule.
//!
//! Read leniently: every detail of an event is text, numbers included, and timestamps are Java's
//! (`2023-08-29T12:55:23.835Z[UTC]`). A count or a time that cannot be read is unknown; a status, a
//! flow or an execution that cannot be read makes the event malformed.
//! <https://docs.aws.amazon.com/appflow/latest/userguide/flow-notifications.html>

mod alarm;
mod scalar;

use jiff::Timestamp;
use serde_json::Value;
use tributary::run::{RunStatus, RunTrigger};

pub(crate) use scalar::timestamp;
use scalar::{count, text};

use crate::{
    Facts, News, Rejected,
    after_run::name::UnverifiedName,
    failure::{classify, clean},
};

/// Longest name or id that AppFlow gives anything; longer ones are nobody's.
const LONGEST_NAME: usize = 256;

/// What the function is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// News of a run.
    Run {
        /// The flow that ran.
        flow: FlowReference,
        /// AppFlow's id of the run.
        execution_id: String,
        /// The news.
        news: News,
    },
    /// AppFlow switched a flow off.
    Deactivated(Deactivated),
    /// AppFlow reports what came to a flow that events start.
    Report(Report),
    /// An alarm of a flow changed its state.
    Alarm(AlarmNews),
    /// A statement of the warehouse has ended.
    Statement(StatementNews),
    /// An event that verification sent through an account.
    Verification {
        /// The account in the envelope.
        account: String,
        /// What only verification and that account know.
        unverified_nonce: String,
    },
    /// An event that says nothing about runs.
    Ignored {
        /// Its type.
        detail_type: &'static str,
    },
    /// Look for what never came.
    Reconcile {
        /// The tick's own time.
        scheduled_time: Timestamp,
    },
}

/// A flow as an event names it; whose it is, if anybody's, the table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowReference {
    /// The account in the envelope.
    pub unverified_account: String,
    /// The flow's name in AppFlow.
    pub unverified_name: String,
}

/// The end of a statement, as the Data API's event names it.
///
/// What the end was is not read: it is asked for where it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementNews {
    /// The account in the envelope.
    pub unverified_account: String,
    /// Whose it is by its name.
    pub unverified_name: UnverifiedName,
    /// The Data API's id of it.
    pub unverified_statement: String,
}

/// How an alarm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// The threshold is not crossed.
    Ok,
    /// The threshold is crossed.
    Alarm,
    /// Not known.
    InsufficientData,
}

impl AlarmState {
    /// The word in notifications, as the API has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Alarm => "alarm",
            Self::InsufficientData => "insufficientData",
        }
    }
}

/// An alarm of a flow changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmNews {
    /// The flow that the alarm's metric is of.
    pub flow: FlowReference,
    /// What the alarm is called after the flow's name.
    pub unverified_alarm: String,
    /// The metric, if it is one that we know.
    pub metric: Option<&'static str>,
    /// How the alarm stands now.
    pub state: AlarmState,
    /// How it stood before.
    pub was: Option<AlarmState>,
    /// Since when.
    pub at: Timestamp,
    /// Why, in CloudWatch's words.
    pub reason: Option<String>,
}

/// AppFlow switched a flow off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deactivated {
    /// The flow.
    pub flow: FlowReference,
    /// When.
    pub at: Timestamp,
    /// Why, cleaned.
    pub reason: Option<String>,
}

/// What came to a flow that events start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The flow.
    pub flow: FlowReference,
    /// When AppFlow reported.
    pub at: Timestamp,
    /// How many events and in which time, in AppFlow's words, cleaned.
    pub message: Option<String>,
}

/// Types of events that tell nothing of a run and nothing that we notify.
const IGNORED: [&str; 1] = ["AppFlow Automatic Field Import Report"];

/// Reads what the function was given.
pub fn parse(event: &Value) -> Result<Input, Rejected> {
    if let Some(kind) = event["kind"].as_str() {
        return scheduled(kind, event);
    }
    match event["source"].as_str() {
        Some("aws.appflow") => {}
        Some("tributary.verification") => return verification(event),
        Some("aws.redshift-data") => return statement(event),
        Some("aws.cloudwatch") => return alarm::parse(event).map(Input::Alarm),
        _ => return Err(Rejected::Malformed("its source is not one that we know")),
    }
    let unverified_type = event["detail-type"]
        .as_str()
        .ok_or(Rejected::Malformed("it has no type"))?;
    if let Some(detail_type) = IGNORED.into_iter().find(|known| *known == unverified_type) {
        return Ok(Input::Ignored { detail_type });
    }
    match unverified_type {
        "AppFlow Start Flow Run Report" => {
            run(event, |detail, sent_at| Ok(started(detail, sent_at)))
        }
        "AppFlow End Flow Run Report" => run(event, ended),
        "AppFlow Event Flow Deactivated" | "AppFlow Scheduled Flow Deactivated" => {
            deactivated(event)
        }
        "AppFlow Event Flow Report" => Ok(Input::Report(Report {
            flow: flow(event)?,
            at: envelope_time(event)?,
            message: text(&event["detail"]["status-report"]).map(clean),
        })),
        _ => Err(Rejected::UnknownDetailType),
    }
}

fn verification(event: &Value) -> Result<Input, Rejected> {
    Ok(Input::Verification {
        account: account(event)?,
        unverified_nonce: name(&event["detail"]["nonce"])
            .ok_or(Rejected::Malformed("it has no nonce"))?,
    })
}

fn statement(event: &Value) -> Result<Input, Rejected> {
    if event["detail-type"] != "Redshift Data Statement Status Change" {
        return Err(Rejected::UnknownDetailType);
    }
    let detail = &event["detail"];
    Ok(Input::Statement(StatementNews {
        unverified_account: account(event)?,
        unverified_name: name(&detail["statementName"])
            .and_then(|name| UnverifiedName::parse(&name))
            .ok_or(Rejected::Malformed("its statement is not one of a run"))?,
        unverified_statement: name(&detail["statementId"])
            .ok_or(Rejected::Malformed("it names no statement"))?,
    }))
}

fn scheduled(kind: &str, event: &Value) -> Result<Input, Rejected> {
    if kind != "reconcile" {
        return Err(Rejected::Malformed("its kind is not reconcile"));
    }
    timestamp(&event["scheduledTime"])
        .map(|scheduled_time| Input::Reconcile { scheduled_time })
        .ok_or(Rejected::Malformed("it has no scheduled time"))
}

fn run(
    event: &Value,
    news: impl Fn(&Value, Timestamp) -> Result<News, Rejected>,
) -> Result<Input, Rejected> {
    let detail = &event["detail"];
    Ok(Input::Run {
        flow: flow(event)?,
        execution_id: name(&detail["execution-id"])
            .ok_or(Rejected::Malformed("it has no execution id"))?,
        news: news(detail, envelope_time(event)?)?,
    })
}

fn started(detail: &Value, sent_at: Timestamp) -> News {
    let started_at = timestamp(&detail["start-time"]).unwrap_or(sent_at);
    News {
        status: RunStatus::Running,
        at: started_at,
        facts: Facts {
            trigger: trigger(&detail["trigger-type"]),
            started_at: Some(started_at),
            ..Facts::default()
        },
    }
}

fn ended(detail: &Value, sent_at: Timestamp) -> Result<News, Rejected> {
    let words = text(&detail["status"]).ok_or(Rejected::Malformed("it has no status"))?;
    let status = end_of(words);
    let ended_at = timestamp(&detail["end-time"]).unwrap_or(sent_at);
    let failure = (status == RunStatus::Failed).then(|| classify(text(&detail["error"])));
    Ok(News {
        status,
        at: ended_at,
        facts: Facts {
            trigger: trigger(&detail["trigger-type"]),
            started_at: timestamp(&detail["start-time"]),
            ended_at: Some(ended_at),
            records_processed: count(&detail["num-of-records-processed"]),
            records_failed: count(&detail["num-of-record-failures"]),
            bytes_processed: count(&detail["data-processed"]),
            failure,
        },
    })
}

/// What made a run begin. AppFlow's own spelling has underscores in its API and none in its events.
fn trigger(value: &Value) -> Option<RunTrigger> {
    let words = text(value)?.to_ascii_lowercase().replace('_', "");
    match words.as_str() {
        "ondemand" => Some(RunTrigger::OnDemand),
        "scheduled" => Some(RunTrigger::Scheduled),
        "event" => Some(RunTrigger::Event),
        _ => None,
    }
}

/// Which end the words of an End event mean.
///
/// Only `Execution Successful` was ever seen in public; that cancelled runs say so is assumed, and
/// whatever else is said is a failure.
fn end_of(words: &str) -> RunStatus {
    if words == "Execution Successful" {
        RunStatus::Completed
    } else if words.to_ascii_lowercase().contains("cancel") {
        RunStatus::Cancelled
    } else {
        RunStatus::Failed
    }
}

fn deactivated(event: &Value) -> Result<Input, Rejected> {
    let detail = &event["detail"];
    let at = match timestamp(&detail["deactivation-time"]) {
        Some(at) => at,
        None => envelope_time(event)?,
    };
    Ok(Input::Deactivated(Deactivated {
        flow: flow(event)?,
        at,
        reason: text(&detail["deactivation-reason"]).map(clean),
    }))
}

fn flow(event: &Value) -> Result<FlowReference, Rejected> {
    Ok(FlowReference {
        unverified_account: account(event)?,
        unverified_name: name(&event["detail"]["flow-name"])
            .ok_or(Rejected::Malformed("it names no flow"))?,
    })
}

/// The account that EventBridge names.
fn account(event: &Value) -> Result<String, Rejected> {
    event["account"]
        .as_str()
        .filter(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
        .map(str::to_owned)
        .ok_or(Rejected::Malformed("it has no account"))
}

/// A name that becomes part of a key.
fn name(value: &Value) -> Option<String> {
    text(value)
        .filter(|name| {
            (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
        })
        .map(str::to_owned)
}

fn envelope_time(event: &Value) -> Result<Timestamp, Rejected> {
    timestamp(&event["time"]).ok_or(Rejected::Malformed("it has no time"))
}

#[cfg(test)]
mod tests;

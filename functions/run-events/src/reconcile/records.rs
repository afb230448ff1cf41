//! AppFlow's own records of a flow's runs, read in the tenant's account.

use aws_sdk_appflow::primitives::DateTime;
use aws_sdk_appflow::{
    operation::describe_flow_execution_records::DescribeFlowExecutionRecordsOutput,
    types::{ExecutionRecord, ExecutionStatus},
};
use jiff::{SignedDuration, Timestamp};
use tributary::{
    aws::Refusal,
    error::Error,
    run::{CauseClass, Run, RunStatus, RunTrigger},
    tenancy::Account,
};

use super::{FlowItem, Outlook, Records};
use crate::{
    Facts, News, TenantEvents,
    failure::{Failure, classify},
    owner::RunOwner,
};

/// Most pages of records that are read for one flow.
const MOST_PAGES: usize = 20;
/// Records so much older than a run we ask about are not its own, however clocks differ.
const SLACK: SignedDuration = SignedDuration::from_mins(10);
/// Longest that AppFlow lets a run take, and some: a run older than this without a record is lost.
const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(49);
/// How long a started run may be without a record before it is asked about as lost.
const RECORD_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// A record of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// AppFlow's id of the run.
    pub execution_id: String,
    /// What the record says.
    pub news: News,
}

impl TenantEvents<'_> {
    /// Reads a flow's records back to the oldest that is asked about.
    pub(super) async fn records_of(
        &self,
        owner: &RunOwner,
        flow: &FlowItem,
        asked: &Asked<'_>,
    ) -> Result<Records, Error> {
        let account = Account::load(&self.store, owner.tenant_id, flow.account_id).await?;
        let Some(account) = account else {
            return Ok(Records::gone());
        };
        let aws = tributary::tenancy::session(&self.sessions, &self.store, &account).await?;
        let appflow = aws_sdk_appflow::Client::new(&aws);
        let trigger = flow.trigger();
        let mut found = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let answer = appflow
                .describe_flow_execution_records()
                .flow_name(format!("tributary-{}-{}", owner.tenant_id, owner.flow_id))
                .max_results(100)
                .set_next_token(next)
                .send()
                .await;
            let page: DescribeFlowExecutionRecordsOutput = match answer {
                Ok(page) => page,
                Err(error) => {
                    let refusal = Refusal::of(&error);
                    if refusal.is("ResourceNotFoundException") {
                        return Ok(Records::gone());
                    }
                    return Err(refusal.into_error("appflow:DescribeFlowExecutionRecords"));
                }
            };
            let records = page.flow_executions();
            found.extend(
                records
                    .iter()
                    .filter_map(|record| asked.answer(record, trigger)),
            );
            let is_past = asked.is_past(records);
            next = page.next_token;
            if next.is_none() || is_past {
                return Ok(Records {
                    found,
                    outlook: Outlook::Complete,
                });
            }
        }
        Ok(Records {
            found,
            outlook: Outlook::Partial,
        })
    }
}

/// What is looked for in a flow's records.
pub(super) struct Asked<'a> {
    runs: &'a [Run],
    since: Timestamp,
}

impl<'a> Asked<'a> {
    /// Every run that began since then.
    pub(super) const fn since(since: Timestamp) -> Self {
        Self { runs: &[], since }
    }

    /// These runs, and what is newer.
    pub(super) fn about(runs: &'a [Run]) -> Self {
        let since = runs
            .iter()
            .map(|run| {
                run.started_at
                    .map_or(run.created_at, |at| at.min(run.created_at))
            })
            .min()
            .and_then(|at| at.checked_sub(SLACK).ok())
            .unwrap_or(Timestamp::MIN);
        Self { runs, since }
    }

    /// A record of a run that we asked about, or of a later one, which may be new to us.
    fn answer(&self, record: &ExecutionRecord, trigger: Option<RunTrigger>) -> Option<Found> {
        let execution_id = record.execution_id.clone()?;
        let is_asked = self.runs.iter().any(|run| run.execution_id == execution_id);
        let started_at = record.started_at.as_ref().and_then(instant);
        if !is_asked && started_at.is_none_or(|at| at < self.since) {
            return None;
        }
        let mut news = news_of(record)?;
        news.facts.trigger = trigger;
        Some(Found { execution_id, news })
    }

    /// Whether pages after this one have nothing of interest. AppFlow lists the newest first, and does
    /// not promise to: a page that is in another order ends nothing.
    fn is_past(&self, page: &[ExecutionRecord]) -> bool {
        let began: Option<Vec<Timestamp>> = page
            .iter()
            .map(|record| record.started_at.as_ref().and_then(instant))
            .collect();
        let Some(began) = began else {
            return false;
        };
        let descends = began.len() > 1 && began.is_sorted_by(|a, b| a >= b);
        descends && began.last().is_some_and(|last| *last < self.since)
    }
}

/// What a record says; nothing if it is in a status that we do not know.
pub fn news_of(record: &ExecutionRecord) -> Option<News> {
    let started_at = record.started_at.as_ref().and_then(instant);
    let updated_at = record.last_updated_at.as_ref().and_then(instant);
    let result = record.execution_result.as_ref();
    let status = match record.execution_status.as_ref()? {
        ExecutionStatus::Inprogress | ExecutionStatus::Cancelstarted => RunStatus::Running,
        ExecutionStatus::Successful => RunStatus::Completed,
        ExecutionStatus::Error => RunStatus::Failed,
        ExecutionStatus::Canceled => RunStatus::Cancelled,
        _ => return None,
    };
    if !status.is_final() {
        return Some(News {
            status,
            at: started_at.or(updated_at)?,
            facts: Facts {
                started_at,
                ..Facts::default()
            },
        });
    }
    let error = result.and_then(|result| result.error_info.as_ref());
    let message = error.and_then(|error| error.execution_message.as_deref());
    Some(News {
        status,
        // A record has no end: its last change is its end.
        at: updated_at.or(started_at)?,
        facts: Facts {
            trigger: None,
            started_at,
            ended_at: updated_at,
            records_processed: result.and_then(|result| positive(result.records_processed)),
            records_failed: error.map_or(Some(0), |error| positive(error.put_failures_count)),
            bytes_processed: result.and_then(|result| positive(result.bytes_processed)),
            failure: (status == RunStatus::Failed).then(|| classify(message)),
        },
    })
}

/// What it means for an open run that AppFlow has no record of it.
pub(super) fn unrecorded(
    run: &Run,
    outlook: Outlook,
    is_found: bool,
    now: Timestamp,
) -> Option<News> {
    let age = now.duration_since(run.created_at);
    let (status, failure) = match outlook {
        _ if is_found => return None,
        Outlook::FlowIsGone => (RunStatus::Cancelled, None),
        Outlook::Complete if age > RECORD_DELAY => (RunStatus::Failed, Some(lost())),
        Outlook::Partial if age > LONGEST_RUN => (RunStatus::Failed, Some(lost())),
        Outlook::Complete | Outlook::Partial => return None,
    };
    Some(News {
        status,
        at: now,
        facts: Facts {
            ended_at: Some(now),
            failure,
            ..Facts::default()
        },
    })
}

fn lost() -> Failure {
    Failure {
        cause: CauseClass::Internal,
        retryable: true,
        message: Some("AppFlow has no record of this run.".to_owned()),
    }
}

fn positive(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok())
}

/// AppFlow's times are whole milliseconds, but travel as floats, which are a little off.
fn instant(at: &DateTime) -> Option<Timestamp> {
    let millis = at.as_nanos().saturating_add(500_000).div_euclid(1_000_000);
    Timestamp::from_millisecond(i64::try_from(millis).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use aws_sdk_appflow::types::{ErrorInfo, ExecutionResult};
    use tributary::id::{FlowId, TenantId};

    use super::*;

    #[test]
    fn times_are_whole_milliseconds() {
        let expected = Timestamp::from_millisecond(1_763_721_624_664).unwrap();
        for seconds in [1_763_721_624.664, 1_763_721_624.663_999_9] {
            let at = DateTime::from_secs_f64(seconds);
            assert_eq!(instant(&at), Some(expected), "{seconds}");
        }
    }

    fn record(status: ExecutionStatus) -> ExecutionRecord {
        ExecutionRecord::builder()
            .execution_id("e-1")
            .execution_status(status)
            .started_at(DateTime::from_secs(1_000))
            .last_updated_at(DateTime::from_secs(1_060))
            .execution_result(
                ExecutionResult::builder()
                    .records_processed(7)
                    .bytes_processed(70)
                    .build(),
            )
            .build()
    }

    #[test]
    fn every_status_of_a_record_is_a_status_of_a_run() {
        for (theirs, ours) in [
            (ExecutionStatus::Inprogress, Some(RunStatus::Running)),
            (ExecutionStatus::Cancelstarted, Some(RunStatus::Running)),
            (ExecutionStatus::Successful, Some(RunStatus::Completed)),
            (ExecutionStatus::Error, Some(RunStatus::Failed)),
            (ExecutionStatus::Canceled, Some(RunStatus::Cancelled)),
            (ExecutionStatus::from("Paused"), None),
        ] {
            assert_eq!(
                news_of(&record(theirs.clone())).map(|news| news.status),
                ours,
                "{theirs}"
            );
        }
    }

    #[test]
    fn u2_a_finished_record_tells_what_the_lost_end_would_have_told() {
        let news = news_of(&record(ExecutionStatus::Successful)).unwrap();
        assert_eq!(news.facts.records_processed, Some(7));
        assert_eq!(news.facts.records_failed, Some(0));
        assert_eq!(news.facts.ended_at, Timestamp::from_second(1_060).ok());
    }

    #[test]
    fn u5_a_failed_record_is_classified() {
        let mut failed = record(ExecutionStatus::Error);
        let error = ErrorInfo::builder()
            .put_failures_count(2)
            .execution_message("Error while authenticating to connector")
            .build();
        failed.execution_result = Some(ExecutionResult::builder().error_info(error).build());
        let facts = news_of(&failed).unwrap().facts;
        assert_eq!(facts.cause(), Some(CauseClass::Credentials));
        assert_eq!(facts.records_failed, Some(2));
    }

    #[test]
    fn records_of_runs_that_we_asked_about_and_of_later_ones_count() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let asked = |execution_id: &str, created| {
            let mut run = Run::queued(TenantId::new(), FlowId::new(), execution_id, at(created));
            run.started_at = None;
            [run]
        };
        let record = record(ExecutionStatus::Successful);
        let slack = SLACK.as_secs();
        for (runs, counts) in [
            (asked("e-1", 1_000 + 10 * slack), true),
            (asked("e-0", 1_000 + slack), true),
            (asked("e-0", 1_001 + slack), false),
        ] {
            assert_eq!(
                Asked::about(&runs).answer(&record, None).is_some(),
                counts,
                "{runs:?}"
            );
        }
    }

    #[test]
    fn u2_reading_ends_where_pages_that_descend_are_past_what_is_asked() {
        let page = |seconds: &[i64]| -> Vec<ExecutionRecord> {
            let of = |second| {
                ExecutionRecord::builder()
                    .execution_id("e")
                    .started_at(DateTime::from_secs(second))
                    .build()
            };
            seconds.iter().copied().map(of).collect()
        };
        let asked = Asked::since(Timestamp::from_second(500).unwrap());
        assert!(asked.is_past(&page(&[900, 700, 499])));
        assert!(!asked.is_past(&page(&[900, 700, 500])));
        assert!(!asked.is_past(&page(&[100, 200, 300])), "oldest first");
        assert!(!asked.is_past(&page(&[100])), "no order is seen in one");
        assert!(!asked.is_past(&page(&[])));
    }

    #[test]
    fn a_run_without_a_record_is_lost_only_after_its_time() {
        let created = Timestamp::from_second(1_000_000).unwrap();
        let run = Run::queued(TenantId::new(), FlowId::new(), "e-1", created);
        let after = |duration| created.checked_add(duration).unwrap();
        let status =
            |outlook, found, at| unrecorded(&run, outlook, found, at).map(|news| news.status);
        let soon = after(SignedDuration::from_mins(5));
        let later = after(SignedDuration::from_mins(16));
        let days = after(SignedDuration::from_hours(50));
        assert_eq!(status(Outlook::Complete, false, soon), None);
        assert_eq!(
            status(Outlook::Complete, false, later),
            Some(RunStatus::Failed)
        );
        assert_eq!(status(Outlook::Complete, true, days), None);
        assert_eq!(status(Outlook::Partial, false, later), None);
        assert_eq!(
            status(Outlook::Partial, false, days),
            Some(RunStatus::Failed)
        );
        assert_eq!(
            status(Outlook::FlowIsGone, false, soon),
            Some(RunStatus::Cancelled)
        );
    }
}

//! Running a submitted statement on a blocking thread.

use std::{sync::Arc, time::Instant};

use serde_json::json;

use super::Asked;
use crate::{
    Inner,
    catalog::Actor,
    error::SqlError,
    loads, lock,
    query::{Stop, Terms},
    reader,
    sql::{
        Token,
        token::{statements, tokenise},
    },
    statements::{Part, Statement, Status},
    warehouse::Outcome,
    write::Source,
};

/// What the rest of a batch says after a failure.
const AFTER_FAILURE: &str = "Connection or an prior query failed.";

/// Sends the statement on its way.
pub(super) fn start(inner: &Arc<Inner>, statement: &Statement, actor: Actor, asked: &Asked) {
    let inner = Arc::clone(inner);
    let statement = statement.clone();
    let account = asked.principal.account.clone();
    let principal = asked.principal.arn.clone();
    let region = asked.region.clone();
    tokio::spawn(async move {
        let id = statement.id.clone();
        let request = statement.request.clone();
        let worker = Arc::clone(&inner);
        let owner = account.clone();
        let work = tokio::task::spawn_blocking(move || work(&worker, &owner, &actor, statement));
        if let Err(panicked) = work.await {
            inner.statements.update(&id, |s| {
                s.status = Status::Failed;
                s.error = Some(format!("ERROR: internal error: {panicked}"));
            });
        }
        let Some(events) = inner.services.get().filter(|_| request.with_event) else {
            return;
        };
        let Some(ended) = inner.statements.ended(&id) else {
            return;
        };
        let (kind, target) = match request.target {
            ("WorkgroupName", name) => ("workgroup", name),
            (_, name) => ("cluster", name),
        };
        let event = json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": "Redshift Data Statement Status Change",
            "source": "aws.redshift-data",
            "account": account,
            "time": inner.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": region,
            "resources": [format!("arn:aws:redshift:{region}:{account}:{kind}:{target}")],
            "detail": {
                "principal": principal,
                "statementName": request.name.unwrap_or_default(),
                "statementId": id,
                "redshiftQueryId": -1,
                "state": ended.status.name(),
                "rows": ended.parts.last().map_or(-1, |part| part.rows),
                "expireAt": ended.expires.as_second(),
            },
        });
        events.put_event(&account, event).await;
    });
}

/// Runs all parts: queries of a user each on their own, anything else as one transaction.
fn work(inner: &Inner, account: &str, actor: &Actor, mut statement: Statement) {
    let id = statement.id.clone();
    inner.statements.update(&id, |s| s.status = Status::Started);
    let limits = inner.limits();
    let stop = Stop {
        cancelled: Arc::clone(&statement.cancelled),
        deadline: limits.statement_time.map(|time| Instant::now() + time),
    };
    let request = statement.request.clone();
    let terms = Terms {
        parameters: &request.parameters,
        stop: &stop,
        most_bytes: limits.result_bytes,
    };
    let mut parts = std::mem::take(&mut statement.parts);
    let only_reads = parts
        .iter()
        .all(|part| single(&part.sql).is_ok_and(|tokens| reader::reads(&tokens)));
    let ended = inner
        .database(account, &request.database)
        .map_err(|error| error.to_string())
        .and_then(|warehouse| match actor {
            Actor::User(user) if only_reads => run_parts(&mut parts, &statement, |sql| {
                let tokens = single(sql)?;
                reader::admit(&tokens)?;
                let prepared = {
                    let mut warehouse = lock(&warehouse);
                    warehouse.catalog.arrive(user);
                    reader::prepare(&warehouse, actor, &tokens, &stop)?
                };
                prepared.run(terms).map(Outcome::Rows)
            }),
            _ => {
                let fetch = |source: &Source| loads::fetch(inner, account, source);
                let mut failure = None;
                let done = lock(&warehouse).transaction(|warehouse| {
                    let ran = run_parts(&mut parts, &statement, |sql| {
                        warehouse.run(actor, &single(sql)?, terms, &fetch)
                    });
                    // What has to stop leaves nothing behind, even if it was at its end.
                    stop.check()?;
                    ran.map_err(|error| {
                        failure = Some(error);
                        SqlError::Cancelled
                    })
                });
                done.map_err(|error| failure.unwrap_or_else(|| error.to_string()))
            }
        });
    finish(inner, &id, parts, ended);
}

/// One statement, as admitted by ExecuteStatement.
fn single(sql: &str) -> Result<Vec<Token>, SqlError> {
    let mut list = statements(&tokenise(sql)?);
    match list.len() {
        1 => Ok(list.remove(0)),
        0 => Err(SqlError::Other("syntax error at end of input".to_owned())),
        _ => Err(SqlError::Other(
            "multiple statements are not allowed".to_owned(),
        )),
    }
}

/// Runs the parts in order; after a failure the rest is aborted.
fn run_parts(
    parts: &mut [Part],
    statement: &Statement,
    mut run: impl FnMut(&str) -> Result<Outcome, SqlError>,
) -> Result<(), String> {
    let mut failure = None;
    for (index, part) in parts.iter_mut().enumerate() {
        if failure.is_some() {
            part.status = Status::Aborted;
            part.error = Some(AFTER_FAILURE.to_owned());
            continue;
        }
        let begun = Instant::now();
        let outcome = run(&part.sql);
        match outcome {
            Ok(outcome) => {
                part.status = Status::Finished;
                part.nanoseconds = i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
                match outcome {
                    Outcome::Rows(set) => {
                        part.rows = i64::try_from(set.rows.len()).unwrap_or(i64::MAX);
                        part.result = Some(Arc::new(set));
                    }
                    Outcome::Changed(rows) => {
                        part.rows = i64::try_from(rows).unwrap_or(i64::MAX);
                    }
                }
            }
            Err(error) => {
                part.status = Status::Failed;
                part.error = Some(error.to_string());
                failure = Some(if statement.request.batch {
                    format!("Query #{} failed with {error}", index + 1)
                } else {
                    error.to_string()
                });
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

fn finish(inner: &Inner, id: &str, mut parts: Vec<Part>, ended: Result<(), String>) {
    let now = inner.clock.now();
    for part in &mut parts {
        part.updated = now;
        if ended.is_err() && !part.status.is_final() {
            part.status = Status::Failed;
        }
    }
    // A statement that was cancelled meanwhile stays ABORTED: `update` refuses.
    inner.statements.update(id, |statement| {
        statement.parts = parts;
        match ended {
            Ok(()) => statement.status = Status::Finished,
            Err(error) => {
                statement.status = Status::Failed;
                statement.error = Some(error);
            }
        }
    });
}

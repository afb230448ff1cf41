//! `sandbox bench`: how long each function's real binary takes over the Runtime API.
//!
//! Each function is started as Lambda starts it, with the template's environment, against the
//! loopback AWS, and gets the event that it sees most. Times are taken where the gateway hands an
//! invocation over and gets its answer, so they hold one loopback round trip to the Runtime API; the
//! sandbox shares the machine with the function. Nothing here passes or fails on a time.

mod case;
mod machine;
mod measure;
pub mod noisy;
mod percentile;
mod process;
mod report;

use std::{collections::BTreeMap, path::PathBuf};

use sandbox_core::InvocationError;

use crate::{Profile, Sandbox, StartError};

pub use machine::Machine;
pub use measure::Measured;
pub use report::Report;

/// Warm invocations of each function, unless told otherwise.
const INVOCATIONS: usize = 5_000;
/// Where the report goes, unless told otherwise.
const OUT: &str = "bench.json";

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Warm invocations of each function; at least one.
    pub invocations: usize,
    /// Which build is measured. Debug is for trying the bench itself.
    pub profile: Profile,
    /// Where the report is written as JSON.
    pub out: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            invocations: INVOCATIONS,
            profile: Profile::Release,
            out: OUT.into(),
        }
    }
}

impl Profile {
    /// The profile of this name.
    fn named(name: &str) -> Result<Self, Error> {
        match name {
            "debug" => Ok(Self::Debug),
            "release" => Ok(Self::Release),
            other => Err(Error::Usage(format!("there is no profile {other}"))),
        }
    }
}

impl Options {
    /// Reads `--invocations N`, `--profile debug|release` and `--out FILE`.
    pub fn parse(words: &[String]) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| Error::Usage(format!("{word} needs a value")))
            };
            match word.as_str() {
                "--invocations" => {
                    let count = value()?.parse().ok().filter(|count| *count > 0);
                    options.invocations = count.ok_or_else(|| {
                        Error::Usage("--invocations needs a number above 0".to_owned())
                    })?;
                }
                "--profile" => {
                    options.profile = Profile::named(value()?)?;
                }
                "--out" => options.out = value()?.into(),
                other => return Err(Error::Usage(format!("unknown option {other}"))),
            }
        }
        Ok(options)
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line.
    #[error("{0}")]
    Usage(String),
    /// The system around the functions did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What the events are about could not be put into the table.
    #[error("the table could not be filled: {0}")]
    Table(String),
    /// Nobody could be signed in, or let into the warehouse.
    #[error("nobody signed in: {0}")]
    SignIn(#[from] crate::browser::BrowserError),
    /// A function failed.
    #[error("{function} failed")]
    Failed {
        /// Logical id.
        function: &'static str,
        /// What the runtime said.
        #[source]
        source: InvocationError,
    },
    /// A function answered, but not as it does to this event: the times would be of something else.
    #[error("{function} gave an unexpected answer: {answer}")]
    Answer {
        /// Logical id.
        function: &'static str,
        /// The answer.
        answer: String,
    },
    /// The report could not be written.
    #[error("{0} could not be written")]
    Out(PathBuf, #[source] std::io::Error),
}

/// The command: measures, prints the table and writes the report.
pub async fn from_arguments(words: &[String]) -> Result<(), Error> {
    let options = Options::parse(words)?;
    let report = run(options.clone()).await?;
    println!("{report}");
    println!("written to {}", options.out.display());
    Ok(())
}

/// Measures every function of the template, one after the other, and writes the report.
pub async fn run(options: Options) -> Result<Report, Error> {
    let sandbox = Sandbox::start(crate::Options {
        profile: options.profile,
        // A tick in between would be measured with the rest.
        run_schedules: false,
        environment: unlimited(),
        ..crate::Options::default()
    })
    .await?;
    let cases = case::all(&sandbox).await?;
    let mut functions = Vec::with_capacity(cases.len());
    for case in &cases {
        functions.push(measure::measure(&sandbox.runtime, case, options.invocations).await?);
    }
    let report = Report {
        machine: Machine::here(),
        profile: match options.profile {
            Profile::Debug => "debug",
            Profile::Release => "release",
        },
        invocations: options.invocations,
        cold_starts: measure::COLD_STARTS,
        functions,
    };
    report
        .write(&options.out)
        .map_err(|error| Error::Out(options.out, error))?;
    Ok(report)
}

/// Limits that nobody reaches: what is asked here in a row, a tenant asks in hours.
fn unlimited() -> BTreeMap<String, BTreeMap<String, String>> {
    let limits = ["LIMIT_READ", "LIMIT_WRITE", "LIMIT_TOKEN"];
    let limits = limits.map(|name| (name.to_owned(), "100000/100000".to_owned()));
    ["FlowsFunction", "QueriesFunction"]
        .map(|id| (id.to_owned(), limits.clone().into()))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_read() {
        assert_eq!(parse("").unwrap(), Options::default());
        let all = parse("--profile debug --invocations 20 --out /tmp/b.json").unwrap();
        assert_eq!(all.invocations, 20);
        assert_eq!(all.profile, Profile::Debug);
        assert_eq!(all.out, PathBuf::from("/tmp/b.json"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (line, why) in [
            ("--invocations 0", "--invocations needs a number above 0"),
            ("--invocations many", "--invocations needs a number above 0"),
            ("--out", "--out needs a value"),
            ("--profile fast", "there is no profile fast"),
            ("--quick", "unknown option --quick"),
        ] {
            assert_eq!(parse(line).unwrap_err(), why);
        }
    }
}

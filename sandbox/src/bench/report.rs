//! The report, as JSON and as a table.

use std::{fmt, io, path::Path};

use serde::Serialize;

use super::{Machine, Measured};

/// What was measured, where.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The machine.
    pub machine: Machine,
    /// Cargo's profile.
    pub profile: &'static str,
    /// Warm invocations of each function.
    pub invocations: usize,
    /// Cold starts of each function; their medians are reported.
    pub cold_starts: usize,
    /// One entry a function.
    pub functions: Vec<Measured>,
}

impl Report {
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine {
            os,
            architecture,
            processor,
            cores,
            rustc,
        } = &self.machine;
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        writeln!(
            f,
            "{} build on {os} {architecture}, {cores} cores ({}), {}; {} warm invocations, medians of {} cold starts",
            self.profile,
            known(processor),
            known(rustc),
            self.invocations,
            self.cold_starts,
        )?;
        writeln!(
            f,
            "\n{:<24}{:>11}{:>11}{:>10}{:>10}{:>10}{:>10}{:>10}  event",
            "function", "poll ms", "first ms", "p50 ms", "p99 ms", "cpu us", "rss MiB", "size MiB",
        )?;
        for row in &self.functions {
            let Measured {
                function,
                event,
                first_poll_ms,
                first_invocation_ms,
                warm_p50_ms,
                warm_p99_ms,
                warm_cpu_us,
                peak_memory_bytes,
                binary_bytes,
            } = row;
            writeln!(
                f,
                "{function:<24}{first_poll_ms:>11.2}{first_invocation_ms:>11.2}{warm_p50_ms:>10.3}{warm_p99_ms:>10.3}{:>10}{:>10}{:>10}  {event}",
                warm_cpu_us.map_or_else(unknown, |cpu| format!("{cpu:.0}")),
                mebibytes(*peak_memory_bytes),
                mebibytes(*binary_bytes),
            )?;
        }
        Ok(())
    }
}

fn unknown() -> String {
    "-".to_owned()
}

fn mebibytes(bytes: Option<u64>) -> String {
    // Tenths in whole numbers: no rounding of floats to argue about.
    bytes.map_or_else(unknown, |bytes| {
        let tenths = (bytes * 10 + 512 * 1024) / (1024 * 1024);
        format!("{}.{}", tenths / 10, tenths % 10)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_what_is_known_and_a_dash_for_the_rest() {
        let report = Report {
            machine: Machine {
                os: "linux",
                architecture: "aarch64",
                processor: None,
                cores: 2,
                rustc: Some("rustc 1.95.0".to_owned()),
            },
            profile: "release",
            invocations: 5_000,
            cold_starts: 10,
            functions: vec![Measured {
                function: "FlowsFunction",
                event: "GET /v1/me",
                first_poll_ms: 6.5,
                first_invocation_ms: 1.25,
                warm_p50_ms: 0.151,
                warm_p99_ms: 0.4,
                warm_cpu_us: None,
                peak_memory_bytes: Some(11_324_621),
                binary_bytes: None,
            }],
        };
        let table = report.to_string();
        let row = table.lines().last().unwrap_or_default();
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            cells,
            [
                "FlowsFunction",
                "6.50",
                "1.25",
                "0.151",
                "0.400",
                "-",
                "10.8",
                "-",
                "GET",
                "/v1/me"
            ]
        );
        assert!(table.starts_with("release build on linux aarch64, 2 cores (unknown)"));
    }
}

//! Prints the requests that flows compile to, one JSON document a line: those of definitions in files,
//! and those of generated ones. `.ci/check_requests.py` asks AppFlow's service model about each.
//!
//! ```sh
//! cargo run -q -p flows --example compiled_requests -- 2000 events/appflow/flow-*.json
//! ```

use std::{error::Error, io::Write};

use flows::{
    compile::{CreateFlowRequest, Staging, Surroundings, check, import},
    model,
};
use jiff::Timestamp;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

#[path = "../src/compile/check/arbitrary.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "shared with the tests")]
mod arbitrary;
#[path = "../src/compile/samples.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "shared with the tests")]
mod samples;

/// What the shared modules find around them in the crate.
mod compile {
    pub(crate) use super::samples;
    pub(crate) use flows::compile::{Staging, Surroundings};
}

/// Requests that are generated when nobody says how many.
const COUNT: usize = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(Ok(COUNT), |count| count.parse())?;
    let now: Timestamp = "2026-06-01T12:00:00Z".parse()?;
    let mut out = std::io::stdout().lock();
    let mut print = |flow: &model::FlowDefinition| -> Result<(), Box<dyn Error>> {
        let request = compiled(flow, now)?;
        serde_json::to_writer(&mut out, &request)?;
        Ok(out.write_all(b"\n")?)
    };
    for file in arguments {
        let text = std::fs::read_to_string(&file)?;
        let flow = serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
        print(&flow).map_err(|error| format!("{file}: {error}"))?;
    }
    // The same flows on every run: a fault can be looked at again.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let flows = arbitrary::sound_flow();
    for _ in 0..count {
        let flow = flows
            .new_tree(&mut runner)
            .map_err(|reason| reason.to_string())?;
        print(&flow.current())?;
    }
    Ok(())
}

fn compiled(flow: &model::FlowDefinition, now: Timestamp) -> Result<CreateFlowRequest, String> {
    let checked = check(flow, now).map_err(|faults| format!("{faults:?}"))?;
    Ok(flows::compile::compile(&checked, &arbitrary::around(flow)))
}

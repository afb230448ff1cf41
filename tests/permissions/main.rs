//! Least privilege, judged after the end-to-end tests: every permission of the templates' roles was
//! used by some test, and no call was denied for want of one.
//!
//! `cargo test` runs this target after `end_to_end`, which leaves a record (see
//! `sandbox_aws::record_permissions`). It is judged only if it is of a full run that the same cargo
//! started; without one this target fails where `CI` is set and says "not run" elsewhere. To judge the
//! record of an earlier run, name it in `TRIBUTARY_PERMISSIONS_OF`.

use std::{path::Path, process::ExitCode};

use tests::permissions::{Judgement, Record};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("least_privilege: test");
        return ExitCode::SUCCESS;
    }
    match Record::of_this_run(
        &Path::new(env!("CARGO_TARGET_TMPDIR")).join("permissions"),
        &arguments,
    ) {
        Ok(record) => {
            let judgement = Judgement::of(&record);
            println!("{judgement}");
            if judgement.is_good() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(why) if std::env::var_os("CI").is_some() => {
            eprintln!("permissions: there is no record of a full run: {why}");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("permissions: not run: {why}");
            ExitCode::SUCCESS
        }
    }
}

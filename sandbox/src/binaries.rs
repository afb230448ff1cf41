//! The functions' binaries: built by cargo from this checkout, as a newcomer would.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tokio::sync::OnceCell;

/// Which of cargo's profiles the functions are built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build.
    Debug,
    /// As deployed.
    Release,
}

/// Why there are no binaries.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo could not be started.
    #[error("cargo cannot be started")]
    Cargo(#[source] std::io::Error),
    /// Cargo says no; its words are on standard error.
    #[error("cargo could not build the functions (its message is above)")]
    Failed,
    /// Cargo built something else than was asked for.
    #[error("cargo did not say where the binary of {0} is")]
    Missing(String),
}

/// Root of the checkout that the sandbox was built from.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where the binaries are, by package. One process builds each profile once.
type Built = BTreeMap<String, PathBuf>;

static DEBUG: OnceCell<Built> = OnceCell::const_new();
static RELEASE: OnceCell<Built> = OnceCell::const_new();

/// Builds the packages and answers where their binaries are, in the same order.
pub async fn build(packages: &[String], profile: Profile) -> Result<Vec<PathBuf>, BuildError> {
    let cell = match profile {
        Profile::Debug => &DEBUG,
        Profile::Release => &RELEASE,
    };
    let built = cell
        .get_or_try_init(|| cargo_build(packages, profile))
        .await?;
    let found = |package: &String| {
        built
            .get(package)
            .cloned()
            .ok_or_else(|| BuildError::Missing(package.clone()))
    };
    packages.iter().map(found).collect()
}

async fn cargo_build(packages: &[String], profile: Profile) -> Result<Built, BuildError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = tokio::process::Command::new(cargo);
    command
        .current_dir(workspace_root())
        .args([
            "build",
            "--quiet",
            "--locked",
            "--message-format",
            "json-render-diagnostics",
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    match profile {
        // The whole workspace's features are unified, so that a test run and the sandbox share one
        // build of the dependencies instead of making two.
        Profile::Debug => {
            command.args(["--workspace", "--bins"]);
            command.args(["--exclude", "sandbox", "--exclude", "sandbox-gateway"]);
        }
        // As deployed: nothing but the functions decides on features.
        Profile::Release => {
            command.arg("--release");
            command.args(
                packages
                    .iter()
                    .flat_map(|package| ["--package", package.as_str()]),
            );
        }
    }
    let output = command.output().await.map_err(BuildError::Cargo)?;
    if !output.status.success() {
        return Err(BuildError::Failed);
    }
    let artifacts = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|artifact| {
            let name = artifact["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(artifact["executable"].as_str()?)))
        })
        .collect();
    Ok(artifacts)
}

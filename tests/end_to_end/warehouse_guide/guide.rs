//! Running the guide's commands as its reader would, with the sandbox as AWS.

use std::{
    ffi::OsString,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Output,
};

use sandbox::{APP_CLIENT_ID, STACK_NAME, Sandbox, warehouse};
use sandbox_core::{REGION, VENDOR_ACCOUNT};
use tokio::process::Command;

use super::blocks;

/// A folder to work in, and the environment of an administrator.
pub(super) struct Guide {
    folder: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

/// What the script did.
pub(super) struct Ran {
    pub(super) status: i32,
    /// Standard output.
    pub(super) printed: String,
    /// Standard error.
    pub(super) told: String,
}

impl Ran {
    pub(super) fn must_say(&self, what: &str) {
        assert!(
            self.told.contains(what),
            "'{what}' is not said: {}",
            self.told
        );
    }
}

impl Guide {
    pub(super) fn new(sandbox: &Sandbox, tenant: &str, cli: PathBuf) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("warehouse-guide-{}", uuid(&sandbox.aws_url)));
        // What an earlier process with the same ports left.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        std::os::unix::fs::symlink(docs.canonicalize().unwrap(), folder.join("docs")).unwrap();
        let mut path = cli.into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let admin = sandbox.aws.admin_credentials(VENDOR_ACCOUNT);
        let origin = |url: &reqwest::Url| url.as_str().trim_end_matches('/').to_owned();
        let environment = vec![
            ("PATH", path),
            ("HOME", folder.clone().into_os_string()),
            ("AWS_ENDPOINT_URL", origin(&sandbox.aws_url).into()),
            ("AWS_ACCESS_KEY_ID", admin.access_key_id.into()),
            ("AWS_SECRET_ACCESS_KEY", admin.secret_access_key.into()),
            ("AWS_REGION", REGION.into()),
            ("AWS_DEFAULT_REGION", REGION.into()),
            ("STACK", STACK_NAME.into()),
            ("WAREHOUSE_WORKGROUP", warehouse::WORKGROUP.into()),
            ("WAREHOUSE_DATABASE", warehouse::DATABASE.into()),
            ("OIDC_ISSUER", origin(&sandbox.oidc_url).into()),
            ("OIDC_CLIENT_ID", APP_CLIENT_ID.into()),
            ("API_URL", origin(&sandbox.api_url).into()),
            ("TENANT_ID", tenant.into()),
        ];
        Self {
            folder,
            environment,
        }
    }

    /// Everything, in one shell, and what it printed.
    pub(super) async fn follow(&self, access_token: &str, id_token: &str) -> String {
        let mut script = String::new();
        for (at, block) in blocks::of(&blocks::text()).into_iter().enumerate() {
            self.append(&mut script, at, &block);
        }
        let tokens = [("ACCESS_TOKEN", access_token), ("ID_TOKEN", id_token)];
        let output = self.shell(&script, &tokens).await;
        let (printed, told) = texts(&output);
        assert!(output.status.success(), "{printed}\n{told}");
        printed
    }

    /// The blocks under these headings.
    pub(super) async fn run(&self, from: &str, to: &str) {
        let mut script = String::new();
        let blocks = blocks::of(&blocks::text()).into_iter();
        let mut found = blocks
            .enumerate()
            .filter(|(_, block)| block.heading == from || block.heading == to)
            .peekable();
        assert!(found.peek().is_some(), "the guide has no {from}");
        for (at, block) in found {
            self.append(&mut script, at, &block);
        }
        let output = self.shell(&script, &[]).await;
        let (printed, told) = texts(&output);
        assert!(output.status.success(), "{printed}\n{told}");
    }

    /// The script as the guide calls it, with a mode and further options, the last of which win.
    pub(super) async fn script(&self, mode: &str, more: &str) -> Ran {
        let script = format!(
            "docs/identity-center-setup.sh {mode} --stack \"$STACK\" --issuer \"$OIDC_ISSUER\" \
             --audience \"$OIDC_CLIENT_ID\" --groups amer-sales,emea-sales,apac-sales,exec-global {more}"
        );
        let output = self.shell(&script, &[]).await;
        let (printed, told) = texts(&output);
        Ran {
            status: output.status.code().unwrap(),
            printed,
            told,
        }
    }

    fn append(&self, script: &mut String, at: usize, block: &blocks::Block) {
        match block.language.as_str() {
            "sh" => script.push_str(&block.text),
            "sql" => {
                let name = format!("block-{at}.sql");
                std::fs::write(self.folder.join(&name), &block.text).unwrap();
                writeln!(script, "docs/warehouse/run-sql.sh {name}").unwrap();
            }
            _ => {}
        }
    }

    async fn shell(&self, script: &str, secrets: &[(&str, &str)]) -> Output {
        Command::new("bash")
            .args(["-c", &format!("set -euo pipefail\n{script}")])
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .envs(secrets.iter().copied())
            .output()
            .await
            .unwrap()
    }
}

impl Drop for Guide {
    fn drop(&mut self) {
        // What cannot be removed is under the target folder and in nobody's way.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// A name for the sandbox behind this address.
fn uuid(url: &reqwest::Url) -> String {
    format!("{}-{}", std::process::id(), url.port().unwrap_or_default())
}

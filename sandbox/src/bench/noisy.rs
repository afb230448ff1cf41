//! `sandbox noisy`: what others notice of a tenant that asks far more often than it may (A1).
//!
//! Some tenants ask at their normal rate, first alone and then while another sends a multiple of its
//! quota. Their times are taken from when a request was due, so that waiting to be sent counts. All of
//! it shares one machine, gateway and stand-ins included: what the noise costs the machine is in the
//! figures, which it is not where each function instance has processors of its own. Nothing here passes
//! or fails on a time.

mod load;
mod report;

use std::{path::PathBuf, sync::Arc, time::Duration};

use sandbox_core::VENDOR_ACCOUNT;
use sandbox_saas::oidc::{Signature, TokenUse};
use serde_json::json;

use self::load::{Load, Seen};
pub use self::report::{Figures, Noise, Report};
use super::{Error, Machine};
use crate::{Profile, Sandbox};

/// How the load is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long each of the two parts takes; 600 for the record.
    pub seconds: u64,
    /// Tenants that behave.
    pub others: usize,
    /// Requests of each of them in a second.
    pub rate: u64,
    /// Reading requests that the noisy one may make in a second.
    pub quota: u64,
    /// How many times that it sends.
    pub factor: u64,
    /// Which build is measured.
    pub profile: Profile,
    /// Where the report is written as JSON.
    pub out: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seconds: 20,
            others: 4,
            rate: 5,
            quota: 10,
            factor: 50,
            profile: Profile::Release,
            out: "noisy.json".into(),
        }
    }
}

impl Options {
    /// Reads `--seconds N`, `--others N`, `--rate N`, `--quota N`, `--factor N`,
    /// `--profile debug|release` and `--out FILE`.
    pub fn parse(words: &[String]) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| Error::Usage(format!("{word} needs a value")))?;
            let number = || {
                let number = value.parse().ok().filter(|number| *number > 0);
                number.ok_or_else(|| Error::Usage(format!("{word} needs a number above 0")))
            };
            match word.as_str() {
                "--seconds" => options.seconds = number()?,
                "--others" => options.others = usize::try_from(number()?).unwrap_or(usize::MAX),
                "--rate" => options.rate = number()?,
                "--quota" => options.quota = number()?,
                "--factor" => options.factor = number()?,
                "--profile" => options.profile = Profile::named(value)?,
                "--out" => options.out = value.into(),
                other => return Err(Error::Usage(format!("unknown option {other}"))),
            }
        }
        Ok(options)
    }
}

/// The command: measures, prints the figures and writes the report.
pub async fn from_arguments(words: &[String]) -> Result<(), Error> {
    let options = Options::parse(words)?;
    let report = run(&options).await?;
    println!("{report}");
    let written = serde_json::to_string_pretty(&report)
        .map_err(std::io::Error::from)
        .and_then(|text| std::fs::write(&options.out, text + "\n"));
    written.map_err(|error| Error::Out(options.out.clone(), error))?;
    println!("written to {}", options.out.display());
    Ok(())
}

/// Measures the others alone, and then beside the noise.
pub async fn run(options: &Options) -> Result<Report, Error> {
    let sandbox = Sandbox::start(crate::Options {
        profile: options.profile,
        run_schedules: false,
        ..crate::Options::default()
    })
    .await?;
    let mut others = Vec::with_capacity(options.others);
    for number in 0..options.others {
        let (_, token) = tenant(&sandbox, &format!("Other {number}")).await?;
        others.push(token);
    }
    let (noisy, token) = tenant(&sandbox, "Noisy").await?;
    limit(&sandbox, &noisy, options.quota).await?;
    let load = Arc::new(Load::new(&sandbox.api_url, options.seconds));
    // What an instance fetches at its start is no tenant's fault.
    load.warm_up(&others).await;

    let alone = normal(&load, &others, options.rate).await;
    let noise = {
        let load = Arc::clone(&load);
        let per_second = options.quota * options.factor;
        tokio::spawn(async move { load.constant(&token, per_second).await })
    };
    let beside = normal(&load, &others, options.rate).await;
    let noise = noise.await.unwrap_or_default();
    Ok(Report {
        machine: Machine::here(),
        seconds: options.seconds,
        others: options.others,
        others_rate: options.rate,
        quota: options.quota,
        factor: options.factor,
        alone: Figures::of(&alone),
        beside: Figures::of(&beside),
        noise: Noise::of(&noise, options.seconds),
    })
}

/// All others at their rate.
async fn normal(load: &Arc<Load>, others: &[String], rate: u64) -> Seen {
    let mut asking = tokio::task::JoinSet::new();
    for token in others {
        let (load, token) = (Arc::clone(load), token.clone());
        asking.spawn(async move { load.constant(&token, rate).await });
    }
    asking.join_all().await.into_iter().flatten().collect()
}

/// A new tenant and the token of its admin.
async fn tenant(sandbox: &Sandbox, name: &str) -> Result<(String, String), Error> {
    let failed = |what: String| Error::Table(what);
    let operator = sandbox
        .operator()
        .await
        .map_err(|e| failed(e.to_string()))?;
    let request = json!({ "name": name, "members": [] });
    let made = operator.post("/v1/tenants", &request).await;
    let made = made.and_then(|answer| answer.expect(201));
    let made = made.map_err(|error| failed(error.to_string()))?;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    let claims = json!({ "tenant_id": id, "tenant_roles": "admin" });
    let token = sandbox
        .oidc
        .mint("alex", TokenUse::Access, claims, Signature::Current);
    Ok((id, token.ok_or_else(|| failed("no token".to_owned()))?))
}

/// Gives a tenant a quota of its own for reading, as docs/OPERATIONS.md says.
async fn limit(sandbox: &Sandbox, tenant: &str, per_second: u64) -> Result<(), Error> {
    let limit = format!("{per_second}/{}", per_second * 2);
    let update = json!({
        "TableName": sandbox.stack.resources["Table"].physical_id(),
        "Key": { "pk": { "S": format!("LIMIT#{tenant}") }, "sk": { "S": "read" } },
        "UpdateExpression": "SET own_limit = :limit",
        "ExpressionAttributeValues": { ":limit": { "S": limit } },
    });
    let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
    let reply = sandbox
        .aws
        .call(&admin, "dynamodb", "UpdateItem", &update)
        .await;
    if reply.status.is_success() {
        return Ok(());
    }
    Err(Error::Table(
        String::from_utf8_lossy(&reply.body).into_owned(),
    ))
}

/// How long until the nth request is due at a rate.
fn due(number: u64, per_second: u64) -> Duration {
    Duration::from_nanos(number * 1_000_000_000 / per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_read() {
        let words =
            |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
        assert_eq!(Options::parse(&[]).unwrap(), Options::default());
        let options = Options::parse(&words("--seconds 600 --quota 20 --profile debug")).unwrap();
        assert_eq!((options.seconds, options.quota), (600, 20));
        assert_eq!(options.profile, Profile::Debug);
        for wrong in ["--seconds 0", "--seconds", "--loud 3"] {
            assert!(Options::parse(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn requests_are_due_evenly() {
        assert_eq!(due(0, 500), Duration::ZERO);
        assert_eq!(due(500, 500), Duration::from_secs(1));
        assert_eq!(due(1, 3), Duration::from_nanos(333_333_333));
    }
}

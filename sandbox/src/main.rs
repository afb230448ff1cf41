//! `cargo run -p sandbox`: the whole system on one machine.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use sandbox::{Options, Sandbox, binaries::workspace_root, openapi, tour};

const USAGE: &str = "\
cargo run -p sandbox                        walk the tour, then serve until stopped
cargo run -p sandbox -- tour                walk the tour and exit; non-zero on any failure
cargo run -p sandbox -- serve               serve until stopped, without the tour
cargo run -p sandbox -- openapi [FILE]      write the OpenAPI document (default docs/openapi.json)
cargo run -p sandbox -- openapi --check FILE   fail if the file is not the document of today
cargo run --release -p sandbox -- bench [--invocations N] [--profile debug|release] [--out FILE]
cargo run --release -p sandbox -- noisy [--seconds N] [--others N] [--rate N] [--quota N] [--factor N] [--out FILE]
options: --port N   first of seven consecutive ports (default 8700)   --log FILE   copy of all logs
";

/// What was asked for on the command line.
#[derive(Debug, Default)]
struct Arguments {
    command: Option<String>,
    port: Option<u16>,
    log: Option<PathBuf>,
    check: bool,
    rest: Vec<String>,
}

fn arguments() -> Result<Arguments, String> {
    let mut parsed = Arguments::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--port" => {
                let port = words
                    .next()
                    .and_then(|port| port.parse().ok())
                    .filter(|port| *port < u16::MAX - 5);
                parsed.port = Some(port.ok_or("--port needs a port number")?);
            }
            "--log" => parsed.log = Some(words.next().ok_or("--log needs a file")?.into()),
            "--check" => parsed.check = true,
            "--help" | "-h" => parsed.command = Some("help".to_owned()),
            _ if parsed.command.is_none() && !word.starts_with('-') => parsed.command = Some(word),
            _ => parsed.rest.push(word),
        }
    }
    Ok(parsed)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let outcome = match arguments.command.as_deref() {
        None => walk(&arguments, true, true).await,
        Some("tour") => walk(&arguments, true, false).await,
        Some("serve") => walk(&arguments, false, true).await,
        Some("openapi") => write_openapi(&arguments),
        Some("bench") => sandbox::bench::from_arguments(&arguments.rest)
            .await
            .map_err(Into::into),
        Some("noisy") => sandbox::bench::noisy::from_arguments(&arguments.rest)
            .await
            .map_err(Into::into),
        Some("help") => {
            print!("{USAGE}");
            Ok(())
        }
        Some(other) => {
            eprintln!("unknown command {other}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nfailed: {error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

async fn walk(arguments: &Arguments, with_tour: bool, stay: bool) -> Result<(), Failure> {
    println!("building the functions and starting everything on 127.0.0.1 ...");
    // A tour that does not stay needs no known ports; one that stays does, for the README's curl.
    let first_port = if stay || arguments.port.is_some() {
        Some(arguments.port.unwrap_or(8700))
    } else {
        None
    };
    let sandbox = Sandbox::start(Options {
        first_port,
        log_file: arguments.log.clone(),
        ..Options::default()
    })
    .await?;
    if with_tour {
        tour::walk(&sandbox).await?;
    }
    if stay {
        serve(&sandbox).await?;
    }
    Ok(())
}

async fn serve(sandbox: &Arc<Sandbox>) -> Result<(), Failure> {
    println!(
        "\nserving until stopped (Ctrl-C)\n  control page       {}\n  API                {}\n  AWS endpoint       {}\n  Salesforce         {}\n  other providers    {}\n  webhook endpoints  {}\n  identity provider  {}",
        sandbox.control_url,
        sandbox.api_url,
        sandbox.aws_url,
        sandbox.salesforce_url,
        sandbox.providers_url,
        sandbox.webhooks.url(""),
        sandbox.oidc_url
    );
    println!(
        "\ntry this, then go on with the README:\n  TOKEN=$(curl -s -u {}:{} -d grant_type=client_credentials {}oauth2/token | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n  curl -s -H \"authorization: Bearer $TOKEN\" {}v1/tenants",
        sandbox::OPERATOR_CLIENT_ID,
        sandbox::OPERATOR_SECRET,
        sandbox.oidc_url,
        sandbox.api_url
    );
    tokio::signal::ctrl_c().await?;
    println!("stopping");
    Ok(())
}

fn write_openapi(arguments: &Arguments) -> Result<(), Failure> {
    let path = arguments
        .rest
        .first()
        .map_or_else(|| workspace_root().join("docs/openapi.json"), PathBuf::from);
    if arguments.check {
        if openapi::is_current(&path)? {
            return Ok(());
        }
        return Err(format!(
            "{} is not current: run `cargo run -p sandbox -- openapi`",
            path.display()
        )
        .into());
    }
    std::fs::write(&path, openapi::document()?)?;
    println!("wrote {}", path.display());
    Ok(())
}

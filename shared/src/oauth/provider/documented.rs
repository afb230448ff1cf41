//! `docs/SECURITY.md` has the provider table; this holds it to the rows.

use super::{PROVIDERS, Provider, Revoke, RotationClass};

const DOCUMENT: &str = include_str!("../../../../docs/SECURITY.md");

/// The line of the document for a provider.
fn line(row: &Provider) -> String {
    let used = match row.rotation {
        RotationClass::Never => "stay good".to_owned(),
        RotationClass::KeepsOld => "are replaced, old ones stay good".to_owned(),
        RotationClass::Grace(window) => format!(
            "are replaced, old ones stay good for {} s",
            window.as_secs()
        ),
        RotationClass::Strict => "are replaced; a used one ends the grant".to_owned(),
        RotationClass::NoRefreshToken => "there are none".to_owned(),
    };
    let idle = row.idle_limit.map_or_else(
        || "–".to_owned(),
        |limit| format!("{} days", limit.as_hours() / 24),
    );
    let end = match row.revoke {
        Some(Revoke::Standard(_)) => "RFC 7009",
        Some(Revoke::DeleteWithBearer(_)) => "`DELETE`",
        None => "by the person, there",
    };
    let lost = match row.rotation {
        RotationClass::Never | RotationClass::KeepsOld | RotationClass::NoRefreshToken => {
            "made again"
        }
        RotationClass::Grace(_) => "made again in time",
        RotationClass::Strict if row.introspect_path.is_some() => "asked about",
        RotationClass::Strict => "waited out",
    };
    let life = match row.access_life.as_mins() {
        minutes @ 0..=1440 => format!("{minutes} min"),
        _ => "does not end".to_owned(),
    };
    format!(
        "| {} `{}` | {used} | {life} | {idle} | {end} | {lost} | {}/s |",
        row.label, row.key, row.calls_per_second
    )
}

#[test]
fn the_provider_table_of_the_documentation_is_the_table() {
    let missing: Vec<String> = PROVIDERS
        .iter()
        .map(line)
        .filter(|line| !DOCUMENT.lines().any(|found| found == line))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

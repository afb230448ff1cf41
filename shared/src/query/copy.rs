//! What COPY may read. The role that loads the vendor's warehouse reads the landing buckets of all
//! tenants, so which folder a tenant's statement names is ours to say.

use super::scan::{Piece, SqlFault};
use crate::{error::Fault, id::TenantId};

/// What the names of landing buckets begin with, in every account that hosts flows for tenants.
pub const LANDING_BUCKETS: &str = "tributary-landing-";

/// Faults of a statement that loads: it reads objects that its text names, and of landing buckets
/// the tenant's own folders only. Statements that do not begin with COPY read no objects.
pub fn foreign_sources(sql: &str, tenant: TenantId) -> Vec<Fault> {
    let fault = |code: &'static str, detail: String| vec![Fault::new("/sql", code, detail)];
    let Ok(pieces) = pieces(sql) else {
        // Said by the scanner.
        return Vec::new();
    };
    let is_word = |piece: &Piece<'_>, word: &str| matches!(piece, Piece::Word(w) if w.eq_ignore_ascii_case(word));
    if !pieces.first().is_some_and(|piece| is_word(piece, "copy")) {
        return Vec::new();
    }
    // A manifest is a list of objects that no check of ours sees.
    if pieces.iter().any(|piece| is_word(piece, "manifest")) {
        let detail = "COPY takes no manifest here; name the folder.".to_owned();
        return fault("manifest_not_allowed", detail);
    }
    let source = pieces
        .iter()
        .position(|piece| is_word(piece, "from"))
        .and_then(|at| pieces.get(at + 1));
    if !matches!(source, Some(Piece::Text(text)) if text.starts_with("s3://")) {
        let detail = "COPY reads from a text that begins with s3://.".to_owned();
        return fault("wrong_source", detail);
    }
    let foreign = pieces.iter().any(|piece| {
        let Piece::Text(text) = piece else {
            return false;
        };
        !is_own(text, tenant)
    });
    if foreign {
        let detail =
            format!("Of a landing bucket, COPY reads {tenant}/ and staging/{tenant}/ here.");
        return fault("not_your_folder", detail);
    }
    Vec::new()
}

/// Whether a text names nothing in a landing bucket, or the tenant's own. Any text counts: COPY also
/// reads what `JSON 's3://…'` names.
fn is_own(text: &str, tenant: TenantId) -> bool {
    let Some(at) = text.to_lowercase().find("s3://") else {
        return true;
    };
    // Whether a backslash escapes depends on settings; a place that could be read in two ways is none.
    if text.contains('\\') {
        return false;
    }
    let Some((bucket, key)) = text.get(at + 5..).and_then(|place| place.split_once('/')) else {
        return !text.to_lowercase().contains(LANDING_BUCKETS);
    };
    let own = format!("{tenant}/");
    !bucket.to_lowercase().starts_with(LANDING_BUCKETS)
        || key.starts_with(&own)
        || key
            .strip_prefix("staging/")
            .is_some_and(|rest| rest.starts_with(&own))
}

fn pieces(sql: &str) -> Result<Vec<Piece<'_>>, SqlFault> {
    let (mut rest, mut pieces) = (sql, Vec::new());
    while let Some((piece, after)) = Piece::first_of(rest)? {
        rest = after;
        if !matches!(piece, Piece::Space) {
            pieces.push(piece);
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const OWN: &str = "ten_00000000000000000000000000000001";
    const OTHER: &str = "ten_00000000000000000000000000000002";

    fn code(sql: &str) -> Option<String> {
        let tenant = TenantId::from_uuid(Uuid::from_u128(1));
        foreign_sources(sql, tenant).pop().map(|fault| fault.code)
    }

    #[test]
    fn own_folders_and_buckets_of_others_accounts_may_be_loaded() {
        let landing = "s3://tributary-landing-111122223333-us-east-1";
        for sql in [
            format!("COPY s.t FROM '{landing}/{OWN}/crm/' IAM_ROLE default FORMAT CSV"),
            format!(
                "copy s.t (a, b) from '{landing}/staging/{OWN}/x' IAM_ROLE 'arn:aws:iam::1:role/x'"
            ),
            format!(
                "/* from */ COPY \"from\".t FROM '{landing}/{OWN}/' IAM_ROLE default FORMAT JSON 'auto'"
            ),
            "COPY s.t FROM 's3://acme-data/sales/' IAM_ROLE default FORMAT CSV".to_owned(),
            format!("INSERT INTO s.t SELECT '{landing}/{OTHER}/'"),
        ] {
            assert_eq!(code(&sql), None, "{sql}");
        }
    }

    #[test]
    fn i1_no_statement_reads_another_tenants_folder() {
        let landing = "s3://tributary-landing-111122223333-us-east-1";
        for (place, expected) in [
            (format!("'{landing}/{OTHER}/crm/'"), "not_your_folder"),
            (format!("'{landing}/'"), "not_your_folder"),
            (format!("'{landing}'"), "not_your_folder"),
            (format!("'{landing}/staging/{OTHER}/'"), "not_your_folder"),
            (format!("'{landing}/staging/'"), "not_your_folder"),
            (format!("'{landing}/{OWN}'"), "not_your_folder"),
            (format!("'{landing}/x/{OWN}/'"), "not_your_folder"),
            (
                format!("'{landing}/{OWN}/' FORMAT JSON '{landing}/{OTHER}/paths'"),
                "not_your_folder",
            ),
            (
                format!("'{landing}/{OWN}/' FORMAT JSON 'S3://Tributary-Landing-1/{OTHER}/p'"),
                "not_your_folder",
            ),
            (
                "'s3://\\x74ributary-landing-1/x/'".to_owned(),
                "not_your_folder",
            ),
            (
                format!("'{landing}/{OWN}/list' IAM_ROLE default MANIFEST"),
                "manifest_not_allowed",
            ),
            (":place".to_owned(), "wrong_source"),
            (format!("$${landing}/{OWN}/$$"), "wrong_source"),
            (format!("E'{landing}/{OWN}/'"), "wrong_source"),
            ("'emr://j-1/x'".to_owned(), "wrong_source"),
            ("'dynamodb://table'".to_owned(), "wrong_source"),
        ] {
            let sql = format!("COPY s.t FROM {place}");
            assert_eq!(code(&sql).as_deref(), Some(expected), "{sql}");
        }
        assert_eq!(code("COPY s.t").as_deref(), Some("wrong_source"));
    }
}

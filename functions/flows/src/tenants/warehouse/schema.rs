//! Names of schemas that the operator may open to a tenant.

use std::collections::BTreeSet;

use tributary::error::Fault;

/// Most schemas of a tenant.
const MOST: usize = 50;
/// Longest name of a schema in Redshift.
const LENGTH: usize = 127;
/// What the names of Redshift's own schemas and views begin with: catalogues of all tenants.
const RESERVED: [&str; 10] = [
    "pg_",
    "information_schema",
    "catalog_history",
    "svv_",
    "svl_",
    "svcs_",
    "stl_",
    "stv_",
    "sys_",
    "padb_",
];

/// What is wrong with a list of schemas.
pub(super) fn faults(schemas: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if schemas.len() > MOST {
        let detail = format!("At most {MOST} schemas.");
        faults.push(Fault::new("/schemas", "too_many", detail));
        return faults;
    }
    let mut seen = BTreeSet::new();
    for (index, name) in schemas.iter().enumerate() {
        let mut add = |code: &str, detail: &str| {
            faults.push(Fault::new(format!("/schemas/{index}"), code, detail));
        };
        if !is_plain(name) {
            add(
                "invalid",
                "1 to 127 lower-case letters, digits, _ and $, beginning with a letter or _.",
            );
        } else if RESERVED.iter().any(|begin| name.starts_with(begin)) {
            add("reserved", "This schema is Redshift's own.");
        } else if !seen.insert(name) {
            add("duplicate", "This schema is in the list already.");
        }
    }
    faults
}

/// A name that means the same quoted and unquoted.
fn is_plain(name: &str) -> bool {
    let first = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let bytes = name.as_bytes();
    bytes.len() <= LENGTH
        && bytes.first().is_some_and(first)
        && bytes
            .iter()
            .all(|byte| first(byte) || byte.is_ascii_digit() || *byte == b'$')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(schemas: &[&str]) -> Vec<(String, String)> {
        let schemas: Vec<String> = schemas.iter().map(|&name| name.to_owned()).collect();
        let faults = faults(&schemas).into_iter();
        faults.map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn plain_names_pass_and_public_is_one_of_them() {
        let longest = "a".repeat(127);
        assert!(found(&["public", "sports_gear", "_x", "a$1", &longest]).is_empty());
        assert!(found(&[]).is_empty());
    }

    #[test]
    fn whatever_is_no_plain_name_is_refused_where_it_stands() {
        let too_long = "a".repeat(128);
        for odd in [
            "", "Public", "1a", "$a", "a b", "a.b", "a-b", "\"a\"", "a;drop", "ä", "a\n", &too_long,
        ] {
            let expected = ("/schemas/1".to_owned(), "invalid".to_owned());
            assert_eq!(found(&["public", odd]), [expected], "{odd:?}");
        }
    }

    #[test]
    fn redshifts_own_and_doubled_names_are_refused() {
        for own in [
            "pg_catalog",
            "information_schema",
            "svv_tables",
            "pg_temp_1",
        ] {
            let expected = ("/schemas/0".to_owned(), "reserved".to_owned());
            assert_eq!(found(&[own]), [expected], "{own}");
        }
        let twice = ("/schemas/1".to_owned(), "duplicate".to_owned());
        assert_eq!(found(&["a", "a"]), [twice]);
        let many: Vec<String> = (0..51).map(|number| format!("s{number}")).collect();
        assert_eq!(faults(&many)[0].code, "too_many");
        assert!(faults(&many[..50]).is_empty());
    }
}

//! Unguessable values.

use aws_lc_rs::{digest, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// `bytes` random bytes as base64url text.
pub(crate) fn token(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    // The generator of aws-lc does not fail on a machine that could start this process; a weak value
    // would be worse than ending it.
    if rand::fill(&mut buffer).is_err() {
        std::process::abort();
    }
    URL_SAFE_NO_PAD.encode(buffer)
}

/// SHA-256, the form in which issued secrets are remembered.
pub(crate) fn digest(value: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, value.as_bytes()).as_ref());
    out
}

/// Whether two secrets are equal, in time that depends on neither.
pub(crate) fn same_secret(left: &str, right: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(&digest(left), &digest(right)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_secrets_compare_by_value() {
        assert_ne!(token(32), token(32));
        assert_eq!(token(32).len(), 43);
        assert!(same_secret("correct horse", "correct horse"));
        assert!(!same_secret("correct horse", "correct horsf"));
    }
}

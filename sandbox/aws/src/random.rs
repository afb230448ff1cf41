//! Random texts for keys, secrets and tokens.

use uuid::Uuid;

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An identifier as IAM makes them: a prefix such as `ASIA` and 16 capitals and digits.
pub(crate) fn identifier(prefix: &str) -> String {
    format!("{prefix}{}", text(UPPER, 16))
}

/// A secret of this many characters.
pub(crate) fn secret(length: usize) -> String {
    text(MIXED, length)
}

fn text(alphabet: &[u8], length: usize) -> String {
    let mut random = std::iter::repeat_with(Uuid::new_v4).flat_map(|uuid| {
        // Bytes 6 and 8 carry the version and the variant, not randomness.
        let mut bytes = uuid.into_bytes().to_vec();
        bytes.remove(8);
        bytes.remove(6);
        bytes
    });
    random
        .by_ref()
        .take(length)
        .map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()]))
        .collect()
}

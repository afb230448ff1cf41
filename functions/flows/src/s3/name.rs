//! Names of buckets, checked before they come near a URL.

use std::str::FromStr;

/// The name of a general purpose bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BucketName(String);

/// Not the name of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, begins and ends with a letter or digit, and is no IP address"
)]
pub(crate) struct NotABucketName;

impl BucketName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BucketName {
    type Err = NotABucketName;

    /// S3 user guide, "Bucket naming rules".
    fn from_str(text: &str) -> Result<Self, NotABucketName> {
        let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = text.as_bytes();
        let sound = (3..=63).contains(&bytes.len())
            && bytes
                .iter()
                .all(|byte| plain(byte) || matches!(byte, b'.' | b'-'))
            && bytes.first().is_some_and(plain)
            && bytes.last().is_some_and(plain)
            && !text.contains("..")
            && text.parse::<std::net::Ipv4Addr>().is_err();
        sound.then(|| Self(text.to_owned())).ok_or(NotABucketName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_buckets_pass() {
        let longest = "a".repeat(63);
        for good in [
            "abc",
            "tributary-landing-111111111111-us-east-1",
            "a.b-c",
            &longest,
        ] {
            assert_eq!(good.parse::<BucketName>().unwrap().as_str(), good);
        }
        let too_long = "a".repeat(64);
        for bad in [
            "",
            "ab",
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            ".abc",
            "a..b",
            "10.0.0.1",
            "a/b",
            "a?policy",
            "a%2Fb",
            "a b",
            "a@evil.example",
            "äbc",
            "abc\n",
            &too_long,
        ] {
            assert!(bad.parse::<BucketName>().is_err(), "{bad}");
        }
    }
}

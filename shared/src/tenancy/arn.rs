//! ARNs of roles.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// ARN of an IAM role, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleArn {
    text: String,
    account: String,
}

/// Why a text is not the ARN of a role that we can assume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoleArn {
    /// Not an ARN at all.
    #[error("not an ARN of the form arn:aws:iam::<12 digits>:role/<name>")]
    Malformed,
    /// AppFlow's service model knows the commercial partition only.
    #[error("only the partition aws is supported")]
    Partition,
    /// A user, root or something else that is not a role.
    #[error("the ARN of a role is needed, not of a user, a group or root")]
    NotARole,
}

impl RoleArn {
    /// The role of this name in an account of the commercial partition.
    pub fn in_account(account: &str, name: &str) -> Result<Self, InvalidRoleArn> {
        Self::of("aws", account, name)
    }

    /// The role of this name in an account of a partition.
    pub fn of(partition: &str, account: &str, name: &str) -> Result<Self, InvalidRoleArn> {
        format!("arn:{partition}:iam::{account}:role/{name}").parse()
    }

    /// The account that the role is in.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The partition of AWS that the role is in.
    pub fn partition(&self) -> &str {
        self.text.split(':').nth(1).unwrap_or("aws")
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for RoleArn {
    type Err = InvalidRoleArn;

    fn from_str(text: &str) -> Result<Self, InvalidRoleArn> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [scheme, partition, service, region, account, resource] = parts[..] else {
            return Err(InvalidRoleArn::Malformed);
        };
        let account_is_sound =
            account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if scheme != "arn"
            || service != "iam"
            || !region.is_empty()
            || !account_is_sound
            || text.len() > 2048
        {
            return Err(InvalidRoleArn::Malformed);
        }
        if partition != "aws" {
            return Err(InvalidRoleArn::Partition);
        }
        let name = resource
            .strip_prefix("role/")
            .ok_or(InvalidRoleArn::NotARole)?;
        let name_is_sound = !name.is_empty()
            && !name.ends_with('/')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte));
        if !name_is_sound {
            return Err(InvalidRoleArn::Malformed);
        }
        Ok(Self {
            text: text.to_owned(),
            account: account.to_owned(),
        })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for RoleArn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for RoleArn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o10_only_roles_of_the_commercial_partition_pass() {
        let good: RoleArn = "arn:aws:iam::222222222222:role/path/TributaryAccess"
            .parse()
            .unwrap();
        assert_eq!(good.account(), "222222222222");
        let bad = [
            (
                "arn:aws:iam::222222222222:user/ana",
                InvalidRoleArn::NotARole,
            ),
            ("arn:aws:iam::222222222222:root", InvalidRoleArn::NotARole),
            (
                "arn:aws-cn:iam::222222222222:role/a",
                InvalidRoleArn::Partition,
            ),
            ("arn:aws:iam::22222222222:role/a", InvalidRoleArn::Malformed),
            (
                "arn:aws:sts::222222222222:assumed-role/a/b",
                InvalidRoleArn::Malformed,
            ),
            ("arn:aws:iam::222222222222:role/", InvalidRoleArn::Malformed),
            (
                "arn:aws:iam::222222222222:role/a b",
                InvalidRoleArn::Malformed,
            ),
            ("TributaryAccess", InvalidRoleArn::Malformed),
        ];
        for (text, error) in bad {
            assert_eq!(text.parse::<RoleArn>(), Err(error), "{text}");
        }
    }
}

//! Who can sign in at a provider.

use crate::random;

/// A person with an account at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderUser {
    /// Login name.
    pub username: String,
    /// Name on the pages.
    pub display_name: String,
    /// E-mail address.
    pub email: String,
    /// Password: `<first name>-password-local`; printed for the newcomer, so no canary.
    pub password: String,
    /// The org that the user belongs to: a ServiceNow or Zendesk instance, a HubSpot account, a
    /// directory of Microsoft with one Dynamics org of the same name.
    pub org: String,
    /// HubSpot's number of the org.
    pub org_number: u64,
    /// Number of the user.
    pub number: u64,
}

/// The people of an org: Olivia and Otto, or in the second org of the sandbox Oscar and Olga.
pub(super) fn of_org(org: &str, names: [&str; 2]) -> Vec<ProviderUser> {
    let user = |name: &str| {
        let username = format!("{name}@{org}.example");
        let (first, rest) = name.split_at(1);
        ProviderUser {
            display_name: format!("{}{rest} Admin", first.to_uppercase()),
            email: username.clone(),
            password: format!("{name}-password-local"),
            org: org.to_owned(),
            org_number: number(org),
            number: number(&username),
            username,
        }
    };
    names.into_iter().map(user).collect()
}

/// A number that belongs to a name.
fn number(name: &str) -> u64 {
    let digest = random::digest(name);
    let bytes: [u8; 4] = [digest[0], digest[1], digest[2], digest[3]];
    u64::from(u32::from_be_bytes(bytes)) + 1_000_000
}

/// 32 hexadecimal digits that belong to a name.
pub(super) fn hex(name: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(32);
    for byte in &random::digest(name)[..16] {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The same as a GUID.
pub(super) fn guid(name: &str) -> String {
    let hex = hex(name);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_belong_to_names() {
        assert_eq!(guid("acme"), guid("acme"));
        assert_ne!(guid("acme"), guid("globex"));
        assert_eq!(guid("acme").len(), 36);
        let people = of_org("acme", ["olivia", "otto"]);
        assert_eq!(people[0].username, "olivia@acme.example");
        assert_eq!(people[1].display_name, "Otto Admin");
        assert_eq!(people[0].org_number, people[1].org_number);
        assert_ne!(people[0].number, people[1].number);
    }
}

//! Keys with which deliveries to HTTPS endpoints are signed.

use jiff::{SignedDuration, Timestamp};
use tributary::{
    error::Error,
    id::{SubscriptionId, TenantId},
    secret::Secret,
    subscription::{SigningKey, SigningSecret},
    vault::Vault,
};

/// How long a key signs besides its successor.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Makes a key: in writing for its owner, and sealed.
pub(super) async fn make(
    vault: &Vault,
    tenant: TenantId,
    id: SubscriptionId,
    now: Timestamp,
) -> Result<(Secret, SigningKey), Error> {
    let secret = SigningSecret::generate()
        .map_err(|_| Error::internal("no_randomness", "the random source failed"))?;
    let secret = Secret::new(secret.expose());
    let id = id.to_string();
    let sealed = vault.seal(tenant, &SigningKey::place(&id), &secret).await?;
    let key = SigningKey {
        sealed,
        created_at: now,
        until: None,
    };
    Ok((secret, key))
}

/// The keys after a new one has come: the one before signs on for a while, those before it as long as
/// they were to.
pub(super) fn rotated(new: SigningKey, old: Vec<SigningKey>, now: Timestamp) -> Vec<SigningKey> {
    let until = now.saturating_add(OVERLAP).unwrap_or(Timestamp::MAX);
    let old = old.into_iter().filter(|key| key.signs(now)).map(|key| {
        let until = Some(key.until.unwrap_or(until));
        SigningKey { until, ..key }
    });
    std::iter::once(new).chain(old).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(made: Timestamp) -> SigningKey {
        let sealed = serde_json::from_value(json!({ "v": 1, "k": "k", "c": made })).unwrap();
        SigningKey {
            sealed,
            created_at: made,
            until: None,
        }
    }

    #[test]
    fn the_key_before_signs_for_a_day_and_no_longer() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let hours = |hours| start + SignedDuration::from_hours(hours);
        let two = rotated(key(hours(1)), vec![key(start)], hours(1));
        assert_eq!(two.len(), 2);
        assert!(two[0].until.is_none());
        assert!(two[1].signs(hours(24)) && !two[1].signs(hours(25)));
        // A second rotation does not make the first key's time longer.
        let three = rotated(key(hours(2)), two, hours(2));
        assert_eq!(three[2].until, Some(hours(25)));
        let later = rotated(key(hours(30)), three, hours(30));
        assert_eq!(later.len(), 2);
    }
}

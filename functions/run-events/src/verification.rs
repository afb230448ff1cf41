//! Events that verification sends through an account, to see whether they come.

use jiff::Timestamp;
use tributary::{
    store::{Key, Update},
    tenancy::EventProbe,
};

use crate::{Rejected, RunEvents};

impl RunEvents {
    /// Writes down that the event came, if verification sent it through this very account.
    ///
    /// The account is EventBridge's word and the nonce is known to that account and us only: an event
    /// with another's nonce, or from another account, is nobody's. It may come twice.
    pub(crate) async fn verification(
        &self,
        account: &str,
        unverified_nonce: &str,
    ) -> Result<(), Rejected> {
        let key = Key::event_probe(account, unverified_nonce);
        let arrived = Update::new().set("arrived_at", Timestamp::now());
        match self.shared.update::<EventProbe>(&key, arrived).await {
            Ok(probe) => {
                tracing::info!(tenant.id = %probe.tenant_id, account.id = %probe.account_id, "event of a verification arrived");
                Ok(())
            }
            Err(error) if error.is_condition() => Err(Rejected::UnknownVerification),
            Err(error) => Err(error.into()),
        }
    }
}

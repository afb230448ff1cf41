//! A gate before every run, so that a test decides how long one takes.

use tokio::sync::watch;

/// Open until it is shut.
#[derive(Debug)]
pub(crate) struct Gate(watch::Sender<bool>);

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Gate {
    pub(crate) fn shut(&self, shut: bool) {
        self.0.send_replace(shut);
    }

    /// Waits until the gate is open.
    pub(crate) async fn passed(&self) {
        // The sender lives as long as `self`, so this ends with the condition met.
        let _ = self.0.subscribe().wait_for(|shut| !shut).await;
    }
}

//! Deliveries that are under way, and waiting for the last of them.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

/// Counts spawned deliveries.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    count: AtomicUsize,
    ended: Notify,
}

/// One delivery; counted until dropped, also when its task panics.
struct Ticket(Arc<Inner>);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        self.0.ended.notify_waiters();
    }
}

impl InFlight {
    /// Runs a delivery as a task of its own.
    pub(crate) fn spawn(&self, delivery: impl Future<Output = ()> + Send + 'static) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        let ticket = Ticket(Arc::clone(&self.0));
        tokio::spawn(async move {
            delivery.await;
            drop(ticket);
        });
    }

    /// Waits until nothing is under way.
    pub(crate) async fn settled(&self) {
        loop {
            let mut ended = std::pin::pin!(self.0.ended.notified());
            ended.as_mut().enable();
            if self.0.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            ended.await;
        }
    }
}

//! What arrives where: SNS, EventBridge and schedules against queues and functions in memory.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of these tests fail by panicking"
)]

mod it {
    pub(crate) mod events;
    pub(crate) mod schedules;
    pub(crate) mod sns;
    pub(crate) mod support;
}

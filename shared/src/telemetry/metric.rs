//! Our own metrics: a table of names, units and dimensions.

/// What a metric counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// A share of a whole.
    Percent,
}

impl Unit {
    /// CloudWatch's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
            Self::Milliseconds => "Milliseconds",
            Self::Percent => "Percent",
        }
    }
}

/// The function and the stage.
const USUAL: &[&str] = &["service", "stage"];
/// The stage alone: one alarm watches all functions.
const STAGE: &[&str] = &["stage"];
/// The stage, and the provider of the table of connectors.
const PROVIDER: &[&str] = &["stage", "provider"];

macro_rules! metrics {
    ($($name:ident, $unit:ident, $dimensions:ident, $doc:literal;)*) => {
        /// A metric of our own operation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric {
            $(#[doc = $doc] $name,)*
        }

        impl Metric {
            /// Every metric.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name at CloudWatch.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What it counts in.
            pub const fn unit(self) -> Unit {
                match self { $(Self::$name => Unit::$unit,)* }
            }

            /// Its dimensions.
            pub const fn dimensions(self) -> &'static [&'static str] {
                match self { $(Self::$name => $dimensions,)* }
            }
        }
    };
}

metrics! {
    ColdStart, Count, USUAL, "A process of a function began.";
    RequestHandled, Count, USUAL, "A request was answered; those that were refused are among them.";
    RequestFailed, Count, USUAL, "A request was answered with a status from 500 on.";
    RefreshDue, Count, USUAL, "Connections were found due for new tokens.";
    RefreshSucceeded, Count, USUAL, "A connection got new tokens.";
    RefreshFailed, Count, USUAL, "A connection got no new tokens, and will be tried again.";
    RefreshLag, Seconds, USUAL, "How long after a connection was due its tokens came.";
    TokenTimeToLive, Seconds, USUAL, "How long the access token that was replaced would have lived on.";
    ReauthorizationRequired, Count, USUAL, "A connection needs a new consent.";
    AssumeRoleCalls, Count, USUAL, "STS was asked for a session of an account's role.";
    AssumeRoleCacheHit, Count, USUAL, "A session of an account's role was at hand.";
    AssumeRoleThrottled, Count, USUAL, "STS asked us to slow down.";
    AssumeRoleDenied, Count, USUAL, "STS refused a session of an account's role.";
    UpstreamThrottled, Count, USUAL, "A provider's token endpoint asked us to slow down.";
    UpstreamFailed, Count, USUAL, "A provider's token endpoint gave no answer that can be used.";
    UpstreamLatency, Milliseconds, USUAL, "How long a provider's token endpoint took.";
    FlowRunObserved, Count, USUAL, "A run was recorded or came to another state.";
    FlowRunStuck, Count, USUAL, "A run is open for longer than any run may be.";
    DuplicateSuppressed, Count, USUAL, "News that was known already changed nothing.";
    OutOfOrderEvent, Count, USUAL, "News came after later news of the same run.";
    LeaseLost, Count, USUAL, "Somebody else took a connection over while it was worked on.";
    OutboxAge, Seconds, USUAL, "How long the oldest notification that was left over had waited.";
    NotificationPublished, Count, USUAL, "A notification was published.";
    NotificationFailed, Count, USUAL, "A notification could not be published, and waits.";
    IdempotencyConflict, Count, USUAL, "A request came while the same one was under way, or its key was used for another.";
    AuditRecordsNotStored, Count, STAGE, "A record of the audit trail is in the log only.";
    SubscriptionDisabled, Count, STAGE, "A subscription was switched off because its endpoint failed for too long.";
    GuessesRefused, Count, STAGE, "Somebody guesses at links, states, connect tokens or sessions.";
    AfterRunsFailed, Count, STAGE, "What a flow does after a run failed for a reason that is ours.";
    ConnectionsUsedPercent, Percent, STAGE, "How much of AppFlow's quota of connector profiles an account of the pool has used.";
    ProviderBreakerOpen, Count, PROVIDER, "Whether token calls to a provider's host are held back.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_metric_has_more_than_two_dimensions_and_one_of_them_is_the_stage() {
        for metric in Metric::ALL {
            let dimensions = metric.dimensions();
            assert!(
                dimensions.len() <= 2 && dimensions.contains(&"stage"),
                "{metric:?}"
            );
        }
    }
}

//! What belongs to one invocation: every line that is written in it says so.

use std::future::Future;

use lambda_http::Context;
use tracing::Instrument as _;

/// Longest correlation id that a caller may give.
const LONGEST: usize = 64;

tokio::task_local! {
    static CURRENT: Correlation;
}

/// What tells that log lines, runs and notifications belong together: a caller's own id, else the id
/// of the request or event that it all began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correlation(String);

impl Correlation {
    /// The id that a caller gave, if it is one: letters, digits, `.`, `_` and `-`.
    pub fn given(unverified: &str) -> Option<Self> {
        let sound = (1..=LONGEST).contains(&unverified.len())
            && unverified
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        sound.then(|| Self(unverified.to_owned()))
    }

    /// An id that AWS gave.
    pub fn of_aws(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The correlation id of the invocation that this is part of, if there is one.
pub fn correlation() -> Option<Correlation> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Does something as part of an invocation: every line names it.
///
/// On the heap, because it is all that a function does, and wrapped once more.
pub fn within<T>(
    correlation: Correlation,
    context: Option<&Context>,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let work = Box::pin(work);
    let request = context.map(|context| context.request_id.as_str());
    let trace = context.and_then(|context| context.xray_trace_id.as_deref());
    let span = tracing::info_span!(
        "invocation",
        correlation_id = correlation.as_str(),
        function_request_id = request,
        xray_trace_id = trace,
    );
    CURRENT.scope(correlation, work.instrument(span))
}

/// Works on an event that no caller asked for: it goes by its own id, or by the invocation's.
pub fn invocation<T>(
    context: &Context,
    event_id: Option<&str>,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let id = event_id
        .and_then(Correlation::given)
        .unwrap_or_else(|| Correlation::of_aws(&context.request_id));
    within(id, Some(context), work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_caller_cannot_break_out_of_a_header_or_a_line() {
        for good in [
            "order-4711",
            "a",
            "0b5c3c5e-3b1f-4a3f-8d58-2f8f6a0b7a11",
            "A.b_c",
        ] {
            assert_eq!(Correlation::given(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a\nb", "a\"", "ü", "a/b", &"a".repeat(65)] {
            assert_eq!(Correlation::given(bad), None, "{bad:?}");
        }
    }

    #[tokio::test]
    async fn what_is_done_within_an_invocation_knows_its_id() {
        assert_eq!(correlation(), None);
        let id = Correlation::of_aws("e-1");
        let seen = within(id.clone(), None, async { correlation() }).await;
        assert_eq!(seen, Some(id));
        assert_eq!(correlation(), None);
    }
}

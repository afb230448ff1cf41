//! Waiting for AppFlow while it asks us to slow down, as long as the caller can wait (F9).

use std::time::{Duration, Instant};

use tributary::error::{Error, Kind};
use uuid::Uuid;

/// How long after the first call another one begins. The gateway gives up after 29 seconds, and the
/// last call needs its own time.
const BEGIN_WITHIN: Duration = Duration::from_secs(15);
/// First pause between two calls, in milliseconds.
const FIRST_PAUSE: u64 = 500;
/// Longest pause between two calls, in milliseconds.
const LONGEST_PAUSE: u64 = 4_000;

/// Calls until it is not throttled any more, or there is no time left. The SDK's own few attempts
/// are within each call.
pub(super) async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let begun = Instant::now();
    let mut throttles = 0;
    loop {
        let answer = call().await;
        let throttled = matches!(&answer, Err(error) if error.kind() == Kind::Throttled);
        let wait = pause(throttles);
        if !throttled || begun.elapsed() + wait > BEGIN_WITHIN {
            return answer;
        }
        throttles += 1;
        tokio::time::sleep(wait).await;
    }
}

/// The pause after so many throttles: twice as long each time up to the longest, of which half and
/// a random part of the rest, so that those who wait do not come together.
fn pause(throttles: u32) -> Duration {
    let whole = (FIRST_PAUSE << throttles.min(6)).min(LONGEST_PAUSE);
    let half = whole / 2;
    let random = Uuid::new_v4().as_u64_pair().1 % (half + 1);
    Duration::from_millis(half + random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f9_pauses_grow_up_to_the_longest_and_are_never_the_same() {
        for (throttles, whole) in [(0, 500), (1, 1_000), (2, 2_000), (3, 4_000), (40, 4_000)] {
            for _ in 0..50 {
                let pause = pause(throttles).as_millis();
                assert!((whole / 2..=whole).contains(&pause), "{throttles}: {pause}");
            }
        }
    }

    #[tokio::test]
    async fn f9_a_throttle_is_waited_out_and_another_failure_is_told_at_once() {
        let mut calls = 0;
        let answer = patiently(|| {
            calls += 1;
            std::future::ready(match calls {
                1 => Err(Error::new(Kind::Throttled, "aws_throttled", "Slow down.")),
                _ => Err::<(), _>(Error::not_found()),
            })
        })
        .await;
        assert_eq!(answer.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(calls, 2);
    }
}

//! Throttled requests that come again, as AWS's SDKs repeat them.

use std::collections::VecDeque;

/// How often and when a throttled request is repeated.
///
/// Source: AWS SDKs and Tools Reference Guide, "Retry behavior": the standard mode makes three
/// attempts, with exponential backoff and jitter, at most 20 seconds apart. The SDKs' older modes
/// make up to ten more attempts for DynamoDB, beginning at 50 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Retries {
    /// Attempts in all: 1 is none but the first.
    pub attempts: u64,
    /// Milliseconds before the first repetition; each further one waits twice as long.
    pub base_ms: u64,
    /// Whether each waits for a random part of that time (full jitter).
    pub jitter: bool,
}

/// The longest wait between two attempts, in milliseconds.
const WAIT_MS_MAX: u64 = 20_000;

impl Retries {
    /// The longest wait after an attempt, the first being 0, in steps of time.
    ///
    /// `Assumption:` a request comes again in the next second at the earliest, and a wait that is
    /// chosen at random is spread evenly over its seconds.
    fn wait_steps(&self, attempt: usize, step_seconds: u64) -> usize {
        let doubled = u32::try_from(attempt)
            .ok()
            .and_then(|attempt| 1_u64.checked_shl(attempt))
            .unwrap_or(u64::MAX);
        let wait = self.base_ms.saturating_mul(doubled).min(WAIT_MS_MAX);
        let steps = wait.div_ceil(1000 * step_seconds.max(1)).max(1);
        usize::try_from(steps).unwrap_or(usize::MAX)
    }
}

/// Requests on their way back, by the step in which they arrive.
#[derive(Clone, Debug)]
pub(super) struct Returning {
    retries: Retries,
    step_seconds: u64,
    /// For each of the next steps, what arrives: by the number of attempts made.
    ahead: VecDeque<Vec<u64>>,
}

/// What becomes of a step's refused demand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refused {
    /// What was refused of the new demand.
    pub first: u64,
    /// What has used up its attempts.
    pub given_up: u64,
}

impl Refused {
    /// Demand that does not come again.
    pub fn once(refused: u64) -> Refused {
        Refused {
            first: refused,
            given_up: refused,
        }
    }
}

impl Returning {
    pub fn new(retries: Retries, step_seconds: u64) -> Returning {
        Returning {
            retries,
            step_seconds,
            ahead: VecDeque::new(),
        }
    }

    /// Whether nothing is on its way.
    pub fn is_idle(&self) -> bool {
        self.ahead
            .iter()
            .all(|step| step.iter().all(|demand| *demand == 0))
    }

    /// What arrives in this step, by the number of attempts made before.
    pub fn arrive(&mut self) -> Vec<u64> {
        self.ahead.pop_front().unwrap_or_default()
    }

    /// Takes what a step refused: of each attempt in proportion to its demand; `wanted` is the new
    /// demand followed by what came again.
    pub fn refuse(&mut self, wanted: &[u64], refused: u64) -> Refused {
        let all: u128 = wanted.iter().map(|one| u128::from(*one)).sum();
        let mut result = Refused::default();
        if refused == 0 || all == 0 {
            return result;
        }
        let part = |one: u64| {
            let share = u128::from(refused) * u128::from(one) / all;
            u64::try_from(share).unwrap_or(u64::MAX).min(one)
        };
        let mut parts: Vec<u64> = wanted.iter().map(|one| part(*one)).collect();
        let mut left = refused.saturating_sub(parts.iter().sum());
        for (own, whole) in parts.iter_mut().zip(wanted) {
            let more = left.min(whole - *own);
            *own += more;
            left -= more;
        }
        result.first = parts.first().copied().unwrap_or(0);
        for (attempt, amount) in parts.into_iter().enumerate() {
            if (attempt as u64) + 1 < self.retries.attempts {
                self.send_back(attempt, amount);
            } else {
                result.given_up += amount;
            }
        }
        result
    }

    fn send_back(&mut self, attempt: usize, amount: u64) {
        let steps = self.retries.wait_steps(attempt, self.step_seconds);
        let first = if self.retries.jitter { 1 } else { steps };
        let over = (steps - first + 1) as u64;
        let (each, mut left) = (amount / over, amount % over);
        for step in first..=steps {
            let extra = u64::from(left > 0);
            left -= extra;
            let arrives = each + extra;
            if arrives == 0 {
                continue;
            }
            while self.ahead.len() < step {
                self.ahead.push_back(Vec::new());
            }
            let slot = &mut self.ahead[step - 1];
            while slot.len() <= attempt {
                slot.push(0);
            }
            slot[attempt] += arrives;
        }
    }

    /// What has not arrived yet.
    #[cfg(test)]
    pub fn outstanding(&self) -> u64 {
        self.ahead.iter().flatten().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_twenty_seconds() {
        let retries = Retries {
            attempts: 12,
            base_ms: 500,
            jitter: true,
        };
        let waits: Vec<usize> = (0..8)
            .map(|attempt| retries.wait_steps(attempt, 1))
            .collect();
        assert_eq!(waits, [1, 1, 2, 4, 8, 16, 20, 20]);
        assert_eq!(retries.wait_steps(200, 1), 20);
        assert_eq!(retries.wait_steps(7, 60), 1);
    }

    #[test]
    fn what_is_refused_comes_again_or_is_given_up() {
        let mut returning = Returning::new(
            Retries {
                attempts: 2,
                base_ms: 3_000,
                jitter: true,
            },
            1,
        );
        let first = returning.refuse(&[100], 10);
        assert_eq!((first.first, first.given_up), (10, 0));
        assert_eq!(returning.outstanding(), 10);
        // Over three seconds, the first of which has one more.
        let arrived: Vec<Vec<u64>> = (0..3).map(|_| returning.arrive()).collect();
        assert_eq!(arrived, [[4], [3], [3]]);
        let second = returning.refuse(&[50, 4], 54);
        assert_eq!((second.first, second.given_up), (50, 4));
    }

    #[test]
    fn without_jitter_all_come_at_once() {
        let mut returning = Returning::new(
            Retries {
                attempts: 3,
                base_ms: 2_000,
                jitter: false,
            },
            1,
        );
        returning.refuse(&[8], 8);
        assert_eq!(returning.arrive(), Vec::<u64>::new());
        assert_eq!(returning.arrive(), [8]);
        assert!(returning.is_idle());
    }
}

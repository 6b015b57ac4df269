//! Throttled requests that come again, as AWS's SDKs repeat them.

use std::collections::VecDeque;

/// How often and when a throttled request is repeated.
///
/// Source: AWS SDKs and Tools Reference Guide, "Retry behavior": the standard mode makes three
/// attempts, with exponential backoff and jitter from 1 second on, at most 20 seconds apart; older modes
/// make more attempts for DynamoDB, from 25 or 50 ms on. `Assumption:` no client uses up the retry
/// quota of its SDK, after which throttled requests are not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Retries {
    /// Attempts in all: 1 is none but the first.
    pub attempts: u64,
    /// Milliseconds before the first repetition; each further one waits twice as long.
    pub base_ms: u64,
    /// Whether each waits for a random part of that time (full jitter).
    pub jitter: bool,
}

impl Default for Retries {
    /// As the standard mode of the SDKs.
    fn default() -> Retries {
        Retries {
            attempts: 3,
            base_ms: 1_000,
            jitter: true,
        }
    }
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

/// The demand of a step: of the hottest key and of the others, each by the number of attempts that
/// were made before; the first is new.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    hot: Vec<u64>,
    others: Vec<u64>,
}

impl Asked {
    /// What the hottest key asks for.
    pub fn hot(&self) -> u64 {
        self.hot.iter().sum()
    }

    /// What all keys ask for.
    pub fn all(&self) -> u64 {
        self.hot() + self.others.iter().sum::<u64>()
    }
}

/// Refused requests on their way back: of the hottest key, whose partition refuses them again, and of
/// the others.
#[derive(Clone, Debug)]
pub(super) struct Returning {
    hot: Ahead,
    others: Ahead,
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
        let none = Ahead {
            retries,
            step_seconds,
            steps: VecDeque::new(),
        };
        Returning {
            hot: none.clone(),
            others: none,
        }
    }

    /// Whether nothing is on its way.
    pub fn is_idle(&self) -> bool {
        self.hot.is_idle() && self.others.is_idle()
    }

    /// New demand with what arrives in this step.
    pub fn arrive(&mut self, hot: u64, others: u64) -> Asked {
        let with = |new: u64, mut again: Vec<u64>| {
            again.insert(0, new);
            again
        };
        Asked {
            hot: with(hot, self.hot.arrive()),
            others: with(others, self.others.arrive()),
        }
    }

    /// Takes what a step refused: `by_partition` of the hottest key, and `by_capacity` of what is left
    /// of all keys, in proportion to their demand.
    pub fn refuse(&mut self, asked: &Asked, by_partition: u64, by_capacity: u64) -> Refused {
        let (hot, all) = (asked.hot() - by_partition, asked.all() - by_partition);
        let share = u128::from(by_capacity) * u128::from(hot) / u128::from(all.max(1));
        let of_hot = u64::try_from(share).unwrap_or(u64::MAX).min(by_capacity);
        let hot = self.hot.refuse(&asked.hot, by_partition + of_hot);
        let others = self.others.refuse(&asked.others, by_capacity - of_hot);
        Refused {
            first: hot.first + others.first,
            given_up: hot.given_up + others.given_up,
        }
    }
}

/// Refused requests of some keys, by the step in which they arrive.
#[derive(Clone, Debug)]
struct Ahead {
    retries: Retries,
    step_seconds: u64,
    /// For each of the next steps, what arrives: by the number of attempts made, from 1.
    steps: VecDeque<Vec<u64>>,
}

impl Ahead {
    fn is_idle(&self) -> bool {
        self.steps
            .iter()
            .all(|step| step.iter().all(|demand| *demand == 0))
    }

    fn arrive(&mut self) -> Vec<u64> {
        self.steps.pop_front().unwrap_or_default()
    }

    /// Takes what was refused: of each attempt in proportion to its demand.
    fn refuse(&mut self, wanted: &[u64], refused: u64) -> Refused {
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
            while self.steps.len() < step {
                self.steps.push_back(Vec::new());
            }
            let slot = &mut self.steps[step - 1];
            while slot.len() <= attempt {
                slot.push(0);
            }
            slot[attempt] += arrives;
        }
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

    fn ahead(attempts: u64, base_ms: u64, jitter: bool) -> Ahead {
        let retries = Retries {
            attempts,
            base_ms,
            jitter,
        };
        Returning::new(retries, 1).others
    }

    #[test]
    fn what_is_refused_comes_again_or_is_given_up() {
        let mut returning = ahead(2, 3_000, true);
        let first = returning.refuse(&[100], 10);
        assert_eq!((first.first, first.given_up), (10, 0));
        // Over three seconds, the first of which has one more.
        let arrived: Vec<Vec<u64>> = (0..3).map(|_| returning.arrive()).collect();
        assert_eq!(arrived, [[4], [3], [3]]);
        let second = returning.refuse(&[50, 4], 54);
        assert_eq!((second.first, second.given_up), (50, 4));
    }

    #[test]
    fn without_jitter_all_come_at_once() {
        let mut returning = ahead(3, 2_000, false);
        returning.refuse(&[8], 8);
        assert_eq!(returning.arrive(), Vec::<u64>::new());
        assert_eq!(returning.arrive(), [8]);
        assert!(returning.is_idle());
    }

    #[test]
    fn the_requests_of_the_hottest_key_come_again_as_its_own() {
        let mut returning = Returning::new(Retries::default(), 1);
        let asked = returning.arrive(50, 50);
        // Thirty by the partition, and eight of the seventy that are left: two of the key's twenty.
        let refused = returning.refuse(&asked, 30, 8);
        assert_eq!((refused.first, refused.given_up), (38, 0));
        let again = returning.arrive(0, 0);
        assert_eq!((again.hot(), again.all()), (32, 38));
    }
}

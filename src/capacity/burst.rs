//! Unused capacity that is kept for bursts. It is known exactly, or as two bounds: most minutes are
//! served whatever lies between them, and their steps are examined only if that is no longer so.

use super::series::Minute;
use super::steps::Steps;

/// What the capacity of a minute allows, in the units of the demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// What each step may use.
    pub available: u64,
    /// The most that is kept for bursts.
    pub kept_max: u64,
    /// Steps of a minute.
    pub steps: u64,
}

impl Allowance {
    /// Serves a step: what is kept after it, and what is refused of it.
    #[inline]
    pub fn step(&self, kept: u64, demand: u64) -> (u64, u64) {
        if demand <= self.available {
            let unused = self.available - demand;
            (kept.saturating_add(unused).min(self.kept_max), 0)
        } else {
            let above = demand - self.available;
            let burst = above.min(kept);
            (kept - burst, above - burst)
        }
    }

    /// What the steps of a minute take from what is kept, at most.
    fn above(&self, minute: &Minute) -> u64 {
        let most = minute.highest.saturating_sub(self.available);
        most.saturating_mul(self.steps)
    }

    /// What is kept after a minute, if every step leaves something and nothing is lost but at its
    /// end.
    fn after(&self, kept: u64, sum: u64) -> u64 {
        let unused = self.available.saturating_mul(self.steps);
        kept.saturating_add(unused)
            .saturating_sub(sum)
            .min(self.kept_max)
    }
}

/// What is kept for bursts.
#[derive(Debug, Default)]
pub struct Balance {
    /// It is at least this,
    least: u64,
    /// and at most this.
    most: u64,
    /// What it was when it was last known,
    known: u64,
    /// and what came after that.
    unseen: Vec<Unseen>,
}

/// Minutes whose steps were not examined.
#[derive(Debug)]
struct Unseen {
    at: u64,
    minutes: u64,
    allowance: Allowance,
}

impl Balance {
    /// Whether what is kept serves every step of a minute above what is available, even if all were
    /// as high as the highest.
    #[inline]
    pub fn covers(&self, minute: &Minute, allowance: &Allowance) -> bool {
        minute.highest <= allowance.available
            || allowance.above(minute) <= self.least.min(allowance.kept_max)
    }

    /// Serves a minute that it [covers](Balance::covers) without examining its steps.
    ///
    /// A step leaves what it does not use, up to the most that is kept. If no step takes anything,
    /// or the most is never reached, the sum of the steps says what is kept at the end. If not, the
    /// end is at most what the sum says, and less than the most only by what the steps took after
    /// the most was reached last.
    #[inline]
    pub fn serve(&mut self, at: u64, minute: &Minute, allowance: &Allowance) {
        if self.least == self.most && minute.highest <= allowance.available {
            let kept = allowance.after(self.least.min(allowance.kept_max), minute.sum);
            (self.least, self.most) = (kept, kept);
        } else {
            self.serve_between(at, minute, allowance);
        }
    }

    /// The same, if a step takes from what is kept, or if that is not known exactly.
    fn serve_between(&mut self, at: u64, minute: &Minute, allowance: &Allowance) {
        let (least, most) = (
            self.least.min(allowance.kept_max),
            self.most.min(allowance.kept_max),
        );
        let above = allowance.above(minute);
        let was_known = self.least == self.most;
        self.least = allowance.after(least, minute.sum);
        self.most = allowance.after(most, minute.sum);
        let full = || {
            let unused = allowance.available.saturating_mul(allowance.steps);
            let highest = most.saturating_add(unused).saturating_add(above);
            highest.saturating_sub(minute.sum) > allowance.kept_max
        };
        if above > 0 && full() {
            self.least = self.least.min(allowance.kept_max - above);
        }
        if self.least == self.most {
            self.unseen.clear();
        } else {
            if was_known {
                self.known = least;
            }
            self.leave_out(at, allowance);
        }
    }

    /// Remembers a minute whose steps were not examined.
    fn leave_out(&mut self, at: u64, allowance: &Allowance) {
        let next = |one: &&mut Unseen| one.at + one.minutes == at && one.allowance == *allowance;
        match self.unseen.last_mut().filter(next) {
            Some(last) => last.minutes += 1,
            None => self.unseen.push(Unseen {
                at,
                minutes: 1,
                allowance: *allowance,
            }),
        }
    }

    /// What is kept, exactly: the steps that were not examined are examined now.
    pub fn exact(&mut self, series: &dyn Steps, room: &mut Vec<u64>) -> u64 {
        if self.least < self.most {
            let mut kept = self.known;
            for Unseen {
                at,
                minutes,
                allowance,
            } in std::mem::take(&mut self.unseen)
            {
                for at in at..at + minutes {
                    kept = kept.min(allowance.kept_max);
                    let Some(minute) = series.minute(at) else {
                        continue;
                    };
                    if minute.highest <= allowance.available {
                        kept = allowance.after(kept, minute.sum);
                        continue;
                    }
                    for demand in series.steps(at, room).unwrap_or_default() {
                        (kept, _) = allowance.step(kept, *demand);
                    }
                }
            }
            self.set(kept);
        }
        self.least
    }

    /// Sets what is kept after a minute whose steps were examined.
    pub fn set(&mut self, kept: u64) {
        (self.least, self.most) = (kept, kept);
        self.unseen.clear();
    }
}

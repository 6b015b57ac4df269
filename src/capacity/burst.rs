//! Unused capacity that is kept for bursts. It is known exactly, or as two bounds: most minutes are
//! served whatever lies between them, and their steps are examined only if that is no longer so.

use super::minute::Minute;
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

    /// What the steps of a minute take from what is kept, at most: if as many steps as can be are as
    /// high as the highest, and the others are empty.
    fn above(&self, minute: &Minute) -> u64 {
        match minute.highest.checked_sub(self.available) {
            None | Some(0) => 0,
            Some(of_step) => of_step.saturating_mul(minute.sum.div_ceil(minute.highest)),
        }
    }

    /// Whether what is kept may reach the most during a minute with a sum, whose steps take something
    /// [above](Allowance::above) what is available.
    fn may_fill(&self, kept: u64, sum: u64, above: u64) -> bool {
        let unused = self.available.saturating_mul(self.steps);
        let highest = kept.saturating_add(unused).saturating_add(above);
        highest.saturating_sub(sum) > self.kept_max
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
    /// What came after it was last known.
    unseen: Vec<Unseen>,
}

/// Minutes whose steps were not examined.
#[derive(Debug)]
struct Unseen {
    at: u64,
    minutes: u64,
    allowance: Allowance,
    /// Before the first of them, at least this was kept,
    least: u64,
    /// and at most this.
    most: u64,
}

/// How many minutes have their bounds in common, so that few are examined in vain.
const TOGETHER: u64 = 16;

impl Balance {
    /// Whether what is kept serves every step of a minute above what is available, however high its
    /// steps may be.
    #[inline]
    pub fn covers(&self, minute: &Minute, allowance: &Allowance) -> bool {
        let least = self.least.min(allowance.kept_max);
        minute.highest <= allowance.available
            || minute.sum.saturating_sub(allowance.available) <= least
            || allowance.above(minute) <= least
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
        let before = (least, most);
        self.least = allowance.after(least, minute.sum);
        self.most = allowance.after(most, minute.sum);
        if above > 0 && allowance.may_fill(most, minute.sum, above) {
            self.least = self.least.min(allowance.kept_max.saturating_sub(above));
        }
        if self.least == self.most {
            self.unseen.clear();
        } else {
            self.leave_out(at, allowance, before);
        }
    }

    /// Remembers a minute whose steps were not examined.
    fn leave_out(&mut self, at: u64, allowance: &Allowance, (least, most): (u64, u64)) {
        let goes_on = |last: &&mut Unseen| {
            last.at + last.minutes == at && last.minutes < TOGETHER && last.allowance == *allowance
        };
        match self.unseen.last_mut().filter(goes_on) {
            Some(last) => last.minutes += 1,
            None => self.unseen.push(Unseen {
                at,
                minutes: 1,
                allowance: *allowance,
                least,
                most,
            }),
        }
    }

    /// What is kept, exactly: steps that were not examined are examined now.
    ///
    /// It became unknown where the most that can be kept may have been reached. So the last minutes
    /// in which it may have been are examined first; if both bounds lead to the same end, earlier ones
    /// do not matter.
    pub fn exact(&mut self, series: &dyn Steps, room: &mut Vec<u64>) -> u64 {
        if self.least < self.most {
            let full = |span: &Unseen| span.most >= span.allowance.kept_max;
            let mut from = self.unseen.iter().rposition(full).unwrap_or(0);
            let mut earlier = 1;
            let kept = loop {
                // Before the first, the bounds are the same.
                match self.after_spans(from, series, room) {
                    (least, most) if least == most || from == 0 => break least,
                    _ => from = from.saturating_sub(earlier),
                }
                earlier *= 4;
            };
            self.set(kept);
        }
        self.least
    }

    /// The bounds of what is kept now, if the steps since a span are examined.
    fn after_spans(&self, from: usize, series: &dyn Steps, room: &mut Vec<u64>) -> (u64, u64) {
        let spans = &self.unseen[from..];
        let first = spans.first();
        let (mut least, mut most) = first.map_or((0, 0), |span| (span.least, span.most));
        for span in spans {
            let allowance = &span.allowance;
            for at in span.at..span.at + span.minutes {
                (least, most) = (least.min(allowance.kept_max), most.min(allowance.kept_max));
                let Some(minute) = series.minute(at) else {
                    continue;
                };
                let above = allowance.above(&minute);
                if above == 0 || (above <= least && !allowance.may_fill(most, minute.sum, above)) {
                    least = allowance.after(least, minute.sum);
                    most = allowance.after(most, minute.sum);
                    continue;
                }
                for demand in series.steps(at, room).unwrap_or_default() {
                    (least, _) = allowance.step(least, *demand);
                    (most, _) = allowance.step(most, *demand);
                }
            }
        }
        (least, most)
    }

    /// Sets what is kept after a minute whose steps were examined.
    pub fn set(&mut self, kept: u64) {
        (self.least, self.most) = (kept, kept);
        self.unseen.clear();
    }
}

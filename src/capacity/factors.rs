//! The factors of a shape as they are simulated.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::fingerprint::Fingerprint;
use crate::time::WEEK_MINUTES;
use crate::units::Exact;

/// How a rate changes from the weight of one hour to that of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Course {
    /// The rate is constant within an hour.
    #[default]
    Steps,
    /// The rate changes evenly between the middles of two hours.
    Smooth,
}

/// The rate of each hour of the week, or of each minute, divided by its mean.
#[derive(Clone, Debug)]
pub struct Factors(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    all: Box<[f64]>,
    fingerprint: Fingerprint,
    /// The rates of all minutes, by the course from one hour to the next, once they are needed.
    minutes: [OnceLock<Arc<[f64]>>; 2],
}

impl Factors {
    /// The factor of each minute of the week, computed once for each course.
    pub(super) fn by_minute(&self, course: Course) -> Arc<[f64]> {
        let all = self.0.minutes[course as usize].get_or_init(|| {
            let minutes = 0..WEEK_MINUTES;
            minutes.map(|minute| self.at(minute, course)).collect()
        });
        all.clone()
    }

    /// The factor of a minute of the week: that of its hour, or, if the course is smooth,
    /// interpolated between the middles of two hours. The mean over the week is the same either
    /// way.
    pub(super) fn at(&self, minute: u64, course: Course) -> f64 {
        let hours = self.len().max(1) as u64;
        if course == Course::Steps {
            let each = (WEEK_MINUTES / hours).max(1);
            return self[((minute / each) % hours) as usize];
        }
        let from_middle = minute + hours * 60 - 30;
        let (hour, past) = ((from_middle / 60) % hours, from_middle % 60);
        let (before, after) = (self[hour as usize], self[((hour + 1) % hours) as usize]);
        before + (after - before) * past as f64 / 60.0
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }
}

impl FromIterator<f64> for Factors {
    fn from_iter<I: IntoIterator<Item = f64>>(factors: I) -> Factors {
        let all: Box<[f64]> = factors.into_iter().collect();
        let fingerprint = Fingerprint::of(all.iter().map(|factor| factor.to_bits()));
        Factors(Arc::new(Inner {
            all,
            fingerprint,
            minutes: Default::default(),
        }))
    }
}

impl<'a> FromIterator<&'a Exact> for Factors {
    fn from_iter<I: IntoIterator<Item = &'a Exact>>(factors: I) -> Factors {
        factors.into_iter().map(Exact::to_f64).collect()
    }
}

impl From<Vec<f64>> for Factors {
    fn from(factors: Vec<f64>) -> Factors {
        factors.into_iter().collect()
    }
}

impl Deref for Factors {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.0.all
    }
}

impl PartialEq for Factors {
    fn eq(&self, other: &Factors) -> bool {
        self.0.fingerprint == other.0.fingerprint
    }
}

impl Eq for Factors {}

impl Hash for Factors {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.fingerprint.hash(state);
    }
}

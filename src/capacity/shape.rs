//! The course of a rate over the week.

use std::sync::{Arc, LazyLock};

pub use super::factors::Course;
use super::factors::Factors;
use crate::time::{WEEK_HOURS, WEEK_MINUTES};
use crate::units::Exact;

/// A rate over the week, from Monday 00:00 UTC, as a multiple of its mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The mean of each hour.
    hours: Arc<[Exact]>,
    /// The factor of each minute, if the rate differs within an hour.
    minutes: Option<Arc<[Exact]>>,
    course: Course,
    simulated: Factors,
}

impl Shape {
    /// The same rate at every hour: shared by all that have no profile.
    pub fn flat() -> Shape {
        static FLAT: LazyLock<Shape> = LazyLock::new(|| {
            Shape::new(vec![Exact::one(); WEEK_HOURS].into(), None, Course::Steps)
        });
        FLAT.clone()
    }

    fn new(hours: Arc<[Exact]>, minutes: Option<Arc<[Exact]>>, course: Course) -> Shape {
        let factors = minutes.as_ref().unwrap_or(&hours);
        Shape {
            simulated: factors.iter().collect(),
            hours,
            minutes,
            course,
        }
    }

    /// From a weight for each hour of the week; `None` if there are not 168, or if all are zero.
    pub fn of_hours(weights: &[Exact], course: Course) -> Option<Shape> {
        let hours = relative(weights).filter(|_| weights.len() == WEEK_HOURS)?;
        Some(Shape::new(hours, None, course))
    }

    /// From a weight for each minute of the week; `None` if there are not 10,080, or if all are
    /// zero.
    pub fn of_minutes(weights: &[Exact]) -> Option<Shape> {
        let minutes = relative(weights).filter(|_| weights.len() as u64 == WEEK_MINUTES)?;
        let mean = |hour: &[Exact]| match hour.iter().all(|minute| *minute == hour[0]) {
            true => hour[0].clone(),
            false => hour.iter().cloned().sum::<Exact>() / Exact::from(60),
        };
        let whole = minutes
            .chunks(60)
            .all(|hour| hour.iter().all(|minute| *minute == hour[0]));
        let hours = minutes.chunks(60).map(mean).collect();
        let minutes = (!whole).then_some(minutes);
        Some(Shape::new(hours, minutes, Course::Steps))
    }

    /// How it changes from one hour to the next.
    pub fn course(&self) -> Course {
        self.course
    }

    /// Whether the rate never changes.
    pub fn is_flat(&self) -> bool {
        self.minutes.is_none() && self.hours.iter().all(|hour| *hour == Exact::one())
    }

    /// Whether the rate differs within an hour.
    pub fn is_by_minutes(&self) -> bool {
        self.minutes.is_some()
    }

    /// The mean of an hour; hours wrap around after a week.
    pub fn of_hour(&self, hour: usize) -> &Exact {
        &self.hours[hour % WEEK_HOURS]
    }

    /// The factors of the week: 10,080 minutes if the rate differs within an hour, otherwise 168
    /// hours.
    pub fn factors(&self) -> &Arc<[Exact]> {
        self.minutes.as_ref().unwrap_or(&self.hours)
    }

    /// The [factors](Shape::factors) as they are simulated.
    pub fn simulated(&self) -> &Factors {
        &self.simulated
    }

    /// The highest factor.
    pub fn highest(&self) -> Exact {
        self.factors()
            .iter()
            .max()
            .cloned()
            .unwrap_or_else(Exact::one)
    }
}

/// Weights divided by their mean; `None` if all are zero.
fn relative(weights: &[Exact]) -> Option<Arc<[Exact]>> {
    let sum = weights.iter().cloned().sum::<Exact>();
    if sum.is_zero() {
        return None;
    }
    let mean = sum / Exact::from(weights.len() as u64);
    let mut known: Vec<(&Exact, Exact)> = Vec::new();
    let factor = |weight| match known.iter().find(|(known, _)| *known == weight) {
        Some((_, factor)) => factor.clone(),
        None => {
            known.push((weight, weight / &mean));
            weight / &mean
        }
    };
    Some(weights.iter().map(factor).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_shorter_than_an_hour_keeps_its_rate_and_its_mean() {
        let weights: Vec<Exact> = (0..WEEK_MINUTES)
            .map(|minute| Exact::from(u64::from(minute % 1440 < 5)))
            .collect();
        let shape = Shape::of_minutes(&weights).expect("a shape");
        assert!(shape.is_by_minutes());
        assert_eq!(
            (shape.highest(), shape.of_hour(0).clone()),
            (Exact::from(288), Exact::from(24))
        );
        assert_eq!(
            shape.factors().iter().cloned().sum::<Exact>(),
            Exact::from(WEEK_MINUTES)
        );
    }

    #[test]
    fn whole_hours_of_minutes_are_hours() {
        let weights: Vec<Exact> = (0..WEEK_MINUTES)
            .map(|minute| Exact::from(u64::from(minute < 120)))
            .collect();
        let hours: Vec<Exact> = (0..WEEK_HOURS)
            .map(|hour| Exact::from(u64::from(hour < 2)))
            .collect();
        assert_eq!(
            Shape::of_minutes(&weights),
            Shape::of_hours(&hours, Course::Steps)
        );
    }
}

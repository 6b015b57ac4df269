//! The shape of measured units over the week.

use crate::time::{WEEK_HOURS, minute_of_week};
use crate::units::Exact;

/// The seconds of an hour and of a day.
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;

/// The hour of the week of a moment, from Monday 00:00 UTC.
pub(super) fn hour_of_the_week(second: i64) -> usize {
    (minute_of_week(second.div_euclid(60)) / 60) as usize
}

/// The mean units per second over a week, and the weights of the hours of the week or of the day,
/// if the time from `from` to `to` covers them. `hours` has the units of each hour of the week.
pub(super) fn shape(hours: &[Exact], from: i64, to: i64) -> (Exact, Option<Vec<Exact>>) {
    let span = (to - from).max(1);
    let plain = hours.iter().cloned().sum::<Exact>() / Exact::from(span.unsigned_abs());
    if span < DAY {
        return (plain, None);
    }
    // The number of seconds of the span in each hour of the week.
    let mut covered = vec![0_u64; WEEK_HOURS];
    let mut at = from;
    while at < to {
        let end = ((at.div_euclid(HOUR) + 1) * HOUR).min(to);
        covered[hour_of_the_week(at)] += (end - at).unsigned_abs();
        at = end;
    }
    let slots = if span >= 7 * DAY { WEEK_HOURS } else { 24 };
    let of_slot = |slot: usize| -> Exact {
        let all = || (slot..WEEK_HOURS).step_by(slots);
        let seconds: u64 = all().map(|hour| covered[hour]).sum();
        let units: Exact = all().map(|hour| hours[hour].clone()).sum();
        units / Exact::from(seconds.max(1))
    };
    let rates: Vec<Exact> = (0..slots).map(of_slot).collect();
    let mean = rates.iter().cloned().sum::<Exact>() / Exact::from(slots as u64);
    if mean.is_zero() || rates.iter().all(|rate| *rate == rates[0]) {
        return (mean.max(plain), None);
    }
    let thousand = Exact::from(1_000);
    let weights = rates
        .iter()
        .map(|rate| &(&(rate / &mean) * &thousand).floor() / &thousand)
        .collect();
    (mean, Some(weights))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_week_is_that_of_its_hours() {
        let mut hours = vec![Exact::zero(); WEEK_HOURS];
        (0..WEEK_HOURS).for_each(|hour| {
            hours[hour] = Exact::from(if hour < 24 { 3_600 * 4 } else { 3_600 });
        });
        // A week from Monday 1970-01-05.
        let (mean, weights) = shape(&hours, 4 * DAY, 11 * DAY);
        assert_eq!(mean, Exact::ratio(24 * 4 + 144, 168));
        let weights = weights.expect("a shape");
        assert_eq!(
            (
                weights.len(),
                weights[0].human(3).as_str(),
                weights[100].human(3).as_str()
            ),
            (168, "2.8", "0.7")
        );
        // Half a day has no profile.
        assert_eq!(shape(&hours, 0, DAY / 2).1, None);
    }
}

//! A figure for each step, in as few bytes as it needs.

use std::ops::Range;

/// A figure for each step: 4 bytes for each, unless one needs more.
#[derive(Clone, Debug)]
pub enum StepList {
    /// All are below 2³².
    Narrow(Vec<u32>),
    /// Others.
    Wide(Vec<u64>),
}

impl StepList {
    /// The list of some figures.
    pub fn of(steps: Vec<u64>) -> StepList {
        let narrow: Result<Vec<u32>, _> = steps.iter().map(|step| u32::try_from(*step)).collect();
        narrow.map_or(StepList::Wide(steps), StepList::Narrow)
    }

    /// A list of zeros.
    pub fn zeros(steps: usize) -> StepList {
        StepList::Narrow(vec![0; steps])
    }

    /// Sets the figures from a step on.
    pub fn set(&mut self, from: usize, steps: &[u64]) {
        if let StepList::Narrow(narrow) = self {
            if steps.iter().all(|step| u32::try_from(*step).is_ok()) {
                let own = narrow[from..].iter_mut().zip(steps);
                return own.for_each(|(own, step)| *own = *step as u32);
            }
            *self = StepList::Wide(narrow.iter().copied().map(u64::from).collect());
        }
        if let StepList::Wide(wide) = self {
            wide[from..from + steps.len()].copy_from_slice(steps);
        }
    }

    /// The figures of some steps; `room` may be used for them.
    pub fn get<'a>(&'a self, steps: Range<usize>, room: &'a mut Vec<u64>) -> Option<&'a [u64]> {
        match self {
            StepList::Narrow(narrow) => {
                room.clear();
                room.extend(narrow.get(steps)?.iter().copied().map(u64::from));
                Some(room)
            }
            StepList::Wide(wide) => wide.get(steps),
        }
    }

    /// All figures.
    pub fn to_vec(&self) -> Vec<u64> {
        match self {
            StepList::Narrow(narrow) => narrow.iter().copied().map(u64::from).collect(),
            StepList::Wide(wide) => wide.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_needs_more_widens_all() {
        let steps = [1, 2, u64::from(u32::MAX), 3, 1 << 40, 4];
        let mut list = StepList::zeros(6);
        for (at, pair) in steps.chunks(2).enumerate() {
            list.set(2 * at, pair);
            let is_narrow = matches!(list, StepList::Narrow(_));
            assert_eq!(is_narrow, at < 2);
        }
        assert_eq!(list.to_vec(), steps);
        assert_eq!(StepList::of(steps.to_vec()).to_vec(), steps);
        assert!(matches!(StepList::of(vec![7; 3]), StepList::Narrow(_)));
        let mut room = Vec::new();
        assert_eq!(list.get(1..4, &mut room), Some(&steps[1..4]));
        assert_eq!(
            StepList::of(vec![5, 6, 7]).get(1..3, &mut room),
            Some(&[6, 7][..])
        );
        assert_eq!(list.get(4..7, &mut room), None);
    }
}

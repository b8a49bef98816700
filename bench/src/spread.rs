//! The middle of many figures, and how far they lie apart.

use serde::Serialize;

/// Three figures that half of all lie between, and one in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub lower_quartile: f64,
    pub median: f64,
    pub upper_quartile: f64,
    /// How many figures there are.
    pub count: usize,
}

impl Spread {
    /// `None` if there are no figures. A machine that others use spoils some rounds wholly, so the mean would
    /// tell about the others.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let last = figures.len().checked_sub(1)?;
        let at = |part: f64| {
            let place = part * last as f64;
            let (below, above) = (
                figures[place.floor() as usize],
                figures[place.ceil() as usize],
            );
            below + (above - below) * place.fract()
        };
        Some(Spread {
            lower_quartile: at(0.25),
            median: at(0.5),
            upper_quartile: at(0.75),
            count: figures.len(),
        })
    }

    /// Of the ratios of pairs. Each pair is of one round, so what slowed the whole round is in neither.
    pub fn of_ratios(pairs: &[(f64, f64)]) -> Option<Self> {
        Spread::of(pairs.iter().map(|(value, base)| value / base))
    }

    /// Of the differences of pairs.
    pub fn of_differences(pairs: &[(f64, f64)]) -> Option<Self> {
        Spread::of(pairs.iter().map(|(value, base)| value - base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let spread = Spread::of([9.0, 1.0, 3.0, 100.0, 2.0]).unwrap();
        let three = [spread.lower_quartile, spread.median, spread.upper_quartile];
        assert_eq!((three, spread.count), ([2.0, 3.0, 9.0], 5));
        let even = Spread::of([1.0, 2.0, 4.0, 8.0]).unwrap();
        assert_eq!((even.lower_quartile, even.median), (1.75, 3.0));
        assert_eq!(Spread::of([7.0]).unwrap().upper_quartile, 7.0);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_round_that_was_slow_for_both_changes_nothing() {
        // The ratio of the medians would be 20 / 11.
        let pairs = [
            (10.0, 10.0),
            (20.0, 20.0),
            (220.0, 110.0),
            (30.0, 11.0),
            (9.0, 9.0),
        ];
        assert_eq!(Spread::of_ratios(&pairs).unwrap().median, 1.0);
        assert_eq!(Spread::of_differences(&pairs).unwrap().median, 0.0);
    }
}

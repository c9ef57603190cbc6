//! What some samples say: count, median, maximum, and between which samples the true median lies.

/// The confidence that is asked for; few samples give less, and that is said.
const WANTED: f64 = 0.95;

/// Of at least one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    /// How many samples.
    pub(super) count: usize,
    /// The middle one; of an even number the mean of the two in the middle.
    pub(super) median: f64,
    /// The greatest.
    pub(super) max: f64,
    /// The median of the population is not below this...
    pub(super) low: f64,
    /// ... and not above this ...
    pub(super) high: f64,
    /// ... with this probability, whatever the distribution.
    pub(super) confidence: f64,
}

impl Summary {
    /// `None` of nothing, or of what is no number.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.iter().copied().filter(|sample| sample.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        // Order statistics: from the k-th smallest to the k-th largest, as narrow as the confidence allows.
        let narrow = (1..=count / 2).rev().map(|k| (k, coverage(count, k))).find(|(_, p)| *p >= WANTED);
        let (low, high, confidence) = match narrow {
            Some((k, confidence)) => (sorted[k - 1], sorted[count - k], confidence),
            None => (first, last, coverage(count, 1)),
        };
        let median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
        Some(Self { count, median, max: last, low, high, confidence })
    }
}

/// How probably the median lies between the k-th smallest and the k-th largest of n samples: each is above it or
/// below it with one half.
fn coverage(n: usize, k: usize) -> f64 {
    let mut outside = 0.0;
    let mut term = 0.5_f64.powi(n as i32);
    for i in 0..k {
        outside += term;
        term *= (n - i) as f64 / (i + 1) as f64;
    }
    (1.0 - 2.0 * outside).max(0.0)
}

use super::*;
use crate::metrics::quantiles::Stream;

use proptest::prelude::*;

/// Spec, section 12.
#[test]
fn few_values_are_exact() {
    let mut stream = Stream::new(&MetricKind::QUANTILES);
    assert!(stream.quantile(0.5).is_nan());
    for value in 1..=10 {
        stream.push(f64::from(value));
    }
    let found = MetricKind::QUANTILES.map(|share| stream.quantile(share).to_string());
    assert_eq!(found, ["5", "9", "10"]);
    for value in 1..=5 {
        stream.push(f64::from(value));
    }
    assert_eq!(stream.quantile(0.5).to_string(), "4");
}

/// Whether `found` is close enough to the value at `share` of the sorted values.
fn is_near(sorted: &[f64], share: f64, found: f64) -> bool {
    let count = whole(sorted.len() as u64);
    let low = whole(sorted.partition_point(|value| *value < found) as u64);
    let high = whole(sorted.partition_point(|value| *value <= found) as u64);
    let error = (1.0 - share) / 10.0 * count + 1.0;
    low <= share * count + error && high >= share * count - error
}

#[test]
fn many_values_take_little_room() {
    let mut stream = Stream::new(&MetricKind::QUANTILES);
    // A step that is prime to the length visits each value once, in no order.
    for step in 0..200_000_u64 {
        stream.push(whole(step * 7919 % 200_000));
    }
    for share in MetricKind::QUANTILES {
        let found = stream.quantile(share);
        let error = (1.0 - share) / 10.0 * 200_000.0 + 1.0;
        assert!(
            (found - share * 200_000.0).abs() <= error,
            "{share}: {found}"
        );
    }
    assert!(stream.kept() < 1_000, "{}", stream.kept());
}

proptest! {
    #[test]
    fn ranks_are_near(values in prop::collection::vec(-1e3..1e3_f64, 1..3_000), rounded: bool) {
        let mut stream = Stream::new(&MetricKind::QUANTILES);
        let mut sorted: Vec<f64> = values;
        for value in &mut sorted {
            if rounded {
                *value = value.round() / 10.0;
            }
            stream.push(*value);
        }
        sorted.sort_unstable_by(f64::total_cmp);
        for share in MetricKind::QUANTILES {
            let found = stream.quantile(share);
            prop_assert!(is_near(&sorted, share, found), "{share}: {found}");
        }
    }
}

//! What checks mean for a virtual router that tracks them. Pure.

use vrrp_common::election::Fault;

use super::Health;
use crate::config::model::Track;

/// The sum of what a router tracks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assessment {
    /// To be added to the base priority, before it is clamped to 1 to 254 (an owner's 255 does not move).
    pub adjustment: i32,
    /// Why the router is not eligible; a failing check before a pending one, else the first of the list.
    pub fault: Option<Fault>,
}

/// Adds up what the checks in `tracks` mean, with keepalived's rules:
///
/// | weight | pending | healthy | failing | a file's number |
/// |---|---|---|---|---|
/// | above 0 | 0 | +weight | 0 | number x weight, -253 to 254; a fault below |
/// | below 0 | 0 | 0 | weight (a subtraction) | the same |
/// | 0 | fault | | fault | fault, unless it is 0 |
///
/// `reverse` changes the sign of what is added; with weight 0, success is the fault instead of failure.
/// `health` answers for an index into the checks; an expired result is for the caller to call failing.
pub fn assess(tracks: &[Track], health: impl Fn(usize) -> Health) -> Assessment {
    let mut sum = Assessment::default();
    for track in tracks {
        match meaning(track, health(track.check)) {
            Ok(adjustment) => sum.adjustment += adjustment,
            Err(fault) => sum.fault = worse(sum.fault, Some(fault)),
        }
    }
    sum
}

/// What one check adds to the priority, or the fault that it is.
fn meaning(track: &Track, health: Health) -> Result<i32, Fault> {
    // A configuration has far fewer checks; the number is for the message only.
    let check = u16::try_from(track.check).unwrap_or(u16::MAX);
    let failing = |bad: bool| if bad { Err(Fault::CheckFailing(check)) } else { Ok(0) };
    match (track.weight, health) {
        (_, Health::Awaited) => Ok(0),
        (0, Health::Pending) => Err(Fault::CheckPending(check)),
        (0, Health::Healthy) => failing(track.reverse),
        (0, Health::Failing) => failing(!track.reverse),
        (0, Health::Value(value)) => failing((value != 0) != track.reverse),
        (weight, Health::Value(value)) => {
            let product = signed(i64::from(weight) * i64::from(value), track.reverse);
            let adjustment = product.clamp(i64::from(FILE_FAULT), MOST);
            // The range fits.
            if adjustment == i64::from(FILE_FAULT) { failing(true) } else { Ok(adjustment as i32) }
        }
        (weight, health) => {
            let counts = match health {
                Health::Healthy => weight > 0,
                Health::Failing => weight < 0,
                _ => false,
            };
            Ok(if counts { signed(i64::from(weight), track.reverse) as i32 } else { 0 })
        }
    }
}

/// A file whose number takes this much off says that the router is faulty.
const FILE_FAULT: i32 = -254;
/// The most that a file adds.
const MOST: i64 = 254;

fn signed(adjustment: i64, reverse: bool) -> i64 {
    if reverse { -adjustment } else { adjustment }
}

fn worse(first: Option<Fault>, second: Option<Fault>) -> Option<Fault> {
    match (first, second) {
        (Some(Fault::CheckPending(_)), Some(Fault::CheckFailing(_))) | (None, _) => second,
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Health; 3] = [Health::Pending, Health::Healthy, Health::Failing];

    fn tracks(list: &[(i32, bool)]) -> Vec<Track> {
        let track = |(check, &(weight, reverse))| Track { check, weight, reverse };
        list.iter().enumerate().map(track).collect()
    }

    /// One tracked script: the adjustment while pending, healthy, failing.
    fn check_weight(weight: i32, reverse: bool, expected: [i32; 3]) {
        let tracks = tracks(&[(weight, reverse)]);
        for (health, expected) in ALL.into_iter().zip(expected) {
            let expected = Assessment { adjustment: expected, fault: None };
            assert_eq!(assess(&tracks, |_| health), expected, "weight {weight} reverse {reverse} {health:?}");
        }
    }

    #[test]
    fn a_weight_adjusts_the_priority() {
        check_weight(2, false, [0, 2, 0]);
        check_weight(-20, false, [0, 0, -20]);
        check_weight(253, false, [0, 253, 0]);
        check_weight(-253, false, [0, 0, -253]);
    }

    #[test]
    fn reverse_changes_the_sign() {
        check_weight(2, true, [0, -2, 0]);
        check_weight(-20, true, [0, 0, 20]);
    }

    /// Scripts without weight, in these states; the fault they make.
    fn check_fault(list: &[(bool, Health)], expected: Option<Fault>) {
        let tracks = tracks(&list.iter().map(|&(reverse, _)| (0, reverse)).collect::<Vec<_>>());
        let assessment = assess(&tracks, |script| list[script].1);
        assert_eq!(assessment, Assessment { adjustment: 0, fault: expected }, "{list:?}");
    }

    #[test]
    fn without_weight_anything_but_success_is_a_fault() {
        use Health::{Failing, Healthy, Pending};
        check_fault(&[], None);
        check_fault(&[(false, Healthy)], None);
        check_fault(&[(false, Pending)], Some(Fault::CheckPending(0)));
        check_fault(&[(false, Failing)], Some(Fault::CheckFailing(0)));
        check_fault(&[(true, Healthy)], Some(Fault::CheckFailing(0)));
        check_fault(&[(true, Pending)], Some(Fault::CheckPending(0)));
        check_fault(&[(true, Failing)], None);
        check_fault(&[(false, Healthy), (false, Failing), (false, Failing)], Some(Fault::CheckFailing(1)));
        check_fault(&[(false, Pending), (false, Healthy), (false, Failing)], Some(Fault::CheckFailing(2)));
        check_fault(&[(false, Failing), (false, Pending)], Some(Fault::CheckFailing(0)));
    }

    /// A file with this number, and what it means: an adjustment, or a fault. Seen with keepalived 2.2.7.
    #[test]
    fn a_files_number_is_multiplied() {
        for (weight, reverse, value, expected) in [
            (2, false, 5, Some(10)),
            (2, false, -3, Some(-6)),
            (2, false, -126, Some(-252)),
            (2, false, -127, None),
            (2, false, -200, None),
            (2, true, 5, Some(-10)),
            (2, true, 127, None),
            (-1, false, 253, Some(-253)),
            (-1, false, 254, None),
            (1, false, i32::MAX, Some(254)),
            (i32::MIN, true, i32::MIN, None),
            (0, false, 0, Some(0)),
            (0, false, 1, None),
            (0, false, -5, None),
            (0, true, 0, None),
            (0, true, 7, Some(0)),
        ] {
            let found = assess(&tracks(&[(weight, reverse)]), |_| Health::Value(value));
            let fault = expected.is_none().then_some(Fault::CheckFailing(0));
            let expected = Assessment { adjustment: expected.unwrap_or(0), fault };
            assert_eq!(found, expected, "weight {weight} reverse {reverse} value {value}");
        }
    }

    #[test]
    fn what_a_reload_added_counts_only_once_it_is_known() {
        for weight in [0, 10, -10] {
            assert_eq!(assess(&tracks(&[(weight, false)]), |_| Health::Awaited), Assessment::default());
        }
    }

    #[test]
    fn weights_add_up() {
        let tracks = tracks(&[(10, false), (-30, false), (5, true), (0, false)]);
        let check = |healths: [Health; 4], adjustment, fault| {
            assert_eq!(assess(&tracks, |script| healths[script]), Assessment { adjustment, fault });
        };
        use Health::{Failing, Healthy, Pending};
        check([Healthy; 4], 5, None);
        check([Failing; 4], -30, Some(Fault::CheckFailing(3)));
        check([Pending; 4], 0, Some(Fault::CheckPending(3)));
        check([Healthy, Failing, Failing, Healthy], -20, None);
    }

    /// Castor has priority 101, pollux 100, both track their server with weight 2.
    #[test]
    fn castor_and_pollux_hand_the_address_over_in_five_steps() {
        use Health::{Failing, Healthy};
        let track = tracks(&[(2, false)]);
        let priority = |base: i32, health| base + assess(&track, |_| health).adjustment;
        for (castor, pollux, priorities) in [
            (Healthy, Healthy, (103, 102)), // castor
            (Failing, Healthy, (101, 102)), // pollux
            (Failing, Failing, (101, 100)), // castor
            (Failing, Healthy, (101, 102)), // pollux
            (Healthy, Healthy, (103, 102)), // castor
        ] {
            assert_eq!((priority(101, castor), priority(100, pollux)), priorities);
        }
    }
}

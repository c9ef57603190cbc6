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
/// | weight | pending | healthy | failing |
/// |---|---|---|---|
/// | above 0 | 0 | +weight | 0 |
/// | below 0 | 0 | 0 | weight (a subtraction) |
/// | 0 | fault | | fault |
///
/// `reverse` changes the sign of what is added; with weight 0, success is the fault instead of failure.
/// `health` answers for an index into the scripts; an expired result is for the caller to call failing.
pub fn assess(tracks: &[Track], health: impl Fn(usize) -> Health) -> Assessment {
    let mut sum = Assessment::default();
    for track in tracks {
        let health = health(track.script);
        if track.weight == 0 {
            sum.fault = worse(sum.fault, fault(track, health));
        } else {
            sum.adjustment += adjustment(track, health);
        }
    }
    sum
}

fn adjustment(track: &Track, health: Health) -> i32 {
    let weight = i32::from(track.weight);
    let counts = match health {
        Health::Pending => false,
        Health::Healthy => weight > 0,
        Health::Failing => weight < 0,
    };
    match (counts, track.reverse) {
        (false, _) => 0,
        (true, false) => weight,
        (true, true) => -weight,
    }
}

fn fault(track: &Track, health: Health) -> Option<Fault> {
    // A configuration has far fewer scripts; the number is for the message only.
    let script = u16::try_from(track.script).unwrap_or(u16::MAX);
    let bad = if track.reverse { Health::Healthy } else { Health::Failing };
    match health {
        Health::Pending => Some(Fault::CheckPending(script)),
        health if health == bad => Some(Fault::CheckFailing(script)),
        _ => None,
    }
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

    fn tracks(list: &[(i16, bool)]) -> Vec<Track> {
        let track = |(script, &(weight, reverse))| Track { script, weight, reverse };
        list.iter().enumerate().map(track).collect()
    }

    /// One tracked script: the adjustment while pending, healthy, failing.
    fn check_weight(weight: i16, reverse: bool, expected: [i32; 3]) {
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

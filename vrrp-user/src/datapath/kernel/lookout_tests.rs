//! Whether a silence is believed, and when. That the lookout sees what is there is told in `auto_tests`.

use vrrp_common::time::{Instant, Interval};

use super::{
    attach::{Post, Sight},
    lookout::{Finding, Lookout, PATIENCE},
};
use crate::{
    sys::clsact::{Direction, Place},
    testing::is_readable,
};

/// Nobody put a filter there.
fn nothing_there() -> Sight {
    Sight::Clsact(Place { ifindex: 1, direction: Direction::Ingress, priority: 1, handle: 0x7654_3210 })
}

#[test]
fn a_silence_is_doubted_until_the_answer_is_there() {
    let (mut lookout, post) = (Lookout::new().unwrap(), Post { interface: 1, number: 7 });
    lookout.watch(post, nothing_there(), [0; 6]).unwrap();
    let [heard, now] = [1_000, 3_000].map(Instant::from_nanos);
    assert_eq!((lookout.trusted(post), lookout.patience()), (None, None));

    lookout.doubt(post, heard, Interval::from_millis(40), now);
    assert_eq!(lookout.trusted(post), Some(heard));
    assert_eq!(lookout.patience(), Some(now.after(Interval::from_millis(10))), "a quarter of the interval");

    assert!(is_readable(lookout.readiness(), 5_000));
    let findings = lookout.findings(now);
    assert!(
        matches!(&findings[..], [Finding::Lost(lost, reason)] if *lost == post && reason.contains("removed")),
        "{findings:?}"
    );
    assert_eq!((lookout.trusted(post), lookout.patience()), (None, None));
    assert!(!is_readable(lookout.readiness(), 0), "every answer was read");
}

#[test]
fn nobody_waits_long_for_an_answer() {
    let (mut lookout, post) = (Lookout::new().unwrap(), Post { interface: 1, number: 7 });
    let now = Instant::from_nanos(5);
    lookout.doubt(post, now, Interval::from_secs(1), now);
    assert_eq!(lookout.patience(), Some(now.after(PATIENCE)));
    // It watches nothing yet, so that no answer can come first.
    assert!(lookout.findings(now.after(Interval::from_millis(19))).is_empty());
    assert_eq!(lookout.trusted(post), Some(now));
    assert!(lookout.findings(now.after(PATIENCE)).is_empty());
    assert_eq!(lookout.trusted(post), None, "the silence is believed");
}

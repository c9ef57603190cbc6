//! Who becomes Active, and when.

use anyhow::{Context as _, Result, ensure};
use vrrp_tests::{
    conf::{ADDRESS, Conf},
    peers::{Router as _, Xvrrp},
    story, wait_until,
    witness::{Announcement, mean_gap},
};

use crate::pair::{CASTOR_MAC, FAST, POLLUX_MAC, Pair, SLOW, WITNESSES};

#[test]
fn two_started_at_once_converge() -> Result<()> {
    story("two started at once", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let capture = pair.watch()?;
        let _routers = [pair.start_castor(&Conf::fast(200))?, pair.start_pollux(&Conf::fast(100))?];
        pair.wait_owners(&["castor"], FAST)?;
        pair.owners_stay(&["castor"])?;
        let recording = capture.stop()?;
        let adverts = recording.adverts_from(pair.castor.address())?;
        let mean = mean_gap(&adverts);
        ensure!((0.09..0.115).contains(&mean), "castor advertises every {mean} s and not every 0.1 s");
        ensure!(adverts.iter().all(|one| (one.ttl, one.dscp, one.version) == (255, 48, 3)), "{adverts:?}");
        let last = recording.adverts()?.last().context("no advertisement was seen")?.source;
        assert_eq!(last, pair.castor.address());
        assert_eq!(recording.complaints(CASTOR_MAC)?, "");
        Ok(())
    })
}

#[test]
fn of_equals_the_first_stays_and_the_higher_address_wins_a_dispute() -> Result<()> {
    story("equal priorities", &[], |lab| {
        let pair = Pair::new(lab)?;
        let _castor = pair.start_castor(&Conf::fast(100))?;
        pair.wait_owners(&["castor"], FAST)?;
        let _pollux = pair.start_pollux(&Conf::fast(100))?;
        pair.owners_stay(&["castor"])?;

        lab.cut_silently(&pair.castor)?;
        pair.wait_owners(&["castor", "pollux"], FAST)?;
        lab.heal(&pair.castor)?;
        pair.wait_owners(&["pollux"], FAST)?;
        pair.owners_stay(&["pollux"])
    })
}

/// RFC 9568 §6.1: `Skew_Time` of priority 100 at 0.1 s is 60.9 ms; `Active_Down_Interval` would be 360.9 ms.
#[test]
fn a_clean_stop_hands_over_in_skew_time() -> Result<()> {
    story("priority 0", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let [castor, pollux] = pair.start_fast()?;
        let capture = pair.watch()?;
        castor.shut_down()?;
        pollux.wait_owns(ADDRESS, FAST)?;
        capture.wait_announced(ADDRESS, POLLUX_MAC, FAST)?;
        let recording = capture.stop()?;
        let resigned = recording.adverts_from(pair.castor.address())?;
        let resigned =
            resigned.iter().find(|advert| advert.priority == 0).context("castor did not resign")?;
        let taken = recording.adverts_from(pair.pollux.address())?;
        let after = taken.first().context("pollux did not advertise")?.at - resigned.at;
        ensure!((0.055..0.3).contains(&after), "pollux took over after {after} s");
        Ok(())
    })
}

/// `garp_master_repeat` and `garp_master_delay`: two bursts of three, one second apart.
#[test]
fn the_address_is_announced_twice() -> Result<()> {
    story("announcements", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let capture = pair.watch()?;
        let conf = Conf::fast(101).and("garp_master_repeat 3").and("garp_master_delay 1");
        let _castor = pair.start_castor(&conf)?;
        wait_until(FAST, "both bursts were seen", || Ok(capture.so_far().announcements()?.len() >= 6))?;
        let announced = capture.stop()?.announcements()?;
        assert_eq!(announced.len(), 6, "{announced:?}");
        let all_castors = |one: &Announcement| one.mac == CASTOR_MAC && one.address.to_string() == ADDRESS;
        ensure!(announced.iter().all(all_castors), "{announced:?}");
        let (first, second) = (announced[2].at - announced[0].at, announced[5].at - announced[3].at);
        let pause = announced[3].at - announced[2].at;
        ensure!(first < 0.3 && second < 0.3 && (0.7..1.5).contains(&pause), "{announced:?}");
        Ok(())
    })
}

/// The same router without a file.
#[test]
fn options_are_enough() -> Result<()> {
    story("options", &[], |lab| {
        let castor = lab.host("castor")?;
        let options = ["--interface", "eth0", "--vrid", "51", "--priority", "101", "--vip", "192.0.2.100/24"];
        let node = Xvrrp::start_with(&castor, &options)?;
        node.wait_owns(ADDRESS, SLOW)?;
        let held = castor.addresses()?.into_iter().find(|one| one.address.to_string() == ADDRESS);
        assert_eq!(held.context("gone again")?.prefix, 24);
        node.shut_down()?;
        ensure!(!castor.owns(ADDRESS)?, "a stopped node leaves nothing");
        Ok(())
    })
}

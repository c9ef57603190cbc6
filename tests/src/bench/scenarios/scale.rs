//! Scale: how memory, start, takeover and resignation grow with routers and addresses.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Scenario, Scope};
use crate::{
    Lab,
    bench::{
        contestants::{Contestant, PLAIN, SOCKET, XDP},
        frame::{Act, Reading, Round, Row, pass},
        gauge::{observer::Observer, process::Processes},
        routers::{Routers, V4},
    },
    story::poll_until,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "scale",
    about: "how memory, start, takeover and resignation grow with routers and addresses",
    rows,
};

const ALL: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN];
const MILLISECOND: Duration = Duration::from_millis(1);
const LIMIT: Duration = Duration::from_secs(60);
/// Looking at many addresses is work for the kernel too, under the very lock that adding them needs.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// VRIDs, interfaces, further addresses of each router.
const QUICK: &[(u8, u8, u16)] = &[(8, 1, 249)];
const FULL: &[(u8, u8, u16)] =
    &[(1, 1, 0), (20, 1, 0), (255, 1, 0), (255, 4, 0), (255, 16, 0), (2, 1, 49), (2, 1, 249), (8, 1, 249)];

fn rows(scope: Scope) -> Vec<Row> {
    scope.pick(QUICK, FULL).iter().map(|cell| row(*cell, scope)).collect()
}

fn row((count, interfaces, extra): (u8, u8, u16), scope: Scope) -> Row {
    // Many routers speak every second, else they would measure the speaking.
    let interval =
        Duration::from_millis(if u16::from(count) * u16::from(interfaces) > 100 { 1000 } else { 100 });
    let routers = Routers { interfaces, extra, ..Routers::many(count, V4, interval) };
    let name = format!("{} routers, {} addresses", routers.count(), routers.addresses());
    let obstacle = |contestant: &dyn Contestant| contestant.obstacle(&routers);
    let contestants = ALL.iter().map(|one| (*one, obstacle(*one))).collect();
    let act: Act = Box::new(move |contestant| round(&routers, contestant));
    Row { scenario: "scale", name, contestants, rounds: scope.pick(1, 2), act }
}

fn round(routers: &Routers, contestant: &dyn Contestant) -> Result<Round> {
    let lab = Lab::new("scale")?;
    let castor = lab.host("castor")?;
    for number in 1..routers.interfaces {
        lab.connect(&castor, &format!("eth{number}"))?;
    }
    let observer = Observer::start(&lab.host("client")?, None, MILLISECOND)?;
    let owned = |wanted: usize| {
        let lines =
            || Ok::<_, anyhow::Error>(castor.check(&["ip", "-oneline", "-4", "address"])?.lines().count());
        // Loopback's and the host's own are there before.
        poll_until(LIMIT, LOOK_EVERY, || Ok(lines()? == wanted + 2))
    };
    let begin = Instant::now();
    let node = contestant.start(&castor, routers, 200)?;
    let started = begin.elapsed();
    ensure!(owned(routers.addresses())?, "not all addresses are there after {LIMIT:?}");
    let taken = begin.elapsed() - started;
    // A gap is one when the next advertisement has been heard.
    pass(2 * routers.interval)?;
    let usage = Processes::find(&castor, contestant.programs())?.measure(std::path::Path::new("/"))?.end()?;
    let stop = Instant::now();
    node.shut_down()?;
    ensure!(owned(0)?, "not all addresses are gone after {LIMIT:?}");
    let resigned = stop.elapsed();
    let sight = observer.stop()?;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let readings = vec![
        Reading::new("memory", "MiB", usage.resident as f64 / 1024.0),
        Reading::new("start", "ms", ms(started)),
        Reading::new("from the start to the last address", "ms", ms(taken)),
        Reading::new("stop, until the last address is gone", "ms", ms(resigned)),
        Reading::new("longest time between advertisements of a router", "ms", ms(sight.longest_gap(1))),
    ];
    Ok(Round { readings, lateness: sight.lateness(), spans: Vec::new() })
}

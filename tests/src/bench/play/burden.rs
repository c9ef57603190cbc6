//! What weighs on the nodes: which processors it takes, which hosts it is on, how it is started.

use anyhow::Result;

use super::{Burden, Load, Place, Side};
use crate::{
    Host, Process,
    bench::gauge::{cgroup::Cgroup, process::Processes},
};

/// Processors of castor and pollux where they are apart.
const PROCESSORS: [usize; 2] = [0, 1];

impl Side {
    /// Of castor, the Active, and pollux, the Backup: those that suffer.
    fn of<T>(self, [castor, pollux]: [T; 2]) -> Vec<T> {
        match self {
            Self::Active => vec![castor],
            Self::Backup => vec![pollux],
            Self::Both => vec![castor, pollux],
        }
    }
}

impl Burden {
    /// Bounds the hosts that suffer. Before their nodes start: a host is bounded as a whole.
    pub(super) fn bind(self, hosts: [&Host; 2]) -> Result<Vec<Cgroup>> {
        let Some(bound) = self.bound else { return Ok(Vec::new()) };
        self.side.of(hosts).into_iter().map(|host| Cgroup::bounding(host.pid(), bound)).collect()
    }

    /// Starts the programs that weigh on the hosts that suffer.
    pub(super) fn weigh(self, place: Place, hosts: [&Host; 2]) -> Result<Vec<Process>> {
        let Load::Shell(text, copies) = self.load else { return Ok(Vec::new()) };
        let [castor, pollux] = hosts;
        let mut started = Vec::new();
        for (host, processor) in self.side.of([(castor, PROCESSORS[0]), (pollux, PROCESSORS[1])]) {
            let processor = processor.to_string();
            let pinned = ["taskset", "--cpu-list", &processor, "sh", "-c", text];
            let argv = if place == Place::Anywhere { &pinned[3..] } else { &pinned[..] };
            for _ in 0..copies {
                started.push(host.spawn("load", argv)?);
            }
        }
        Ok(started)
    }
}

impl Place {
    /// Puts the nodes there.
    pub(super) fn arrange(self, hosts: [&Host; 2], nodes: [Processes; 2]) -> Result<()> {
        if self == Self::Anywhere {
            return Ok(());
        }
        for ((host, node), processor) in hosts.into_iter().zip(nodes).zip(PROCESSORS) {
            node.pin(processor)?;
            if self == Self::ApartReceivingThere {
                // A mask of processors.
                let mask = 1_u32 << processor;
                host.sh(&format!("echo {mask:x} >/sys/class/net/eth0/queues/rx-0/rps_cpus"))?;
            }
        }
        Ok(())
    }
}

//! The interfaces that carry virtual MAC addresses: private macvlans, made at the start and kept at a failover.
//! Which addresses are on them is not known here.

mod message;
mod sysctl;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use rtnetlink::packet_route::RouteNetlinkMessage;
use vrrp_common::time::{Instant, Interval};

use super::{Link, LinkTable, desired::Desired, kernel::Kernel, links::Macvlan};
use crate::undo::Undo;

/// After this a request is made again that was refused, or that somebody undid.
const RETRY: Interval = Interval::from_secs(1);

/// How the notes of those that we made begin; their names follow.
const NOTE: &str = "macvlan:";

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Macvlans {
    /// Those that are ours and set up, by name.
    ready: BTreeMap<String, Ready>,
    /// What was asked for last, and when.
    asked: BTreeMap<String, (Step, Instant)>,
    /// What was complained of last.
    told: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Ready {
    ifindex: u32,
    parent: String,
}

/// What a router wants.
#[derive(Debug)]
struct Wish<'a> {
    name: &'a str,
    parent: &'a str,
    mac: [u8; 6],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Create { parent: u32 },
    SwitchOn(u32),
    Remove(u32),
}

impl Macvlans {
    /// One step for each that is not as it should be; true if there was one.
    pub(super) async fn turn(
        &mut self,
        kernel: &mut Kernel,
        desired: &Desired,
        links: &LinkTable,
        undo: &mut Undo,
        now: Instant,
    ) -> io::Result<bool> {
        let mut steps = Vec::new();
        for wish in wishes(desired) {
            let Some(step) = self.next(&wish, links, undo) else { continue };
            let before = self.asked.insert(wish.name.to_owned(), (step, now));
            if let Some((same, at)) = before.filter(|(before, at)| *before == step && at.after(RETRY) > now) {
                self.asked.insert(wish.name.to_owned(), (same, at));
                continue;
            }
            if matches!(step, Step::Create { .. }) {
                self.note(&wish, undo);
            }
            steps.push((wish, step));
        }
        let requests = steps.iter().map(|(wish, step)| request(wish, *step));
        let results = kernel.execute(requests).await?;
        for ((wish, step), result) in steps.iter().zip(results) {
            match result {
                Ok(()) => drop(self.told.remove(wish.name)),
                Err(error) => self.complain(wish.name, refused(wish, *step, &error)),
            }
        }
        Ok(!steps.is_empty())
    }

    /// When to look again although nothing happens.
    pub(super) fn wake(&self, desired: &Desired, links: &LinkTable) -> Option<Instant> {
        let unready = wishes(desired).filter(|wish| {
            links.by_name(wish.parent).is_some() && !links.by_name(wish.name).is_some_and(|link| link.enabled)
        });
        unready.filter_map(|wish| Some(self.asked.get(wish.name)?.1.after(RETRY))).min()
    }

    /// Removes those that nobody wants any more; the switches go back with the last one that needs them.
    pub(super) async fn tidy(
        &mut self,
        kernel: &mut Kernel,
        desired: &Desired,
        links: &LinkTable,
        undo: &mut Undo,
    ) -> io::Result<()> {
        let wanted: BTreeSet<&str> = wishes(desired).map(|wish| wish.name).collect();
        let unwanted = |(name, _): &(String, String)| !wanted.contains(name.as_str());
        for (name, _) in undo.noted(NOTE).into_iter().filter(unwanted) {
            self.ready.remove(&name);
            self.asked.remove(&name);
            // Somebody may have made another one of that name.
            if let Some(link) = links.by_name(&name).filter(|link| link.macvlan.is_some()) {
                for result in kernel.execute([message::remove(link.ifindex)]).await? {
                    if let Err(error) = result {
                        tracing::warn!("the kernel did not remove {name}: {error}; `ip link del {name}`");
                    }
                }
            }
            if let Err(error) = undo.forget(&format!("{NOTE}{name}")) {
                tracing::warn!("the note that {name} was made stays: {error}");
            }
        }
        let carries = |parent: &str| self.ready.values().any(|ready| ready.parent == parent);
        sysctl::put_back(undo, carries, !self.ready.is_empty());
        Ok(())
    }

    fn next(&mut self, wish: &Wish<'_>, links: &LinkTable, undo: &mut Undo) -> Option<Step> {
        let parent = links.by_name(wish.parent)?;
        let Some(link) = links.by_name(wish.name) else {
            return Some(Step::Create { parent: parent.ifindex });
        };
        let Some(found) = link.macvlan else {
            self.complain(
                wish.name,
                format!(
                    "there is an interface {} that is no macvlan: give the virtual router's another name \
                     (use_vmac NAME)",
                    wish.name
                ),
            );
            return None;
        };
        if found != (Macvlan { parent: parent.ifindex, private: true }) || link.mac != Some(wish.mac) {
            // Of an earlier run, with another configuration.
            return Some(Step::Remove(link.ifindex));
        }
        self.set_up(wish, link, undo);
        (!link.enabled).then_some(Step::SwitchOn(link.ifindex))
    }

    /// Sets the switches, before it is switched on if it is new.
    fn set_up(&mut self, wish: &Wish<'_>, link: &Link, undo: &mut Undo) {
        let ready = Ready { ifindex: link.ifindex, parent: wish.parent.to_owned() };
        if self.ready.get(wish.name) == Some(&ready) {
            return;
        }
        let mut complaints = sysctl::set_up(wish.name);
        complaints.extend(sysctl::quieten(wish.parent, undo));
        complaints.extend(sysctl::share_filter(undo));
        self.note(wish, undo);
        self.ready.insert(wish.name.to_owned(), ready);
        for complaint in complaints {
            tracing::warn!("{complaint}; neighbours may see another address than {}", shown(wish.mac));
        }
    }

    /// It is ours from here on.
    fn note(&mut self, wish: &Wish<'_>, undo: &mut Undo) {
        if let Err(error) = undo.note(&format!("{NOTE}{}", wish.name), wish.parent) {
            let name = wish.name;
            self.complain(
                name,
                format!("cannot note that {name} was made ({error}): if the node is killed, it stays"),
            );
        }
    }

    fn complain(&mut self, name: &str, text: String) {
        if self.told.get(name) != Some(&text) {
            tracing::error!("{text}");
            self.told.insert(name.to_owned(), text);
        }
    }
}

fn wishes(desired: &Desired) -> impl Iterator<Item = Wish<'_>> {
    desired.routers.iter().filter_map(|router| {
        let wanted = router.virtual_mac.as_ref()?;
        Some(Wish { name: &wanted.interface, parent: &router.interface, mac: wanted.mac })
    })
}

fn request(wish: &Wish<'_>, step: Step) -> (RouteNetlinkMessage, u16) {
    match step {
        Step::Create { parent } => message::create(wish.name, parent, wish.mac),
        Step::SwitchOn(ifindex) => message::switch_on(ifindex),
        Step::Remove(ifindex) => message::remove(ifindex),
    }
}

fn refused(wish: &Wish<'_>, step: Step, error: &io::Error) -> String {
    let action = match step {
        Step::Create { .. } => "making",
        Step::SwitchOn(_) => "switching on",
        Step::Remove(_) => "removing",
    };
    let remedy = match error.raw_os_error() {
        Some(libc::EOPNOTSUPP) => "; load the module macvlan, or do without use_vmac",
        Some(libc::EBUSY | libc::EINVAL) => "; the interface below may be a port of a bridge or a bond",
        Some(libc::EPERM) => "; run as root or with CAP_NET_ADMIN",
        _ => "",
    };
    format!("the kernel refused {action} {} on {}: {error}{remedy}", wish.name, wish.parent)
}

fn shown(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

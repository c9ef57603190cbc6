//! A file of which single routers have errors: what runs of it, beside what ran before. Whether it is to run is not
//! decided here.

use std::net::IpAddr;

use super::{
    model::{Check, Configuration, Group, Instance, VirtualAddress},
    values::quote,
};

/// What is left of a configuration when single routers have errors, and nothing else has one.
#[derive(Clone, Debug, Default)]
pub struct Remaining {
    /// All but the routers that have errors; there is at least one without.
    pub configuration: Configuration,
    /// The routers that have errors, in the file's order.
    pub refused: Vec<Refused>,
}

/// A router that has an error, as far as it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The name in the file.
    pub name: String,
    /// Its interface.
    pub interface: Option<String>,
    /// Its number.
    pub vrid: Option<u8>,
}

/// What a running node can do with a file of which single routers have errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The routers without errors as the file has them, and those with errors as they ran.
    pub configuration: Configuration,
    /// Routers with errors that go on as they ran.
    pub kept: Vec<String>,
    /// Routers with errors that did not run and do not.
    pub left_out: Vec<String>,
}

/// "W has an error and goes on as before; X has an error and does not run".
impl std::fmt::Display for Partial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kept = self.kept.iter().map(|name| (name, "goes on as before"));
        let left_out = self.left_out.iter().map(|name| (name, "does not run"));
        let parts: Vec<String> = kept
            .chain(left_out)
            .map(|(name, fate)| format!("{} has an error and {fate}", quote(name)))
            .collect();
        f.write_str(&parts.join("; "))
    }
}

impl Refused {
    /// Whether `ran` is what ran of it: it has its name, or its name is new to a router of its number.
    fn is(&self, ran: &Instance, new: &[Instance]) -> bool {
        let numbered = self.vrid == Some(ran.vrid) && self.interface.as_ref() == Some(&ran.interface);
        let is_there = |other: &Instance| other.name == ran.name || same_router(other, ran);
        self.name == ran.name || numbered && !new.iter().any(is_there)
    }
}

impl Remaining {
    /// Beside `old`, which runs: the routers that have errors go on as they are there, members of the group that they
    /// are in, and track what they track. New ones are left out.
    ///
    /// # Errors
    /// A router of the file takes what one that goes on has: then none of it can be used.
    pub fn beside(self, old: &Configuration) -> Result<Partial, String> {
        let Self { mut configuration, refused } = self;
        let new = configuration.instances.len();
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        for refused in refused {
            let ran = |(_, ran): &(usize, &Instance)| refused.is(ran, &configuration.instances[..new]);
            let running: Vec<(usize, &Instance)> = old.instances.iter().enumerate().filter(ran).collect();
            if running.is_empty() {
                left_out.push(refused.name);
                continue;
            }
            for (index, ran) in running {
                if let Some(why) = configuration.instances[..new].iter().find_map(|other| clash(ran, other)) {
                    return Err(why);
                }
                kept.push(ran.name.clone());
                configuration.keep(index, old);
            }
        }
        Ok(Partial { configuration, kept, left_out })
    }
}

impl Configuration {
    /// Takes a router over from `old`.
    fn keep(&mut self, index: usize, old: &Self) {
        let mut kept = old.instances[index].clone();
        for track in &mut kept.tracks {
            track.check = self.number_of(&old.checks[track.check]);
        }
        let place = self.instances.len();
        self.instances.push(kept);
        let Some(group) = old.groups.iter().find(|group| group.members.contains(&index)) else { return };
        match self.groups.iter_mut().find(|other| other.name == group.name) {
            Some(group) => group.members.push(place),
            None => self.groups.push(Group { members: vec![place], ..group.clone() }),
        }
    }

    /// Where a check is that may have to be added.
    fn number_of(&mut self, check: &Check) -> usize {
        let known = self.checks.iter().position(|other| other.is(check.kind(), check.name()));
        known.unwrap_or_else(|| {
            self.checks.push(check.clone());
            self.checks.len() - 1
        })
    }
}

fn same_router(one: &Instance, other: &Instance) -> bool {
    (&one.interface, one.family, one.vrid) == (&other.interface, other.family, other.vrid)
}

/// Why a router that goes on and one of the new file cannot both run.
fn clash(kept: &Instance, new: &Instance) -> Option<String> {
    let what = if same_router(kept, new) {
        format!("virtual_router_id {} on {}", kept.vrid, quote(&kept.interface))
    } else if kept.virtual_mac.is_some() && kept.home() == new.home() {
        format!("the macvlan {}", quote(kept.home()))
    } else {
        let shared = kept
            .held_addresses()
            .find(|held| new.held_addresses().any(|other| place(kept, held) == place(new, other)));
        shared?.address.to_string()
    };
    let (kept, new) = (quote(&kept.name), quote(&new.name));
    Some(format!("{kept} has an error and would go on with {what}, which {new} is to have"))
}

/// An address, which is everywhere the same, but for link-local ones.
fn place<'a>(router: &'a Instance, held: &'a VirtualAddress) -> (IpAddr, Option<&'a str>) {
    let is_local = matches!(held.address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    (held.address, is_local.then(|| held.device.as_deref().unwrap_or_else(|| router.home())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn router(name: &str, vrid: u16, priority: u16, more: &str) -> String {
        format!(
            "vrrp_instance {name} {{\ninterface lo\nvirtual_router_id {vrid}\npriority {priority}\n{more}\n}}\n"
        )
    }

    fn address(last: u8) -> String {
        format!("virtual_ipaddress {{\n192.0.2.{last}\n}}")
    }

    /// What a node that runs `old` does with `new`.
    fn beside(old: &str, new: &str) -> (Configuration, Result<Partial, String>) {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let file = folder.path().join("conf");
            std::fs::write(&file, text).unwrap();
            load(&file, None)
        };
        let old = read(old).configuration.expect("the old file is good");
        let rest = read(new).remaining.expect("single routers have errors");
        let partial = rest.beside(&old);
        (old, partial)
    }

    fn names(configuration: &Configuration) -> Vec<&str> {
        configuration.instances.iter().map(|instance| &*instance.name).collect()
    }

    #[test]
    fn a_router_with_an_error_goes_on_as_it_ran() {
        let [v, w, x] = [1, 2, 3].map(address);
        let old = router("V", 1, 100, &v) + &router("W", 2, 100, &w) + &router("X", 3, 100, &x);
        let new = router("W", 2, 256, &w) + &router("Y", 4, 256, &address(4)) + &router("V", 1, 120, &v);
        let (old, partial) = beside(&old, &new);
        let partial = partial.unwrap();
        assert_eq!(
            partial.to_string(),
            "`W` has an error and goes on as before; `Y` has an error and does not run"
        );
        assert_eq!(names(&partial.configuration), ["V", "W"], "X is in no file any more");
        assert_eq!(partial.configuration.instances[0].priority, 120);
        assert_eq!(partial.configuration.instances[1], old.instances[1]);
    }

    #[test]
    fn it_stays_in_its_group_and_tracks_what_it_tracked() {
        let file = |name: &str| format!("track_file {name} {{\nfile /run/{name}\nweight 0\n}}\n");
        let tracking = |name: &str| format!("{}\ntrack_file {{\n{name}\n}}", address(2));
        let group = "vrrp_sync_group G {\ngroup {\nV\nW\n}\n}\n";
        let v = router("V", 1, 100, &address(1));
        let old = file("one") + &file("two") + group + &v + &router("W", 2, 100, &tracking("two"));
        for (checks, group) in [(file("two"), group), (String::new(), "")] {
            let new = checks + group + &v + &router("W", 2, 100, &tracking("three"));
            let configuration = beside(&old, &new).1.unwrap().configuration;
            let track = configuration.instances[1].tracks[0];
            assert_eq!(configuration.checks[track.check].name(), "two", "{configuration:#?}");
            let found = configuration.groups.iter().find(|group| group.name == "G").unwrap();
            assert_eq!(found.members, if group.is_empty() { vec![1] } else { vec![0, 1] });
        }
    }

    #[test]
    fn another_name_and_an_error_at_once_take_nothing_away() {
        let old = router("V", 1, 100, &address(1)) + &router("W", 2, 100, &address(2));
        let new = router("V", 1, 100, &address(1)) + &router("New", 2, 256, &address(2));
        let partial = beside(&old, &new).1.unwrap();
        assert_eq!(names(&partial.configuration), ["V", "W"]);
        // Once more: V is well, and its number is not that of the one that has the error.
        let new = router("V", 1, 100, &address(1)) + &router("New", 1, 256, &address(2));
        assert_eq!(names(&beside(&old, &new).1.unwrap().configuration), ["V"]);
    }

    #[test]
    fn what_another_router_is_to_have_is_not_given_to_two() {
        let own = |name: &str, last| format!("use_vmac {name}\n{}", address(last));
        let old = router("V", 1, 100, &own("mac1", 1)) + &router("W", 2, 100, &own("mac2", 2));
        let bad = router("W", 3, 256, &address(3));
        for (good, why) in [
            (router("V", 2, 100, &address(1)), "virtual_router_id 2 on `lo`, which `V`"),
            (router("V", 1, 100, &own("mac2", 1)), "the macvlan `mac2`, which `V`"),
            (router("V", 1, 100, &address(2)), "192.0.2.2, which `V`"),
        ] {
            let said = beside(&old, &(bad.clone() + &good)).1.unwrap_err();
            assert!(
                said.starts_with("`W` has an error and would go on with ") && said.contains(why),
                "{said}"
            );
        }
    }
}

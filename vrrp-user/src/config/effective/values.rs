//! The values that are not simply what is written or the keyword's default: what several settings make together.

use std::collections::HashMap;

use vrrp_common::{time::Interval, wire::Version};

use super::Value;
use crate::config::{
    model::{Accept, Configuration, Instance, Script},
    values::decimal,
};

/// What settings need more for than their own lines, by name.
pub(super) struct Counts<'c> {
    instances: HashMap<&'c str, &'c Instance>,
    scripts: HashMap<&'c str, &'c Script>,
}

/// That of one block.
pub(super) enum BlockCounts<'c> {
    Instance(&'c Instance),
    Script(&'c Script),
    /// Each line says all.
    Nothing,
}

impl<'c> Counts<'c> {
    pub(super) fn of(configuration: &'c Configuration) -> Self {
        Self {
            instances: first_of_each(configuration.instances.iter().map(|one| (one.name.as_str(), one))),
            scripts: first_of_each(configuration.scripts().map(|one| (one.name.as_str(), one))),
        }
    }

    pub(super) fn block(&self, block: &str, name: Option<&str>) -> BlockCounts<'c> {
        let found = name.and_then(|name| match block {
            "vrrp_instance" => self.instances.get(name).copied().map(BlockCounts::Instance),
            "vrrp_script" => self.scripts.get(name).copied().map(BlockCounts::Script),
            _ => None,
        });
        found.unwrap_or(BlockCounts::Nothing)
    }
}

fn first_of_each<'c, T>(named: impl Iterator<Item = (&'c str, T)>) -> HashMap<&'c str, T> {
    let mut first = HashMap::new();
    for (name, one) in named {
        first.entry(name).or_insert(one);
    }
    first
}

impl BlockCounts<'_> {
    /// What `keyword` of the block counts as, if that needs more than the keyword's own line.
    pub(super) fn value(&self, keyword: &str) -> Option<Value> {
        match self {
            Self::Instance(instance) => {
                opposites(instance, keyword).or_else(|| of_instance(instance, keyword).map(Value::Line))
            }
            Self::Script(script) => of_script(script, keyword).map(Value::Line),
            Self::Nothing => None,
        }
    }
}

/// Of two keywords one is off; it may have been given, and cleared by `state MASTER` or by priority 255.
fn opposites(instance: &Instance, keyword: &str) -> Option<Value> {
    let off = match keyword {
        "preempt" => !instance.preempt,
        "nopreempt" => instance.preempt,
        "accept" => instance.accept != Accept::Yes,
        "no_accept" => instance.accept == Accept::Yes,
        _ => return None,
    };
    off.then_some(Value::Words("off"))
}

fn of_instance(instance: &Instance, keyword: &str) -> Option<String> {
    let announce = &instance.announce;
    Some(match keyword {
        "interface" => instance.interface.clone(),
        "priority" => instance.priority.to_string(),
        "version" => match instance.version {
            Version::V2 => "2".into(),
            Version::V3 => "3".into(),
        },
        "advert_int" => seconds(instance.advertisement_interval),
        "preempt_delay" => seconds(instance.preempt_delay),
        "garp_master_delay" => seconds(announce.delay),
        "garp_master_repeat" => announce.repeat.to_string(),
        "garp_lower_prio_delay" => seconds(announce.lower_priority_delay),
        "garp_lower_prio_repeat" => announce.lower_priority_repeat.to_string(),
        // Multicast never leaves the link.
        "unicast_ttl" if instance.peers.is_empty() => u8::MAX.to_string(),
        "mcast_dst_ip" if instance.peers.is_empty() => instance.group.to_string(),
        _ => return None,
    })
}

fn of_script(script: &Script, keyword: &str) -> Option<String> {
    Some(match keyword {
        "timeout" => seconds(script.timeout),
        _ => return None,
    })
}

fn seconds(interval: Interval) -> String {
    decimal(interval)
}

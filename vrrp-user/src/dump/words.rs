//! What both forms of the data call things.

use vrrp_common::time::Interval;

use crate::{
    config::model::{Check, CheckKind, Configuration, Instance, Program, Track, VirtualAddress},
    status::{AddressStatus, RouterStatus},
};

/// keepalived's number and word for a state.
pub(super) fn state(router: &RouterStatus) -> (u8, &'static str) {
    match router.state.as_str() {
        "backup" => (1, "BACKUP"),
        "active" => (2, "MASTER"),
        "fault" => (3, "FAULT"),
        _ => (0, "INIT"),
    }
}

/// The interface that advertisements are heard and sent on.
pub(super) fn interface(instance: &Instance) -> String {
    let below = &instance.interface;
    instance.virtual_mac.as_ref().map_or_else(|| below.clone(), |own| own.interface.clone())
}

/// When the state changed last, in Unix seconds; 0 if it never did.
pub(super) fn last_transition(router: &RouterStatus) -> f64 {
    router.transitions.last().map_or(0.0, |transition| transition.at)
}

/// The lists of addresses, advertised and excluded.
pub(super) fn addresses(instance: &Instance, router: &RouterStatus) -> [Vec<String>; 2] {
    let entries = instance.held_addresses().zip(&router.addresses);
    let mut all: Vec<String> = entries.map(|(entry, status)| address(instance, entry, status)).collect();
    let excluded = all.split_off(instance.addresses.len().min(all.len()));
    [all, excluded]
}

/// `192.0.2.100/24 dev eth0 scope global label eth0:1 set`
fn address(instance: &Instance, entry: &VirtualAddress, status: &AddressStatus) -> String {
    let whole = if entry.address.is_ipv4() { 32 } else { 128 };
    let prefix = if entry.prefix == whole { String::new() } else { format!("/{}", entry.prefix) };
    let own = instance.virtual_mac.as_ref().filter(|own| own.interface == status.device);
    let below = own.map_or_else(String::new, |_| format!("@{}", instance.interface));
    let label = entry.label.as_ref().map_or_else(String::new, |label| format!(" label {label}"));
    let set = if status.held { " set" } else { "" };
    let scope = scope(entry.scope);
    format!("{}{prefix} dev {}{below} scope {scope}{label}{set}", entry.address, status.device)
}

fn scope(number: u8) -> String {
    match number {
        0 => "global".into(),
        200 => "site".into(),
        253 => "link".into(),
        254 => "host".into(),
        other => other.to_string(),
    }
}

/// What an instance tracks of one kind.
pub(super) fn tracked<'c>(
    configuration: &'c Configuration,
    instance: &'c Instance,
    kind: CheckKind,
) -> impl Iterator<Item = (&'c Check, &'c Track)> {
    let checked = |track: &'c Track| Some((configuration.checks.get(track.check)?, track));
    instance.tracks.iter().filter_map(checked).filter(move |(check, _)| check.kind() == kind)
}

/// `'/usr/bin/test' '-e' '/run/well'`
pub(super) fn command(words: &[String]) -> String {
    words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
}

/// As [`command`].
pub(super) fn program(program: Option<&Program>) -> Option<String> {
    program.map(|program| command(&program.command))
}

/// As [`seconds`], of milliseconds as the snapshot has them.
pub(super) fn seconds_of(millis: f64) -> serde_json::Number {
    // To the microsecond, which is all that they have.
    seconds(Interval::from_nanos((millis * 1000.0).round() as u64 * 1000))
}

/// Seconds, without decimals where there are none.
pub(super) fn seconds(interval: Interval) -> serde_json::Number {
    let nanos = interval.as_nanos();
    let whole = nanos.is_multiple_of(1_000_000_000).then(|| (nanos / 1_000_000_000).into());
    // A quotient of finite numbers is finite.
    whole.or_else(|| serde_json::Number::from_f64(nanos as f64 / 1e9)).unwrap_or_else(|| 0.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_where_they_can_be() {
        for (millis, text) in [(0, "0"), (1000, "1"), (500, "0.5"), (40_950, "40.95")] {
            assert_eq!(seconds(Interval::from_millis(millis)).to_string(), text);
            assert_eq!(seconds_of(millis as f64).to_string(), text);
        }
    }

    #[test]
    fn commands_are_quoted_word_by_word() {
        assert_eq!(command(&["/bin/true".into(), "two words".into()]), "'/bin/true' 'two words'");
    }
}

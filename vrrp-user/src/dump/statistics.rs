//! The counters by keepalived's names.

use std::fmt::Write as _;

use serde::Serialize;

use crate::status::RouterStatus;

/// As the JSON form names them. What has no counterpart here stays 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Statistics {
    advert_rcvd: u64,
    advert_sent: u64,
    become_master: u64,
    release_master: u64,
    packet_len_err: u64,
    advert_interval_err: u64,
    ip_ttl_err: u64,
    invalid_type_rcvd: u64,
    addr_list_err: u64,
    /// Types that there are not are no others than the router's here: [`Self::authtype_mismatch`].
    invalid_authtype: u64,
    authtype_mismatch: u64,
    auth_failure: u64,
    pri_zero_rcvd: u64,
    pri_zero_sent: u64,
}

impl Statistics {
    /// Since the node started.
    pub(super) fn of(router: &RouterStatus) -> Self {
        let counters = &router.counters;
        let dropped = |reason: &str| counters.dropped.get(reason).copied().unwrap_or_default();
        Self {
            advert_rcvd: counters.received,
            advert_sent: counters.sent,
            become_master: counters.became_active,
            release_master: counters.released_active,
            packet_len_err: dropped("length") + dropped("ip-header"),
            advert_interval_err: dropped("interval-differs") + dropped("interval-zero"),
            ip_ttl_err: dropped("ttl"),
            invalid_type_rcvd: dropped("type"),
            addr_list_err: counters.differing_list + dropped("address-list"),
            invalid_authtype: 0,
            authtype_mismatch: dropped("auth-type"),
            auth_failure: dropped("auth-password"),
            pri_zero_rcvd: counters.resigned,
            pri_zero_sent: counters.resignations_sent,
        }
    }

    /// What was counted since `before`. A router that a reload took away and one brought back counts from 0.
    pub(super) fn since(self, before: Self) -> Self {
        let left = |now: u64, then: u64| now.checked_sub(then).unwrap_or(now);
        Self {
            advert_rcvd: left(self.advert_rcvd, before.advert_rcvd),
            advert_sent: left(self.advert_sent, before.advert_sent),
            become_master: left(self.become_master, before.become_master),
            release_master: left(self.release_master, before.release_master),
            packet_len_err: left(self.packet_len_err, before.packet_len_err),
            advert_interval_err: left(self.advert_interval_err, before.advert_interval_err),
            ip_ttl_err: left(self.ip_ttl_err, before.ip_ttl_err),
            invalid_type_rcvd: left(self.invalid_type_rcvd, before.invalid_type_rcvd),
            addr_list_err: left(self.addr_list_err, before.addr_list_err),
            invalid_authtype: left(self.invalid_authtype, before.invalid_authtype),
            authtype_mismatch: left(self.authtype_mismatch, before.authtype_mismatch),
            auth_failure: left(self.auth_failure, before.auth_failure),
            pri_zero_rcvd: left(self.pri_zero_rcvd, before.pri_zero_rcvd),
            pri_zero_sent: left(self.pri_zero_sent, before.pri_zero_sent),
        }
    }

    fn write(&self, name: &str, text: &mut String) -> std::fmt::Result {
        writeln!(text, "VRRP Instance: {name}")?;
        section(text, "Advertisements", &[("Received", self.advert_rcvd), ("Sent", self.advert_sent)])?;
        writeln!(text, "  Became master: {}", self.become_master)?;
        writeln!(text, "  Released master: {}", self.release_master)?;
        let packets = [
            ("Length", self.packet_len_err),
            ("TTL", self.ip_ttl_err),
            ("Invalid Type", self.invalid_type_rcvd),
            ("Advertisement Interval", self.advert_interval_err),
            ("Address List", self.addr_list_err),
        ];
        section(text, "Packet Errors", &packets)?;
        let authentication = [
            ("Invalid Type", self.invalid_authtype),
            ("Type Mismatch", self.authtype_mismatch),
            ("Failure", self.auth_failure),
        ];
        section(text, "Authentication Errors", &authentication)?;
        section(text, "Priority Zero", &[("Received", self.pri_zero_rcvd), ("Sent", self.pri_zero_sent)])
    }
}

fn section(text: &mut String, title: &str, counts: &[(&str, u64)]) -> std::fmt::Result {
    writeln!(text, "  {title}:")?;
    counts.iter().try_for_each(|(name, count)| writeln!(text, "    {name}: {count}"))
}

/// The file of counters.
pub(super) fn text(routers: &[(&str, Statistics)]) -> String {
    let mut text = String::new();
    for (name, statistics) in routers {
        // Writing to a string cannot fail.
        let _ = statistics.write(name, &mut text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// keepalived 2.2.7 wrote these lines.
    #[test]
    fn the_lines_are_keepaliveds() {
        let counted = Statistics { advert_rcvd: 7, advert_sent: 12, become_master: 1, ..Default::default() };
        let expected = "VRRP Instance: B\n  Advertisements:\n    Received: 7\n    Sent: 12\n  Became master: 1\n  \
                        Released master: 0\n  Packet Errors:\n    Length: 0\n    TTL: 0\n    Invalid Type: 0\n    \
                        Advertisement Interval: 0\n    Address List: 0\n  Authentication Errors:\n    Invalid Type: 0\n    \
                        Type Mismatch: 0\n    Failure: 0\n  Priority Zero:\n    Received: 0\n    Sent: 0\n";
        assert_eq!(text(&[("B", counted)]), expected);
    }

    #[test]
    fn what_was_cleared_does_not_count_again() {
        let counted = |advert_sent| Statistics { advert_sent, ..Default::default() };
        assert_eq!(counted(12).since(counted(10)), counted(2));
        assert_eq!(counted(3).since(counted(10)), counted(3), "it is another router of the same name");
    }
}

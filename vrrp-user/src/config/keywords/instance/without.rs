//! Keywords of `vrrp_instance` that have no effect or are refused.

use super::Row;

const UNTRACKED: &str = "remove it if the router may stay Active when this fails";

pub(super) const NOT_YET: &[Row] = &[
    Row::refused("track_bfd", "the router would ignore these sessions", UNTRACKED),
    Row::refused(
        "use_vmac_addr",
        "addresses on other interfaces would use another MAC address",
        "make a vrrp_instance with `use_vmac` for each interface",
    ),
    Row::refused("use_ipvlan", "the router would use another interface", "use `use_vmac`, or remove it"),
    Row::refused(
        "vrf",
        "the router would use another network",
        "name the interface, which knows its VRF, and remove this",
    ),
    Row::refused(
        "old_unicast_checksum",
        "peers older than keepalived 1.3.7 would refuse the advertisements",
        "upgrade the peers and remove it",
    ),
    Row::refused(
        "auth_hmac",
        "peers would refuse the advertisements",
        "remove it on all routers of this virtual router",
    ),
    Row::refused(
        "owner_ignore_adverts",
        "an owner would hear nobody",
        "remove it: with priority 255 on two hosts it makes two owners",
    ),
];

const ONE_HOME: &str = "announcements leave by the interface that has the address";
const STALL: &str = "after a stall a node yields to whoever took over, always";

pub(super) const NO_EFFECT: &[Row] = &[
    Row::accepted(
        "check_unicast_src",
        "drop advertisements of strangers",
        "unicast sources are always checked here",
    ),
    Row::accepted(
        "skip_check_adv_addr",
        "do not compare address lists",
        "it is always on: an address list that differs is counted, logged and accepted",
    ),
    Row::accepted(
        "lower_prio_no_advert",
        "do not answer losing advertisements",
        "a losing advertisement is answered, at most once in half an interval",
    ),
    Row::accepted(
        "higher_prio_send_advert",
        "advertise once more before yielding",
        "the winner announces its addresses itself",
    ),
    Row::accepted("timer_expired_backup", "what to do after lateness", STALL),
    Row::accepted("thread_timer_expired", "what to do after lateness", STALL),
    Row::accepted(
        "promote_secondaries",
        "keep other addresses of a network",
        "the other addresses of a network always stay when a virtual one goes",
    ),
    Row::accepted("garp_extra_if", "announcements on more interfaces of a virtual MAC", ONE_HOME),
    Row::accepted("vmac_garp_intvl", "old name of garp_extra_if", ONE_HOME),
    Row::accepted("kernel_rx_buf_size", "receive buffer", "the receive buffer is sized by need"),
    Row::accepted("linkbeat_use_polling", "poll the link", "link changes are learned from the kernel"),
    Row::accepted("lvs_sync_daemon_interface", "IPVS", "there is no IPVS here"),
    Row::accepted("debug", "nothing", "it never had an effect"),
];

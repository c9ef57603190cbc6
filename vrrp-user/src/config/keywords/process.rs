//! Keywords of `global_defs` that are about the processes, about reporting, and about IPVS.

use super::Keyword;
use crate::config::draft::GlobalDraft;

type Row = Keyword<GlobalDraft>;

const SCHED: &str =
    "the threads that keep time run with real-time priority and resident memory when they may";
const STALL: &str = "after a stall a node yields to whoever took over, always";
const NAMES: &str = "processes and threads have fixed names";
const PATHS: &str = "scripts are run by the path that is written here";
const GROUPS: &str = "scripts run with their user's own group only";
const FILES: &str = "no such files are read or written";
const SCRIPTS: &str = "it is not run yet";
const BUFFERS: &str = "buffers are sized by need, and what a full one loses is read again";
const FIREWALL: &str = "the rules for no_accept are in tables of nft of their own, and go with the node";
const AGENTS: &str = "there is no SNMP or D-Bus agent; see the status command";
const RELOAD: &str = "a configuration is always checked before it is used";
const INCLUDE: &str = "a file that is there and cannot be read is always an error";
const RANDOM: &str = "${_RANDOM} differs from run to run, and cannot be made to repeat itself";
const IPVS: &str = "there is no IPVS here; run keepalived beside for it, without its VRRP";
const BFD: &str = "there is no BFD here";

/// How the processes run.
pub(super) const PROCESS: &[Row] = &[
    Row::accepted("max_auto_priority", "raise the priority after lateness", SCHED),
    Row::accepted("min_auto_priority_delay", "lateness that raises the priority", SCHED),
    Row::accepted("vrrp_rlimit_rttime", "limit of real-time CPU use", SCHED),
    Row::accepted("vrrp_rlimit_rtime", "old name of vrrp_rlimit_rttime", SCHED),
    Row::accepted("vrrp_no_swap", "keep memory resident", SCHED),
    Row::accepted("thread_timer_expired", "what to do after lateness", STALL),
    Row::accepted("process_names", "titles of processes", NAMES),
    Row::accepted("process_name", "title of the process", NAMES),
    Row::accepted("vrrp_process_name", "title of the process", NAMES),
    Row::accepted("use_symlink_paths", "run scripts by their links' names", PATHS),
    Row::accepted("set_supplementary_groups", "more groups for scripts", GROUPS),
    Row::accepted("umask", "permissions of new files", FILES),
    Row::accepted("startup_script", "run at start", SCRIPTS),
    Row::accepted("startup_script_timeout", "time limit of startup_script", SCRIPTS),
    Row::accepted("shutdown_script", "run at stop", SCRIPTS),
    Row::accepted("shutdown_script_timeout", "time limit of shutdown_script", SCRIPTS),
    Row::accepted("vrrp_netlink_cmd_rcv_bufs", "netlink buffer", BUFFERS),
    Row::accepted("vrrp_netlink_cmd_rcv_bufs_force", "netlink buffer", BUFFERS),
    Row::accepted("vrrp_netlink_monitor_rcv_bufs", "netlink buffer", BUFFERS),
    Row::accepted("vrrp_netlink_monitor_rcv_bufs_force", "netlink buffer", BUFFERS),
    Row::accepted("process_monitor_rcv_bufs", "process events buffer", BUFFERS),
    Row::accepted("process_monitor_rcv_bufs_force", "process events buffer", BUFFERS),
    Row::accepted("vrrp_rx_bufs_policy", "receive buffer", BUFFERS),
    Row::accepted("vrrp_rx_bufs_multiplier", "receive buffer", BUFFERS),
    Row::accepted("vrrp_iptables", "chains for no_accept", FIREWALL),
    Row::accepted("vrrp_ipsets", "sets for no_accept", FIREWALL),
    Row::accepted("iproute_usr_dir", "where names of routing tables are", FILES),
    Row::accepted("iproute_etc_dir", "where names of routing tables are", FILES),
];

/// Who is told.
pub(super) const REPORTING: &[Row] = &[
    Row::accepted("snmp_socket", "SNMP agent", AGENTS),
    Row::accepted("enable_traps", "SNMP traps", AGENTS),
    Row::accepted("enable_snmp_vrrp", "SNMP", AGENTS),
    Row::accepted("enable_snmp_keepalived", "SNMP", AGENTS),
    Row::accepted("enable_snmp_rfc", "SNMP", AGENTS),
    Row::accepted("enable_snmp_rfcv2", "SNMP", AGENTS),
    Row::accepted("enable_snmp_rfcv3", "SNMP", AGENTS),
    Row::accepted("enable_dbus", "D-Bus", AGENTS),
    Row::accepted("dbus_service_name", "D-Bus", AGENTS),
    Row::accepted("dbus_no_interface_name", "D-Bus", AGENTS),
    Row::accepted("reload_check_config", "check before reloading", RELOAD),
    Row::accepted("reload_time_file", "reload at a time", RELOAD),
    Row::accepted("reload_repeat", "reload at times", RELOAD),
    Row::accepted("reload_file", "reload when asked by a file", RELOAD),
    Row::accepted("include_check", "what to do about missing includes", INCLUDE),
    Row::accepted("config_save_dir", "copies of the configuration", FILES),
    Row::accepted("tmp_config_directory", "copies of the configuration", FILES),
    Row::accepted("random_seed", "seed of ${_RANDOM}", RANDOM),
];

/// IPVS, its checkers and BFD.
pub(super) const OTHERS: &[Row] = &[
    Row::accepted("lvs_sync_daemon", "IPVS", IPVS),
    Row::accepted("lvs_timeouts", "IPVS", IPVS),
    Row::accepted("lvs_flush", "IPVS", IPVS),
    Row::accepted("lvs_flush_onstop", "IPVS", IPVS),
    Row::accepted("lvs_flush_on_stop", "IPVS", IPVS),
    Row::accepted("lvs_notify_fifo", "IPVS", IPVS),
    Row::accepted("lvs_notify_fifo_script", "IPVS", IPVS),
    Row::accepted("lvs_netlink_cmd_rcv_bufs", "IPVS", IPVS),
    Row::accepted("lvs_netlink_cmd_rcv_bufs_force", "IPVS", IPVS),
    Row::accepted("lvs_netlink_monitor_rcv_bufs", "IPVS", IPVS),
    Row::accepted("lvs_netlink_monitor_rcv_bufs_force", "IPVS", IPVS),
    Row::accepted("lvs_process_name", "IPVS", IPVS),
    Row::accepted("nftables_ipvs", "IPVS", IPVS),
    Row::accepted("nftables_ipvs_priority", "IPVS", IPVS),
    Row::accepted("nftables_ipvs_start_fwmark", "IPVS", IPVS),
    Row::accepted("snmp_rs_stats_update_interval", "IPVS", IPVS),
    Row::accepted("snmp_vs_stats_update_interval", "IPVS", IPVS),
    Row::accepted("enable_snmp_checker", "IPVS", IPVS),
    Row::accepted("rs_init_notifies", "IPVS", IPVS),
    Row::accepted("no_checker_emails", "IPVS", IPVS),
    Row::accepted("smtp_alert_checker", "IPVS", IPVS),
    Row::accepted("checker_log_all_failures", "IPVS", IPVS),
    Row::accepted("checker_process_name", "IPVS", IPVS),
    Row::accepted("checker_priority", "IPVS", IPVS),
    Row::accepted("checker_no_swap", "IPVS", IPVS),
    Row::accepted("checker_rt_priority", "IPVS", IPVS),
    Row::accepted("checker_rlimit_rttime", "IPVS", IPVS),
    Row::accepted("checker_rlimit_rtime", "IPVS", IPVS),
    Row::accepted("checker_cpu_affinity", "IPVS", IPVS),
    Row::accepted("tls_compliant", "IPVS", IPVS),
    Row::accepted("bfd_process_name", "BFD", BFD),
    Row::accepted("bfd_priority", "BFD", BFD),
    Row::accepted("bfd_no_swap", "BFD", BFD),
    Row::accepted("bfd_rt_priority", "BFD", BFD),
    Row::accepted("bfd_rlimit_rttime", "BFD", BFD),
    Row::accepted("bfd_rlimit_rtime", "BFD", BFD),
    Row::accepted("bfd_cpu_affinity", "BFD", BFD),
];

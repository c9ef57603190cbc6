//! Where mail about transitions goes.

use vrrp_common::time::Interval;

/// The mail server and whom to tell by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// `smtp_server`: a name or address.
    pub server: String,
    /// ... and its port (25).
    pub port: u16,
    /// `smtp_helo_name`: how we call ourselves; the host's name.
    pub helo: String,
    /// `smtp_connect_timeout` (30 s): until the server is there, and for each of its answers.
    pub timeout: Interval,
    /// `notification_email_from`.
    pub from: String,
    /// `notification_email`: at least one.
    pub to: Vec<String>,
    /// Faults are told too: `no_email_faults` is absent.
    pub faults: bool,
}

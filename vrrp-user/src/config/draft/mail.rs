//! Where mail goes, as it was given.

use vrrp_common::time::Interval;

use super::Given;

/// The keywords of `global_defs` about mail.
#[derive(Debug, Default)]
pub(in crate::config) struct MailDraft {
    pub(in crate::config) server: Option<(String, u16)>,
    pub(in crate::config) helo: Option<String>,
    pub(in crate::config) timeout: Option<Interval>,
    pub(in crate::config) from: Option<String>,
    pub(in crate::config) to: Vec<Given<String>>,
    /// `smtp_alert` and `smtp_alert_vrrp`.
    pub(in crate::config) alert: Option<Given<bool>>,
    pub(in crate::config) alert_vrrp: Option<Given<bool>>,
    pub(in crate::config) no_faults: bool,
}

impl MailDraft {
    /// Whether mail is sent for whatever does not say itself.
    pub(in crate::config) fn is_usual(&self) -> bool {
        self.alert_vrrp.or(self.alert).is_some_and(|given| given.value)
    }
}

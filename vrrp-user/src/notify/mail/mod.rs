//! Mail about transitions, in keepalived's words. A thread of its own sends it, one letter after the other: a mail server
//! that hangs holds up nobody else.

mod smtp;

use super::{Happening, Notice, SubjectKind};
use crate::{
    config::model::{Configuration, Mail},
    worker::{Refused, Worker},
};

/// Letters that may wait for the mail server.
const WAITING: usize = 64;

/// A letter to all receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Letter {
    mail: Mail,
    subject: String,
    text: String,
}

/// Hands letters to the thread.
#[derive(Debug)]
pub(super) struct Mailer {
    mail: Option<Mail>,
    router_id: String,
    postman: Worker<Letter>,
}

impl Default for Mailer {
    fn default() -> Self {
        Self { mail: None, router_id: String::new(), postman: Worker::new("mail", WAITING, post) }
    }
}

impl Mailer {
    /// Sends by this configuration from now on.
    pub(super) fn set(&mut self, configuration: &Configuration) {
        self.mail.clone_from(&configuration.mail);
        self.router_id.clone_from(&configuration.router_id);
    }

    /// Sends word of a transition. When too many letters wait, it is left out, and the log says so.
    pub(super) fn tell(&mut self, notice: &Notice) {
        let Some((mail, (subject, text))) = self.mail.as_ref().zip(words(notice)) else { return };
        if notice.happening == Happening::Fault && !mail.faults {
            return;
        }
        let subject = plain(&format!("[{}] {subject}", self.router_id));
        let letter = Letter { mail: mail.clone(), subject, text };
        if let Err(refused) = self.postman.hand(letter) {
            let why = match refused {
                Refused::Thread(error) => format!("no thread can be started: {error}"),
                Refused::Full => format!("{WAITING} letters wait for the mail server already"),
                Refused::Ended => "its thread has ended".to_owned(),
            };
            tracing::warn!("no mail about {notice}: {why}");
        }
    }
}

/// Subject and text. The end of the node is told by nobody who ends with it, as in keepalived.
fn words(notice: &Notice) -> Option<(String, String)> {
    let (name, word) = (&notice.subject.name, notice.happening.word());
    let owning = match notice.happening {
        Happening::Active => "now",
        Happening::Backup | Happening::Fault => "no longer",
        _ => return None,
    };
    Some(match notice.subject.kind {
        SubjectKind::Instance => (
            format!("VRRP Instance {name} - Entering {word} state"),
            format!("=> VRRP Instance is {owning} owning VRRP VIPs <="),
        ),
        SubjectKind::Group => (
            format!("VRRP Group {name} - Entering {word} state"),
            format!("=> All VRRP group instances are now in {word} state <="),
        ),
    })
}

/// One line of plain ASCII: what else there is in names would be lines of their own, or unreadable.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "the letter is the thread's")]
fn post(letter: Letter) {
    let Letter { subject, mail, .. } = &letter;
    match smtp::send(&letter) {
        Ok(()) => tracing::debug!("mail was sent: {subject}"),
        Err(error) => {
            tracing::warn!("mail was not sent by {} port {}: {error}: {subject}", mail.server, mail.port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Subject, *};

    /// As keepalived 2.2.7 sent them.
    #[test]
    fn the_words_are_keepaliveds() {
        for (kind, happening, subject, text) in [
            (
                SubjectKind::Instance,
                Happening::Active,
                "VRRP Instance A - Entering MASTER state",
                "=> VRRP Instance is now owning VRRP VIPs <=",
            ),
            (
                SubjectKind::Instance,
                Happening::Fault,
                "VRRP Instance A - Entering FAULT state",
                "=> VRRP Instance is no longer owning VRRP VIPs <=",
            ),
            (
                SubjectKind::Group,
                Happening::Backup,
                "VRRP Group A - Entering BACKUP state",
                "=> All VRRP group instances are now in BACKUP state <=",
            ),
        ] {
            let notice = Notice { subject: Subject { kind, name: "A".into() }, happening, priority: 7 };
            assert_eq!(words(&notice), Some((subject.to_owned(), text.to_owned())));
        }
    }

    #[test]
    fn a_name_cannot_add_lines() {
        assert_eq!(plain("[a\r\nBcc: b]"), "[a??Bcc: b]");
    }
}

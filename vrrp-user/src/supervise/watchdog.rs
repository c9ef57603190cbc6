//! Do all threads turn? Who is told is not decided here.

use super::Pulses;

/// Asks every thread again and again.
pub(super) struct Watchdog {
    pulses: Pulses,
    /// The last word was that somebody is stuck: it is said once.
    stuck: bool,
}

impl Watchdog {
    pub(super) fn new(pulses: Pulses) -> Self {
        Self { pulses, stuck: false }
    }

    /// Whether all have answered since the last call; then they are asked anew.
    pub(super) fn all_turned(&mut self) -> bool {
        let silent: Vec<&str> =
            self.pulses.iter().filter(|(_, pulse)| !pulse.is_answered()).map(|(name, _)| *name).collect();
        if silent.is_empty() {
            self.stuck = false;
            self.pulses.iter().for_each(|(_, pulse)| pulse.ask());
            return true;
        }
        if !self.stuck {
            self.stuck = true;
            let names = silent.join(" and ");
            tracing::error!("the {names} thread does not turn: the supervisor's watchdog is not fed");
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::supervise::Pulse;

    #[test]
    fn one_thread_that_does_not_turn_is_enough() {
        let pulses: Pulses = vec![("protocol", Arc::default()), ("address", Arc::default())];
        let [protocol, address]: [Arc<Pulse>; 2] = [0, 1].map(|index: usize| Arc::clone(&pulses[index].1));
        let mut watchdog = Watchdog::new(pulses);
        assert!(watchdog.all_turned(), "nobody was asked yet");
        protocol.answer();
        assert!(!watchdog.all_turned(), "the address thread was asked and did not answer");
        address.answer();
        assert!(watchdog.all_turned());
        address.answer();
        assert!(!watchdog.all_turned(), "now it is the protocol thread");
        protocol.answer();
        assert!(watchdog.all_turned(), "a thread that turns again is believed");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_question_is_not_lost_before_the_thread_sleeps() {
        let pulse = Pulse::default();
        pulse.ask();
        pulse.asked().await;
        pulse.answer();
        assert!(pulse.is_answered());
    }
}

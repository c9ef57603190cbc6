//! Lines on standard output; colours only on a terminal.

use std::{
    env,
    io::{IsTerminal as _, Write as _, stdout},
    time::Duration,
};

/// Knows whether there are colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    colours: bool,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";

impl Paint {
    /// Colours on a terminal, unless `NO_COLOR` is set.
    pub(super) fn for_stdout() -> Self {
        Self {
            colours: stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    pub(super) fn line(self, text: &str) {
        // A reader that went away wants no more lines; the demo's result is its exit code.
        drop(writeln!(stdout(), "{text}"));
    }

    pub(super) fn title(self, text: &str) {
        self.line(&format!("\n{}", self.colour(BOLD, text)));
    }

    pub(super) fn event(self, at: Duration, who: &str, text: &str) {
        let time = self.colour(DIM, &format!("{:8.2} s", at.as_secs_f64()));
        self.line(&format!("{time}  {who:<8}{text}"));
    }

    pub(super) fn verdict(self, good: bool, text: &str) {
        let (sign, colour) = if good { ("as it should be", GREEN) } else { ("NOT AS IT SHOULD BE", RED) };
        self.line(&format!("            {}: {text}", self.colour(colour, sign)));
    }

    fn colour(self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

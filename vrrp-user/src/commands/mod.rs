//! One file a command. They glue the library's parts together and speak to people; they decide nothing.

pub mod background;
pub mod check;
pub mod cleanup;
pub mod doctor;
pub mod events;
pub mod order;
pub mod reload;
pub mod run;
pub mod status;
pub mod stop;

use std::io::{self, IsTerminal, Write, stderr, stdout};

use clap::ColorChoice;

use crate::config::{Loaded, render};

/// How to speak to the person who typed the command.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// When to use colours.
    pub color: ColorChoice,
    /// How often `-v` was given.
    pub verbose: u8,
    /// Whether `-q` was given.
    pub quiet: bool,
}

impl Style {
    fn wants_color(self, terminal: bool) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    /// Colours on standard error.
    fn color_on_stderr(self) -> bool {
        self.wants_color(stderr().is_terminal())
    }

    fn level(self) -> &'static str {
        match (self.quiet, self.verbose) {
            (true, _) => "error",
            (false, 0) => "info",
            (false, 1) => "debug",
            (false, _) => "trace",
        }
    }
}

/// Prints what the configuration's reader has to say, all of it.
fn report(loaded: &Loaded, style: Style) {
    if loaded.diagnostics.is_empty() {
        return;
    }
    #[allow(clippy::print_stderr, reason = "diagnostics are for the person at the terminal")]
    {
        eprint!("{}", render(&loaded.diagnostics, &loaded.sources, style.color_on_stderr()));
    }
}

/// Tells the person at the terminal what a command could not do besides.
fn warn(text: &str) {
    #[allow(clippy::print_stderr, reason = "it is for the person at the terminal")]
    {
        eprintln!("xvrrp: {text}");
    }
}

/// Writes to standard output; a reader that left (`| head`) is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    match stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

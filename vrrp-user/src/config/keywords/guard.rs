//! `guard`, our own keyword of `global_defs`.

use crate::config::{context::Context, lexer::Word, model::GuardMode, values};

pub(super) const MODES: &str = "auto|required|off";
pub(super) const DOC: &str = "whether the kernel closes the virtual addresses when this node no longer holds them: auto, required or off";

pub(super) fn set(mode: &mut GuardMode, word: &Word, context: &mut Context<'_>) {
    let choices = [("auto", GuardMode::Auto), ("required", GuardMode::Required), ("off", GuardMode::Off)];
    if let Some(chosen) = context.ok(values::choice("guard", word, &choices), DOC) {
        *mode = chosen;
    }
}

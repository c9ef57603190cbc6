//! `datapath` and `tc_hook`, our own keywords, which mean the same in `global_defs` and in `vrrp_instance`.

use crate::config::{
    context::Context,
    draft::ReceiveDraft,
    lexer::Word,
    model::{ReceivePath, TcHook},
    values,
};

pub(super) const PATH_DOC: &str = "by what advertisements are heard: auto, or one that must work";
pub(super) const PATHS: &str = "auto|xdp|xdp_generic|tc|socket";
pub(super) const HOOK_DOC: &str = "where in tc the program is attached: tcx or clsact";
pub(super) const HOOKS: &str = "tcx|clsact";
pub(super) const HOOK_DEFAULT: &str = "tcx where the kernel has it, else clsact";

pub(super) fn set_path(receive: &mut ReceiveDraft, word: &Word, context: &mut Context<'_>) {
    let choices = [
        ("auto", ReceivePath::Auto),
        ("xdp", ReceivePath::Xdp),
        ("xdp_generic", ReceivePath::XdpGeneric),
        ("tc", ReceivePath::Tc),
        ("socket", ReceivePath::Socket),
    ];
    receive.path = context.ok(values::choice("datapath", word, &choices), PATH_DOC).or(receive.path);
}

pub(super) fn set_hook(receive: &mut ReceiveDraft, word: &Word, context: &mut Context<'_>) {
    let choices = [("tcx", TcHook::Tcx), ("clsact", TcHook::Clsact)];
    receive.hook = context.ok(values::choice("tc_hook", word, &choices), HOOK_DOC).or(receive.hook);
}

//! Options of the entries in blocks of values: what a row is and how the words of a line are read.

use crate::config::{
    context::Context,
    diagnostics::{error, notice, warning},
    lexer::Word,
    values::{self, quote},
};

/// One word of an entry of a block of values, and what becomes of it.
pub(super) struct EntryOption<T: 'static> {
    pub(super) name: &'static str,
    /// How many words belong to it.
    pub(super) takes: usize,
    pub(super) class: OptionClass<T>,
}

/// See [`Class`].
pub(super) enum OptionClass<T: 'static> {
    Works(fn(&mut T, &[Word], &mut Context<'_>)),
    Accepted(&'static str),
    Refused(&'static str),
}

/// Puts the options of one entry into `target`.
pub(super) fn apply_options<T>(
    options: &'static [EntryOption<T>],
    target: &mut T,
    mut words: &[Word],
    context: &mut Context<'_>,
) {
    while let [word, rest @ ..] = words {
        let text = word.text();
        let Some(option) = options.iter().find(|option| option.name == text) else {
            unknown_option(options, word, context);
            words = rest;
            continue;
        };
        let Some((arguments, rest)) = rest.split_at_checked(option.takes) else {
            context.push(error(word.span, format!("{} needs a value", quote(&text))));
            return;
        };
        words = rest;
        match &option.class {
            OptionClass::Works(set) => set(target, arguments, context),
            OptionClass::Accepted(reason) => context.notice_once(option.name, || {
                notice(word.span, format!("{} has no effect here", quote(&text))).help(*reason)
            }),
            OptionClass::Refused(remedy) => {
                context.push(error(word.span, format!("{} is not supported", quote(&text))).help(*remedy));
            }
        }
    }
}

fn unknown_option<T>(options: &'static [EntryOption<T>], word: &Word, context: &mut Context<'_>) {
    let text = word.text();
    let mut unknown = warning(word.span, format!("unknown option {}; it is ignored", quote(&text)));
    if let Some(near) = values::nearest(&text, options.iter().map(|option| option.name)) {
        unknown = unknown.help(format!("did you mean `{near}`? one entry a line"));
    } else {
        unknown = unknown.help("one entry a line");
    }
    context.push(unknown);
}

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

/// Puts the options of one entry into `target`; what none of them is, is ignored.
pub(super) fn apply_options<T>(
    options: &'static [EntryOption<T>],
    target: &mut T,
    words: &[Word],
    context: &mut Context<'_>,
) {
    // It ends at an option without its value, too: there is nothing behind it.
    let _end = apply_known_options(options, target, words, context, |_, word, context| {
        let text = word.text();
        let near = did_you_mean(options, &text);
        let unknown = warning(word.span, format!("unknown option {}; it is ignored", quote(&text)));
        context.push(unknown.help(near + "one entry a line"));
        Some(())
    });
}

/// As [`apply_options`], with another answer to a word that is not an option. `None` if the line was not read to
/// its end, which was reported.
pub(super) fn apply_known_options<T>(
    options: &'static [EntryOption<T>],
    target: &mut T,
    mut words: &[Word],
    context: &mut Context<'_>,
    other: impl Fn(&mut T, &Word, &mut Context<'_>) -> Option<()>,
) -> Option<()> {
    while let [word, rest @ ..] = words {
        let text = word.text();
        let Some(option) = options.iter().find(|option| option.name == text) else {
            other(target, word, context)?;
            words = rest;
            continue;
        };
        let Some((arguments, rest)) = rest.split_at_checked(option.takes) else {
            let missing = error(word.span, format!("{} needs a value", quote(&text)));
            context.push(missing.help(format!("write it behind {}, on the same line", quote(&text))));
            return None;
        };
        words = rest;
        match &option.class {
            OptionClass::Works(set) => set(target, arguments, context),
            OptionClass::Accepted(reason) => context.notice_once(option.name, || {
                notice(word.span, format!("{} has no effect here", quote(&text))).help(*reason)
            }),
            OptionClass::Refused(remedy) => {
                context.push(error(word.span, format!("{} is not supported", quote(&text))).help(*remedy));
                // How many words belong to it depends on these words.
                return None;
            }
        }
    }
    Some(())
}

/// Names the option that may have been meant, if one is near.
pub(super) fn did_you_mean<T>(options: &'static [EntryOption<T>], text: &str) -> String {
    let near = values::nearest(text, options.iter().map(|option| option.name));
    near.map_or_else(String::new, |near| format!("did you mean `{near}`? "))
}

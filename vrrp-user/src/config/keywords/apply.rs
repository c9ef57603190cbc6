//! Reading a block's statements by its table.

use super::{Class, Grammar, Shape, Table, tables};
use crate::config::{
    context::Context,
    diagnostics::{error, notice, warning},
    draft::Given,
    lexer::Word,
    source::Span,
    statement::Statement,
    values::{self, quote},
};

/// Puts the settings of a block into `target` and returns which keywords it has. Statements that the table does
/// not know were reported when they were parsed.
pub(in crate::config) fn apply<T>(
    table: &'static Table<T>,
    target: &mut T,
    statements: &[Statement],
    context: &mut Context<'_>,
) -> Vec<&'static str> {
    let mut seen: Vec<(&'static str, Span)> = Vec::new();
    for statement in statements {
        let Some(row) = table.find(&statement.keyword.text()) else { continue };
        match &row.class {
            Class::Works(grammar) => {
                let single = matches!(grammar.shape(), Shape::Line);
                note(row.name, single, &mut seen, statement, context);
                grammar.read(row.name, row.doc, target, statement, context);
            }
            Class::Accepted(reason) => context.notice_once(row.name, || {
                notice(statement.keyword.span, format!("`{}` has no effect here", row.name)).help(*reason)
            }),
            Class::Refused(remedy) => {
                let message = format!("`{}` is not supported", row.name);
                context.push(error(statement.keyword.span, message).label(row.doc).help(*remedy));
            }
        }
    }
    seen.into_iter().map(|(name, _)| name).collect()
}

/// Notes that a keyword was seen, and warns if it is one of those of which the last one counts.
fn note(
    name: &'static str,
    single: bool,
    seen: &mut Vec<(&'static str, Span)>,
    statement: &Statement,
    context: &mut Context<'_>,
) {
    let place = statement.keyword.span;
    match seen.iter().find(|(other, _)| *other == name) {
        None => seen.push((name, place)),
        Some((_, first)) if single => {
            let message = format!("`{name}` is given twice; the last one counts");
            let twice = warning(place, message).related(*first, "given here first");
            context.push(twice.help("remove the one that is not meant"));
        }
        Some(_) => {}
    }
}

impl<T> Grammar<T> {
    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Values(..) => Shape::Values,
            Self::Block(table, _) => Shape::Block(*table),
            _ => Shape::Line,
        }
    }

    /// How many words may follow the keyword; `None` if the setter looks at all of them.
    fn takes(&self) -> Option<usize> {
        match self {
            Self::Line(..) => None,
            Self::Block(..) => Some(1),
            Self::Flag(_) | Self::Values(..) => Some(0),
            _ => Some(1),
        }
    }

    fn read(
        &self,
        name: &'static str,
        doc: &'static str,
        target: &mut T,
        statement: &Statement,
        context: &mut Context<'_>,
    ) {
        if let Some(extra) = self.takes().and_then(|takes| statement.arguments.get(takes)) {
            warn_of_extra(name, extra, context);
        }
        match (self, statement.arguments.first()) {
            (Self::Flag(set) | Self::Switch(set), None) => {
                set(target, Given { value: true, span: statement.keyword.span });
            }
            (Self::Flag(set), Some(word)) => set(target, Given { value: true, span: word.span }),
            (Self::Line(_, set) | Self::Block(_, set), _) => set(target, statement, context),
            (Self::Values(_, set), _) => statement.body.iter().for_each(|entry| set(target, entry, context)),
            (_, Some(word)) => self.read_word(name, doc, target, word, context),
            (_, None) => {
                let message = format!("`{name}` needs a value");
                context.push(error(statement.keyword.span, message).help(doc));
            }
        }
    }

    fn read_word(
        &self,
        name: &'static str,
        doc: &'static str,
        target: &mut T,
        word: &Word,
        context: &mut Context<'_>,
    ) {
        match self {
            Self::Switch(set) => give(target, *set, word, context.ok(values::switch(name, word), doc)),
            Self::Number(range, set) => {
                give(target, *set, word, context.ok(values::number(name, word, range), doc));
            }
            Self::Seconds(range, set) => {
                give(target, *set, word, context.ok(values::seconds(name, word, range), doc));
            }
            Self::Interface(set) => give(target, *set, word, context.ok(values::interface(word), doc)),
            Self::Name(set) => give(target, *set, word, Some(word.text().into_owned())),
            Self::Word(_, set) | Self::Secret(set) => set(target, word, context),
            Self::Flag(_) | Self::Line(..) | Self::Values(..) | Self::Block(..) => {}
        }
    }
}

fn give<T, V>(target: &mut T, set: fn(&mut T, Given<V>), word: &Word, value: Option<V>) {
    if let Some(value) = value {
        set(target, Given { value, span: word.span });
    }
}

fn warn_of_extra(name: &str, extra: &Word, context: &mut Context<'_>) {
    let message = format!("what follows the value of `{name}` is ignored");
    let known = tables().iter().any(|table| table.shape(&extra.text()).is_some());
    let help = if known {
        format!("{} needs a line of its own", quote(&extra.text()))
    } else {
        format!("`{name}` has one value: remove the rest, or put `#` before it if it is a comment")
    };
    context.push(warning(extra.span, message).help(help));
}

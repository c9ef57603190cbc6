//! Commands: the words to run, and whether others can change the program.

use std::path::Path;

use crate::config::{
    context::Context,
    diagnostics::{error, notice, warning},
    model::Credentials,
    source::Span,
    values::quote,
    words,
};

/// The words of the command at a place, after a look at the program.
pub(super) fn checked(
    span: Span,
    user: Credentials,
    security: bool,
    context: &mut Context<'_>,
) -> Vec<String> {
    let command = command(span, context);
    check_program(&command, user, security, span, context);
    command
}

/// The words to run. One quoted word is a command line of its own; shell syntax is given to a shell.
fn command(span: Span, context: &mut Context<'_>) -> Vec<String> {
    let raw = context.sources.slice(span);
    let Some((text, words)) = split(raw, span, context) else { return Vec::new() };
    if words.is_empty() {
        context.push(error(span, "the command is empty").help("write a program and its arguments"));
    }
    let Some(sign) = words::shell_syntax(&text) else { return words };
    let shell = notice(span, format!("{} needs a shell: this is run by /bin/sh -c", quote(sign)));
    context.push(shell.help("keepalived hands such words to the program as arguments"));
    vec!["/bin/sh".into(), "-c".into(), text]
}

fn split(raw: &[u8], span: Span, context: &mut Context<'_>) -> Option<(String, Vec<String>)> {
    let words = split_words(raw, span, context)?;
    let [only] = words.as_slice() else {
        if words.len() > 1 {
            let bare = warning(span, "the whole command should be in double quotes");
            context.push(bare.help("keepalived runs only its first word otherwise; here all words are used"));
        }
        return Some((String::from_utf8_lossy(raw).into_owned(), words));
    };
    let words = split_words(only.as_bytes(), span, context)?;
    Some((only.clone(), words))
}

fn split_words(text: &[u8], span: Span, context: &mut Context<'_>) -> Option<Vec<String>> {
    let words = match words::split(text) {
        Ok(words) => words,
        Err(wrong) => {
            let help = "`#` and `!` start a comment everywhere but inside double quotes";
            context.push(error(span, format!("this command cannot be read: {wrong}")).help(help));
            return None;
        }
    };
    let words: Option<Vec<String>> = words.into_iter().map(|word| String::from_utf8(word).ok()).collect();
    if words.is_none() {
        context.push(error(span, "this command is not UTF-8").help("save the file as UTF-8"));
    }
    words
}

fn check_program(
    command: &[String],
    user: Credentials,
    security: bool,
    span: Span,
    context: &mut Context<'_>,
) {
    let [first, rest @ ..] = command else { return };
    check_one(first, user, security, span, context);
    // What the shell runs first is looked at too, if it is named by its path.
    if let [dash_c, text] = rest
        && dash_c == "-c"
        && let Some(inner) = text.split_whitespace().next()
        && inner.starts_with('/')
    {
        check_one(inner, user, security, span, context);
    }
}

fn check_one(program: &str, user: Credentials, security: bool, span: Span, context: &mut Context<'_>) {
    let found = context.host.program(program);
    if found.is_none() {
        let missing = warning(span, format!("{} cannot be run: there is no such program", quote(program)));
        context.push(missing.help("a check fails, and a notify program tells nobody, until there is one"));
    }
    let path = found.as_deref().unwrap_or_else(|| Path::new(program));
    if !path.is_absolute() {
        if program.contains('/') {
            let relative =
                warning(span, format!("{} depends on the directory that the node runs in", quote(program)));
            context.push(relative.help("write the whole path"));
        }
        return;
    }
    let Some(changeable) = (user.uid == 0).then(|| context.host.changeable(path)).flatten() else { return };
    let changeable = quote(&changeable.display().to_string());
    let message = format!("{changeable} can be changed by others than root, and this script runs as root");
    if security {
        let help = "make root its only writer, or name another `user` for the script";
        context.push(error(span, message).help(help));
    } else {
        context.push(warning(span, message).help("`enable_script_security` refuses such scripts"));
    }
}

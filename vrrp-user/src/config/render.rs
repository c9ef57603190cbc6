//! Draws diagnostics for people, with the source line, and as one plain line each.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use serde_json::{Value as Json, json};

use super::{
    diagnostics::{Diagnostic, Severity},
    source::{Excerpt, Sources, Span},
};

/// All diagnostics with their source lines, in order; `color` adds terminal colours.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&draw(diagnostic, sources, &renderer));
        text.push_str("\n\n");
    }
    text
}

/// `FILE:LINE:COLUMN: severity: message (help)`, without a line end.
pub fn render_line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut line = String::new();
    if let Some(span) = diagnostic.span {
        let (row, column) = sources.position(span);
        line = format!("{}:{row}:{column}: ", sources.file_name(span));
    }
    line += &format!("{}: {}", diagnostic.severity.name(), diagnostic.message);
    if let Some(help) = &diagnostic.help {
        // Writing to a string cannot fail.
        let _ = write!(line, " ({help})");
    }
    line.replace(['\n', '\r'], " ")
}

/// A diagnostic for programs: place, source line and remedy as fields, `null` where there is none.
pub fn json(diagnostic: &Diagnostic, sources: &Sources) -> Json {
    let place = |span: Span| {
        let (line, column) = sources.position(span);
        json!({ "file": sources.file_name(span), "line": line, "column": column })
    };
    let related =
        diagnostic.related.as_deref().map(|(span, why)| json!({ "place": place(*span), "message": why }));
    json!({
        "severity": diagnostic.severity.name(),
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
        "place": diagnostic.span.map(place),
        "source_line": diagnostic.span.map(|span| sources.excerpt(span).text),
        "used_at": diagnostic.span.and_then(|span| sources.used(span)).map(place),
        "related": related,
    })
}

fn draw(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Notice => Level::NOTE.with_name("notice"),
        Severity::Hint => Level::HELP.with_name("hint"),
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()));
    if let Some(span) = diagnostic.span {
        group = group.element(snippet(sources, span, diagnostic.label.as_deref(), AnnotationKind::Primary));
    }
    if let Some(used) = diagnostic.span.and_then(|span| sources.used(span)) {
        group = group.element(snippet(sources, used, Some("used here"), AnnotationKind::Context));
    }
    if let Some((span, why)) = diagnostic.related.as_deref() {
        group = group.element(snippet(sources, *span, Some(why), AnnotationKind::Context));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

fn snippet<'a>(
    sources: &'a Sources,
    span: Span,
    label: Option<&'a str>,
    kind: AnnotationKind,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let Excerpt { text, mark, line } = sources.excerpt(span);
    let annotation = kind.span(mark).label(label);
    Snippet::source(text).line_start(line).path(sources.file_name(span)).annotation(annotation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::error;

    fn example() -> (Sources, Diagnostic) {
        let mut sources = Sources::default();
        let file = sources.add("k.conf".into(), b"vrrp_instance V {\n\tpriority 256\n}\n".to_vec());
        let place = Span { file, start: 28, end: 31 };
        let opened = Span { file, start: 0, end: 13 };
        let diagnostic = error(place, "`priority` must be a whole number from 1 to 255, not `256`")
            .label("too large")
            .related(opened, "in this instance")
            .help("255 means that this host owns the address");
        (sources, diagnostic)
    }

    #[test]
    fn a_drawing_shows_place_line_label_and_remedy() {
        let (sources, diagnostic) = example();
        let text = render(&[diagnostic], &sources, false);
        for part in [
            "error: `priority` must be",
            "k.conf:2:11",
            "priority 256",
            "^^^ too large",
            "in this instance",
            "help: 255 means",
        ] {
            assert!(text.contains(part), "{part} in:\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn colour_is_optional() {
        let (sources, diagnostic) = example();
        assert!(render(&[diagnostic], &sources, true).contains('\u{1b}'));
    }

    #[test]
    fn the_short_form_is_one_line() {
        let (sources, diagnostic) = example();
        assert_eq!(
            render_line(&diagnostic, &sources),
            "k.conf:2:11: error: `priority` must be a whole number from 1 to 255, not `256` \
             (255 means that this host owns the address)"
        );
    }
}

//! Opening files: the first one and what is included, bounded in depth and number.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{File, Reader, expansion::Expansion};
use crate::config::{
    diagnostics::{error, notice},
    glob,
    lexer::Word,
    source::Span,
    values::quote,
};

const DEPTH_LIMIT: usize = 16;
/// Files and `include` statements together.
const LIMIT: usize = 1000;

/// A file that is being read.
pub(super) struct OpenFile {
    /// Its path with links resolved: no file may include itself.
    canonical: PathBuf,
    /// Where it was found: what it includes is relative to that.
    folder: PathBuf,
}

impl OpenFile {
    /// Its directory, with links resolved.
    pub(super) fn folder_name(&self) -> String {
        self.canonical.parent().unwrap_or_else(|| Path::new("/")).display().to_string()
    }
}

/// What is an error when files are included. That a file cannot be read always is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Checks {
    /// There is no file of this name.
    name: bool,
    /// No file matches the wildcard.
    wildcard: bool,
    /// Not every alternative in braces is there.
    braces: bool,
}

const NONE: Checks = Checks { name: false, wildcard: false, braces: false };

/// Reading other files: the keyword, and what must match. These hold in every block.
const INCLUDES: &[(&str, Checks)] = &[
    ("include", NONE),
    ("includer", NONE),
    ("includem", Checks { name: true, ..NONE }),
    ("includew", Checks { name: true, wildcard: true, ..NONE }),
    ("includeb", Checks { braces: true, ..NONE }),
    ("includea", Checks { name: true, wildcard: true, braces: true }),
];

/// The length of the keyword that a line begins with, and what must match, if it reads other files.
pub(super) fn include_keyword(line: &[u8]) -> Option<(usize, Checks)> {
    let length = line.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let ends = line.get(length).is_none_or(|next| next.is_ascii_whitespace() || b"#!\"".contains(next));
    let (keyword, checks) = INCLUDES.iter().find(|(keyword, _)| keyword.as_bytes() == &line[..length])?;
    ends.then_some((keyword.len(), *checks))
}

impl Reader<'_> {
    /// Reads one file; what it holds is part of the block that includes it.
    pub(super) fn file(&mut self, path: &Path, included: Option<Span>) -> Option<File> {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if let Some(refusal) = self.refusal(path, &canonical) {
            self.report.push(error(included, refusal).help("remove the `include`, or what it includes"));
            return None;
        }
        let source = match self.sources.read(path) {
            Ok(source) => source,
            Err(refusal) => {
                let help = "make it a text file that this user may read, or name another";
                self.report.push(error(included, refusal.to_string()).help(help));
                return None;
            }
        };
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        self.open_files.push(OpenFile { canonical, folder });
        let file = Expansion::of(self, source);
        self.open_files.pop();
        Some(file)
    }

    fn refusal(&mut self, path: &Path, canonical: &Path) -> Option<String> {
        let shown = quote(&path.display().to_string());
        if self.open_files.iter().any(|open| open.canonical == canonical) {
            return Some(format!("{shown} includes itself"));
        }
        if self.open_files.len() >= DEPTH_LIMIT {
            return Some(format!("{shown} is included {DEPTH_LIMIT} files deep; that is the limit"));
        }
        self.count_include().then(too_many)
    }

    /// Whether there are too many.
    fn count_include(&mut self) -> bool {
        self.includes += 1;
        self.includes > LIMIT
    }

    /// Reads the files that `target` means.
    pub(super) fn include(&mut self, keyword: Span, target: &Word, checks: Checks) -> Vec<File> {
        if target.bytes.is_empty() {
            let keyword_text = String::from_utf8_lossy(self.sources.slice(keyword)).into_owned();
            let message = format!("{} needs a file name or pattern", quote(&keyword_text));
            self.report
                .push(error(keyword, message).help("names are looked up beside the file that has the line"));
            return Vec::new();
        }
        if self.count_include() {
            self.report.push(error(target.span, too_many()).help("put several files into one"));
            return Vec::new();
        }
        let paths = self.included(target, checks);
        paths.iter().filter_map(|path| self.file(path, Some(target.span))).collect()
    }

    /// The files that a pattern means; a directory counts only if it was named.
    fn included(&mut self, target: &Word, checks: Checks) -> Vec<PathBuf> {
        let pattern = target.text();
        let pattern = pattern.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(&pattern);
        let folder = self.open_files.last().map_or_else(|| Path::new(""), |open| open.folder.as_path());
        let mut paths = match glob::expand(folder, pattern) {
            Ok(paths) => paths,
            Err(reason) => {
                let message = format!("cannot list the files of {}: {reason}", quote(pattern));
                self.report.push(
                    error(target.span, message).help("let this user list the directory, or name the files"),
                );
                return Vec::new();
            }
        };
        let named = paths.len() == 1;
        let found = paths.len();
        paths.retain(|path| !is_missing(path));
        if paths.is_empty() || paths.len() < found {
            let demanded = match (glob::has_signs(pattern), pattern.contains('{')) {
                (true, _) => checks.wildcard,
                (false, true) => checks.braces,
                (false, false) => checks.name,
            };
            let diagnostic = if demanded { error } else { notice };
            let none = diagnostic(target.span, format!("no file matches {}", quote(pattern)));
            self.report.push(none.help(
                "names are looked up beside the file that has the line; make the file, or remove the line",
            ));
        }
        paths.retain(|path| named || !path.is_dir());
        paths
    }
}

fn too_many() -> String {
    format!("more than {LIMIT} files and includes; that is the limit")
}

fn is_missing(path: &Path) -> bool {
    matches!(path.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

//! Reading files into statements: the first one and what is included, bounded in depth and number.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{Block, Content, Cursor, Parser};
use crate::config::{
    diagnostics::{error, notice},
    glob,
    lexer::{Lexer, Word},
    source::Span,
    statement::Statement,
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

impl Parser<'_> {
    /// Reads one file; what it holds is part of the block that includes it.
    pub(super) fn file(
        &mut self,
        path: &Path,
        included: Option<Span>,
        content: Content,
        out: &mut Vec<Statement>,
    ) {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if let Some(refusal) = self.refusal(path, &canonical) {
            return self.report.push(error(included, refusal));
        }
        let file = match self.sources.read(path) {
            Ok(file) => file,
            Err(refusal) => return self.report.push(error(included, refusal.to_string())),
        };
        let bytes = self.sources.shared(file);
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        self.open_files.push(OpenFile { canonical, folder });
        self.block(&mut Cursor::new(Lexer::new(file, &bytes)), Block { content, open: None }, out);
        self.open_files.pop();
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

    /// Reads `include PATTERN` from behind its keyword.
    pub(super) fn include(
        &mut self,
        cursor: &mut Cursor<'_>,
        content: Content,
        (keyword, must_match): (&Word, bool),
        out: &mut Vec<Statement>,
    ) {
        let target = cursor.rest_of_line();
        if target.bytes.is_empty() {
            let message = format!("{} needs a file name or pattern", quote(&keyword.text()));
            return self.report.push(error(keyword.span, message));
        }
        if self.count_include() {
            return self.report.push(error(target.span, too_many()));
        }
        for path in self.included(&target, must_match) {
            self.file(&path, Some(target.span), content, out);
        }
    }

    /// The files that a pattern means; a directory counts only if it was named.
    fn included(&mut self, target: &Word, must_match: bool) -> Vec<PathBuf> {
        let pattern = target.text();
        let pattern = pattern.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(&pattern);
        let folder = self.open_files.last().map_or_else(|| Path::new(""), |open| open.folder.as_path());
        let mut paths = match glob::expand(folder, pattern) {
            Ok(paths) => paths,
            Err(reason) => {
                let message = format!("cannot list the files of {}: {reason}", quote(pattern));
                self.report.push(error(target.span, message));
                return Vec::new();
            }
        };
        let named = paths.len() == 1;
        let found = paths.len();
        paths.retain(|path| !is_missing(path));
        if paths.is_empty() || paths.len() < found {
            let diagnostic = if must_match { error } else { notice };
            self.report.push(diagnostic(target.span, format!("no file matches {}", quote(pattern))));
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

//! Lines that a pipe has no room for yet. Pure.

use std::collections::{HashSet, VecDeque};

use super::Subject;

/// Lines that wait, as long as there is more than the last one of somebody among them.
const MOST: usize = 1024;

/// The lines that wait, oldest first. When there are too many, lines of whom a later one tells go first: the last
/// state of every subject is never lost.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    lines: VecDeque<(Subject, String)>,
    lost: u64,
}

impl Backlog {
    pub(super) fn push(&mut self, subject: Subject, line: String) {
        self.lines.push_back((subject, line));
        if self.lines.len() > MOST
            && let Some(stale) = self.stale()
        {
            self.lines.remove(stale);
            self.lost += 1;
        }
    }

    /// The oldest line whose subject has a later one.
    fn stale(&self) -> Option<usize> {
        let mut later = HashSet::new();
        let from_the_last = self.lines.iter().enumerate().rev();
        from_the_last.filter(|(_, (subject, _))| !later.insert(subject)).last().map(|(at, _)| at)
    }

    pub(super) fn first(&self) -> Option<&str> {
        self.lines.front().map(|(_, line)| line.as_str())
    }

    pub(super) fn pop(&mut self) {
        self.lines.pop_front();
    }

    /// How many lines were left out since this was asked last.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::SubjectKind;

    #[test]
    fn the_last_line_of_everybody_stays_and_the_order_too() {
        let subject = |name: &str| Subject { kind: SubjectKind::Instance, name: name.into() };
        let mut backlog = Backlog::default();
        backlog.push(subject("quiet"), "quiet".into());
        for number in 0..3 * MOST {
            backlog.push(subject("busy"), number.to_string());
        }
        assert_eq!(backlog.take_lost(), 2 * MOST as u64 + 1);
        assert_eq!(backlog.first(), Some("quiet"));
        let lines: Vec<String> = backlog.lines.iter().map(|(_, line)| line.clone()).collect();
        assert_eq!(lines.len(), MOST);
        assert_eq!(lines[1], (2 * MOST + 1).to_string());
        assert_eq!(lines.last().unwrap(), &(3 * MOST - 1).to_string());
    }

    #[test]
    fn many_subjects_are_all_kept() {
        let mut backlog = Backlog::default();
        for number in 0..2 * MOST {
            let name = number.to_string();
            backlog.push(Subject { kind: SubjectKind::Group, name: name.as_str().into() }, name);
        }
        assert_eq!((backlog.lines.len(), backlog.take_lost()), (2 * MOST, 0));
    }
}

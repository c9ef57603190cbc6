//! A host that is asked each thing once: thousands of routers and checks ask for the same. Answers are not judged.

use std::{
    cell::RefCell,
    collections::HashMap,
    hash::Hash,
    path::{Path, PathBuf},
};

use super::{host::Host, iproute::Names, model::Credentials};

/// Answers by what was asked.
type Answers<K, V> = RefCell<HashMap<K, V>>;

/// A host, and what it said while one configuration is read.
pub(super) struct Asked<'h> {
    host: &'h dyn Host,
    interfaces: Answers<String, bool>,
    users: Answers<String, Result<Option<Credentials>, String>>,
    groups: Answers<String, Result<Option<u32>, String>>,
    numbers: Answers<(Names, String), Option<u32>>,
    vrf_tables: Answers<String, Option<u32>>,
    programs: Answers<String, Option<PathBuf>>,
    changeable: Answers<PathBuf, Option<PathBuf>>,
}

impl<'h> Asked<'h> {
    /// Nothing was asked yet.
    pub(super) fn new(host: &'h dyn Host) -> Self {
        Self {
            host,
            interfaces: Answers::default(),
            users: Answers::default(),
            groups: Answers::default(),
            numbers: Answers::default(),
            vrf_tables: Answers::default(),
            programs: Answers::default(),
            changeable: Answers::default(),
        }
    }
}

fn once<K: Eq + Hash, V: Clone>(answers: &Answers<K, V>, key: K, ask: impl FnOnce(&K) -> V) -> V {
    if let Some(known) = answers.borrow().get(&key) {
        return known.clone();
    }
    let answer = ask(&key);
    answers.borrow_mut().insert(key, answer.clone());
    answer
}

impl Host for Asked<'_> {
    fn name(&self) -> String {
        self.host.name()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.host.variable(name)
    }

    fn text(&self, path: &Path) -> Option<String> {
        self.host.text(path)
    }

    fn firewall_rule(&self) -> Option<String> {
        self.host.firewall_rule()
    }

    fn has_interface(&self, name: &str) -> bool {
        once(&self.interfaces, name.to_owned(), |name| self.host.has_interface(name))
    }

    fn user(&self, name: &str) -> Result<Option<Credentials>, String> {
        once(&self.users, name.to_owned(), |name| self.host.user(name))
    }

    fn group(&self, name: &str) -> Result<Option<u32>, String> {
        once(&self.groups, name.to_owned(), |name| self.host.group(name))
    }

    fn number(&self, names: Names, name: &str) -> Option<u32> {
        once(&self.numbers, (names, name.to_owned()), |(names, name)| self.host.number(*names, name))
    }

    fn vrf_table(&self, name: &str) -> Option<u32> {
        once(&self.vrf_tables, name.to_owned(), |name| self.host.vrf_table(name))
    }

    fn program(&self, program: &str) -> Option<PathBuf> {
        once(&self.programs, program.to_owned(), |program| self.host.program(program))
    }

    fn changeable(&self, program: &Path) -> Option<PathBuf> {
        once(&self.changeable, program.to_owned(), |program| self.host.changeable(program))
    }
}

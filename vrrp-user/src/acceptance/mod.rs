//! Accept_Mode false (RFC 9568 §6.1): rules of nft that drop what is sent to a router's addresses, for as long as the
//! node runs. Who holds the addresses does not matter to them.
//!
//! The daemon has given up the rights that nft asks for, so the spawner runs it, on a file beside the node's others.
//! The file is there for as long as the rules may be: it tells the next node, and people, what stands.

mod ruleset;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    net::if_::if_nametoindex,
    unistd::{getegid, geteuid},
};
use vrrp_common::time::Interval;

use crate::{
    config::model::{Accept, Configuration, Credentials},
    identity::Identity,
    spawner::{Outcome, Program, Spawner},
};
use ruleset::{Rules, removed};

/// How long nft may take; it takes some ten milliseconds.
const PATIENCE: Interval = Interval::from_secs(5);

/// Who makes the rules of a node. Clones make the same ones.
#[derive(Clone, Debug)]
pub struct Acceptance {
    sheet: Sheet,
    nft: Program,
}

impl Acceptance {
    /// For a node that keeps its files in `directory`; no rule is made yet.
    pub fn new(directory: &Path, identity: &Identity, spawner: &Spawner) -> Self {
        let sheet = Sheet::of(directory, identity);
        let user = Credentials { uid: geteuid().as_raw(), gid: getegid().as_raw() };
        let nft = spawner.program(&sheet.command(), user);
        Self { sheet, nft }
    }

    /// Makes the rules those of this configuration in one step; what an earlier node left goes in it too.
    ///
    /// # Errors
    /// nft is missing or refuses, and a router says `no_accept`. Where only strict mode asks for rules, the log has
    /// it: such a node runs without, as it would with keepalived.
    pub async fn apply(&self, configuration: &Configuration) -> Result<()> {
        let Err(error) = self.stand(&Rules::of(configuration, index)).await else {
            return Ok(());
        };
        ensure!(
            configuration.instances.iter().all(|router| router.accept != Accept::No),
            "packets to the virtual addresses cannot be dropped: {error:#}: install nftables, or remove `no_accept`"
        );
        tracing::warn!(
            "{error:#}: the virtual addresses accept packets although the mode is strict: install nftables, or say \
             `accept`"
        );
        Ok(())
    }

    /// Removes the rules; the addresses that they are for are gone.
    pub async fn end(&self) {
        if let Err(error) = self.stand(&Rules::default()).await {
            tracing::warn!("rules of nft stay: {error:#}");
        }
    }

    async fn stand(&self, rules: &Rules) -> Result<()> {
        let before = self.sheet.read()?;
        if rules.is_empty() && before.is_none() {
            return Ok(());
        }
        let table = rules.table().unwrap_or(&self.sheet.table);
        let known = self.sheet.known(before.as_deref());
        self.sheet.write(&rules.text(&known, table))?;
        let outcome = self.nft.run(PATIENCE).await;
        if !outcome.is_success() {
            return self.refused(&outcome, before, (!known.contains(table)).then_some(table));
        }
        if rules.is_empty() {
            return self.sheet.remove();
        }
        // What is gone may be somebody else's the next time, and what was made is the node's now.
        self.sheet.write(&rules.text(&BTreeSet::from([table.to_owned()]), table))?;
        tracing::info!("packets to {rules} are dropped (nft, table inet {table})");
        Ok(())
    }

    /// What stood before stands still. Then the sheet must not say that a table is the node's which it is not.
    fn refused(&self, outcome: &Outcome, before: Option<String>, claimed: Option<&str>) -> Result<()> {
        let command = self.sheet.command().join(" ");
        let said = format!("`{command}` {}", outcome.describe(PATIENCE));
        let Some(table) = claimed else { bail!(said) };
        match before {
            Some(text) => self.sheet.write(&text)?,
            None if *outcome == Outcome::TimedOut => {}
            None => self.sheet.remove()?,
        }
        bail!(
            "{said}; if there is a table inet {table} already, it is somebody else's: give `nftables` another name, or \
             `nft delete table inet {table}`"
        )
    }
}

fn index(interface: &str) -> Option<u32> {
    if_nametoindex(interface).ok()
}

/// Removes the rules that a node left which was killed.
///
/// # Errors
/// What keeps nft from it.
pub fn clean_up(directory: &Path, identity: &Identity) -> Result<()> {
    let sheet = Sheet::of(directory, identity);
    let Some(text) = sheet.read()? else { return Ok(()) };
    sheet.write(&Rules::default().text(&sheet.known(Some(&text)), &sheet.table))?;
    let [nft, arguments @ ..] = sheet.command();
    let output = Command::new(nft).args(arguments).output().context("cannot run nft")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "nft does not remove the rules: {}", said.trim());
    sheet.remove()
}

/// The file that nft reads. The tables that it removes are the node's: they may stand.
#[derive(Clone, Debug)]
struct Sheet {
    file: PathBuf,
    /// The node's unless the file of the configuration names another; nobody else has it.
    table: String,
}

impl Sheet {
    fn of(directory: &Path, identity: &Identity) -> Self {
        Self {
            file: directory.join(format!("{identity}.nft")),
            table: format!("xvrrp_{}", identity.name().as_str()),
        }
    }

    /// `None` without a file.
    fn read(&self) -> Result<Option<String>> {
        match fs::read_to_string(&self.file) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.file.display())),
        }
    }

    /// The tables that are the node's, of which `text` names those of an earlier step.
    fn known(&self, text: Option<&str>) -> BTreeSet<String> {
        let mut known = text.map(removed).unwrap_or_default();
        known.insert(self.table.clone());
        known
    }

    fn write(&self, text: &str) -> Result<()> {
        fs::write(&self.file, text).with_context(|| format!("cannot write {}", self.file.display()))
    }

    fn remove(&self) -> Result<()> {
        fs::remove_file(&self.file).with_context(|| format!("cannot remove {}", self.file.display()))
    }

    fn command(&self) -> [String; 3] {
        [program().to_owned(), "-f".to_owned(), self.file.display().to_string()]
    }
}

/// Where the distributions have it, which may not be searched; else whatever is.
fn program() -> &'static str {
    const USUAL: &str = "/usr/sbin/nft";
    if Path::new(USUAL).exists() { USUAL } else { "nft" }
}

//! Finds, or installs, a compiler with the source of its library, and a linker for BPF. Nothing is built here but
//! the linker.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    cargo::{cargo, check, root},
    setup::{apt_install, apt_update, is_root, say},
};

const LINKER: &str = "0.13.0";
/// The newest LLVM that this linker can be built with.
const NEWEST_LLVM: u32 = 22;
/// A distribution's compiler and the source of its library.
const PACKAGES: &[&str] = &["rustc-web", "rust-web-src"];

pub(super) struct Toolchain {
    pub(super) rustc: PathBuf,
    pub(super) sysroot: PathBuf,
    pub(super) version: String,
    llvm: u32,
    linker: PathBuf,
}

impl Toolchain {
    /// A rustup nightly with rust-src, else a distribution's compiler with its source, else that is installed.
    pub(super) fn find(install: bool) -> Result<Self> {
        let (rustc, sysroot) = match compiler() {
            Some(found) => found,
            None => {
                install_packages(PACKAGES, install, "a compiler with the source of its library")?;
                compiler().context(
                    "no usable compiler; `rustup toolchain install nightly -c rust-src` is another way",
                )?
            }
        };
        let verbose = output(&rustc, &["--version", "--verbose"])?;
        let line = |name| verbose.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let llvm = line("LLVM version:").and_then(|version| version.split('.').next()?.parse().ok());
        let llvm = llvm.context("rustc does not say which LLVM it has")?;
        let version = verbose.lines().next().unwrap_or_default().to_owned();
        let linker = match linker() {
            Some(linker) => linker,
            None => install_linker(llvm, install)?,
        };
        Ok(Self { rustc, sysroot, version, llvm, linker })
    }

    pub(super) fn describe(&self) -> String {
        format!("{} and {}", self.version, self.linker.display())
    }

    /// Where the source of the library really lies; distributions link to it.
    pub(super) fn source(&self) -> PathBuf {
        let place = source(&self.sysroot);
        fs::canonicalize(&place).unwrap_or(place)
    }

    pub(super) fn linker_version(&self) -> Result<String> {
        Ok(output(&self.linker, &["--version"])?.trim().to_owned())
    }

    /// PATH with the linker in front.
    pub(super) fn path(&self) -> Result<OsString> {
        let own = self.linker.parent().map(Path::to_owned);
        let path = env::var_os("PATH").unwrap_or_default();
        Ok(env::join_paths(own.into_iter().chain(env::split_paths(&path)))?)
    }

    pub(super) fn llvm_tool(&self, name: &str) -> Result<PathBuf> {
        let host = output(&self.rustc, &["--print", "host-tuple"])?;
        let places = (self.llvm..=NEWEST_LLVM).map(|llvm| PathBuf::from(format!("/usr/lib/llvm-{llvm}/bin")));
        let component = self.sysroot.join("lib/rustlib").join(host.trim()).join("bin");
        let path = env::var_os("PATH").unwrap_or_default();
        let mut places = places.chain([component]).chain(env::split_paths(&path));
        let found = places.find_map(|place| Some(place.join(name)).filter(|tool| tool.is_file()));
        let llvm = self.llvm;
        found.with_context(|| {
            format!("{name} is missing; Debian's llvm-{llvm} or rustup's llvm-tools brings it")
        })
    }
}

/// A compiler and its root.
fn compiler() -> Option<(PathBuf, PathBuf)> {
    let nightly = output(Path::new("rustup"), &["which", "--toolchain", "nightly", "rustc"]).ok();
    let nightly = nightly.map(|path| PathBuf::from(path.trim()));
    nightly.into_iter().chain([PathBuf::from("/usr/bin/rustc")]).find_map(|rustc| {
        let sysroot = PathBuf::from(output(&rustc, &["--print", "sysroot"]).ok()?.trim());
        source(&sysroot).join("library/Cargo.lock").is_file().then_some((rustc, sysroot))
    })
}

fn source(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib/src/rust")
}

fn tools() -> PathBuf {
    root().join("target/tools")
}

fn linker() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = [tools().join("bin")].into_iter().chain(env::split_paths(&path));
    places.map(|place| place.join("bpf-linker")).find(|linker| linker.is_file())
}

/// Builds the linker with an LLVM that is at least the compiler's: an older one cannot read what that writes.
fn install_linker(compiler: u32, install: bool) -> Result<PathBuf> {
    let prefix = |llvm: u32| PathBuf::from(format!("/usr/lib/llvm-{llvm}"));
    let usable = |llvm: &u32| prefix(*llvm).join("bin/llvm-config").is_file();
    let range = compiler..=NEWEST_LLVM;
    let llvm = match range.clone().find(usable) {
        Some(llvm) => llvm,
        None => {
            install_packages(
                &[&format!("llvm-{NEWEST_LLVM}-dev")],
                install,
                "the library that the linker is made of",
            )?;
            range.clone().find(usable).context("no LLVM that bpf-linker can be built with")?
        }
    };
    let wanted = format!("bpf-linker {LINKER} with LLVM {llvm}");
    if !install {
        bail!("{wanted} is missing; without --no-install cargo builds it below target/tools");
    }
    say(&format!("Installing {wanted} below target/tools"));
    let feature = format!("llvm-{llvm}");
    let what =
        ["install", "bpf-linker", "--version", LINKER, "--locked", "--no-default-features", "--features"];
    check(cargo().args(what).arg(feature).arg("--root").arg(tools()).env("LLVM_PREFIX", prefix(llvm)))?;
    linker().context("bpf-linker was installed and is not there")
}

fn install_packages(names: &[&str], install: bool, purpose: &str) -> Result<()> {
    say(&format!("Missing on this machine: {purpose} (Debian's {})", names.join(" and ")));
    if !install || !is_root() {
        bail!("as root, `apt-get install {}` installs it", names.join(" "));
    }
    say("Installing it with apt-get.");
    apt_update()?;
    apt_install(names)
}

fn output(program: &Path, arguments: &[&str]) -> Result<String> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| program.display().to_string())?;
    if !output.status.success() {
        bail!("{}: {}", program.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

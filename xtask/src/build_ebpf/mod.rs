//! `cargo xtask build-ebpf`: the kernel object from its sources. The toolchain that it takes is found beside this.

mod toolchain;

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::{
    cargo::{check, root},
    fingerprint::{digest, fingerprint},
    setup::say,
};
use toolchain::Toolchain;

const TARGET: &str = "bpfel-unknown-none";
/// Without debug information there is no BTF. Misaligned loads are what packets need and every 64-bit kernel does.
const FLAGS: &[&str] = &[
    "-Cdebuginfo=2",
    "-Clink-arg=--btf",
    "-Ctarget-cpu=v3",
    "-Ctarget-feature=+allows-misaligned-mem-access",
];

/// Cargo tells crates apart by where they lie, and the order of names and types in the object shows it: here their
/// names must do.
const WRAPPER: &str = r#"#!/bin/sh
for argument do
    shift
    [ "$previous" = --crate-name ] && name=$argument
    previous=$argument
    case $argument in metadata=*) argument=metadata=$name ;; esac
    set -- "$@" "$argument"
done
exec "$@"
"#;

/// Build the programs for the kernel, which the next `cargo build` puts into xvrrp
#[derive(Args)]
pub(crate) struct BuildEbpf {
    /// Say what is missing instead of installing it
    #[arg(long)]
    no_install: bool,
    /// Put the object into vrrp-ebpf/prebuilt, for those who build without this toolchain
    #[arg(long)]
    write: bool,
    /// Build with the recorded toolchain only, and fail unless the result is the object in vrrp-ebpf/prebuilt
    #[arg(long, conflicts_with = "write")]
    check: bool,
}

impl BuildEbpf {
    pub(crate) fn run(self) -> Result<()> {
        let toolchain = Toolchain::find(!self.no_install)?;
        say(&format!("Building with {}", toolchain.describe()));
        let linked = compile(&toolchain)?;
        let made = root().join("target/bpf");
        let object = made.join("xvrrp.o");
        strip(&toolchain, &linked, &object)?;
        refuse_panics(&toolchain, &object)?;
        let content = fs::read(&object)?;
        let note = format!(
            "sources: {}\nobject: {}\nrustc: {}\nbpf-linker: {}\n",
            fingerprint(root())?,
            digest(&content),
            toolchain.version,
            toolchain.linker_version()?
        );
        fs::write(made.join("xvrrp.note"), &note)?;
        say(&format!("{}: {} bytes", object.display(), content.len()));
        if self.write {
            write(&content, &note)?;
        }
        if self.check { compare(&content, &note) } else { Ok(()) }
    }
}

fn compile(toolchain: &Toolchain) -> Result<PathBuf> {
    let target = root().join("target/bpf");
    let wrapper = write_wrapper(&target)?;
    let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    let own = [
        (root().to_owned(), "/xvrrp"),
        (cargo_home()?, "/cargo"),
        (toolchain.sysroot.clone(), "/rust"),
        (toolchain.source(), "/rust/lib/rustlib/src/rust"),
    ];
    // Of two that fit, the compiler takes the later.
    let registries = registries()?.into_iter().map(|path| (path, "/cargo"));
    for (path, name) in own.into_iter().chain(registries) {
        flags.push(format!("--remap-path-prefix={}={name}", path.display()));
    }
    check(
        Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(root().join("vrrp-ebpf"))
            .args(["build", "--quiet", "--release", "--locked", "-Zbuild-std=core", "--target", TARGET])
            .arg("--target-dir")
            .arg(&target)
            .env("RUSTC", &toolchain.rustc)
            .env("RUSTC_WRAPPER", wrapper)
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
            .env("PATH", toolchain.path()?)
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("RUSTFLAGS"),
    )?;
    Ok(target.join(TARGET).join("release/vrrp-ebpf"))
}

fn write_wrapper(directory: &Path) -> Result<PathBuf> {
    let path = directory.join("rustc.sh");
    fs::create_dir_all(directory)?;
    fs::write(&path, WRAPPER)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

fn cargo_home() -> Result<PathBuf> {
    let given = env::var_os("CARGO_HOME").map(PathBuf::from);
    given
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")))
        .context("neither CARGO_HOME nor HOME is set")
}

/// Where cargo keeps the sources of dependencies: a directory for each registry, named after where it was reached.
fn registries() -> Result<Vec<PathBuf>> {
    let sources = cargo_home()?.join("registry/src");
    if !sources.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&sources).with_context(|| sources.display().to_string())?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// Code and BTF are left.
fn strip(toolchain: &Toolchain, from: &Path, to: &Path) -> Result<()> {
    check(Command::new(toolchain.llvm_tool("llvm-objcopy")?).arg("--strip-debug").args([from, to]))
}

/// What can panic cannot be loaded: the verifier sees a loop without end.
fn refuse_panics(toolchain: &Toolchain, object: &Path) -> Result<()> {
    let output = Command::new(toolchain.llvm_tool("llvm-nm")?).arg(object).output().context("llvm-nm")?;
    let symbols = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() && symbols.contains("xvrrp_xdp"), "llvm-nm cannot read the object");
    match symbols.lines().find(|symbol| symbol.contains("panicking")) {
        Some(symbol) => bail!("the object can panic: {symbol}"),
        None => Ok(()),
    }
}

fn prebuilt() -> PathBuf {
    root().join("vrrp-ebpf/prebuilt")
}

fn write(object: &[u8], note: &str) -> Result<()> {
    fs::create_dir_all(prebuilt())?;
    fs::write(prebuilt().join("xvrrp.o"), object)?;
    fs::write(prebuilt().join("xvrrp.note"), note)?;
    say(&format!("Written to {}", prebuilt().display()));
    Ok(())
}

/// With another toolchain equality cannot be asked for; then the tests of the object are the proof.
fn compare(object: &[u8], note: &str) -> Result<()> {
    let recorded = fs::read_to_string(prebuilt().join("xvrrp.note")).context("vrrp-ebpf/prebuilt")?;
    let tools = |note: &str| note.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    if tools(note) != tools(&recorded) {
        say(&format!("warning: not compared, the object in vrrp-ebpf/prebuilt was made with\n{recorded}"));
        return Ok(());
    }
    let there = fs::read(prebuilt().join("xvrrp.o"))?;
    ensure!(
        there == object,
        "vrrp-ebpf/prebuilt is not what its sources make: `cargo xtask build-ebpf --write`"
    );
    say("vrrp-ebpf/prebuilt is what its sources make");
    Ok(())
}

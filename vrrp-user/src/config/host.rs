//! What the configuration asks of the host that it is loaded on. Tests answer for another host.

use std::{
    env, fs,
    io::Read,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Component, Path, PathBuf},
    process::Command,
};

use nix::unistd::{Group, User, gethostname};

use super::{
    iproute::{self, Names},
    model::Credentials,
};

/// The questions.
pub trait Host {
    /// The host's name, for `router_id`.
    fn name(&self) -> String;
    /// The value of an environment variable, for `${_ENV NAME}`.
    fn variable(&self, name: &str) -> Option<String>;
    /// The beginning of a text file, such as a script.
    fn text(&self, path: &Path) -> Option<String>;
    /// A firewall rule on protocol 112, if there is one and it can be told.
    fn firewall_rule(&self) -> Option<String>;
    /// Whether there is an interface of this name now.
    fn has_interface(&self, name: &str) -> bool;
    /// User and primary group of a user name; `Err` says why the system cannot tell.
    ///
    /// # Errors
    /// The user database cannot be read.
    fn user(&self, name: &str) -> Result<Option<Credentials>, String>;
    /// The number of a group name.
    ///
    /// # Errors
    /// The group database cannot be read.
    fn group(&self, name: &str) -> Result<Option<u32>, String>;
    /// The number that has a name, such as that of a routing table.
    fn number(&self, names: Names, name: &str) -> Option<u32>;
    /// The routing table of a VRF that is there now.
    fn vrf_table(&self, name: &str) -> Option<u32>;
    /// The file that is run when a command begins with `program`.
    fn program(&self, program: &str) -> Option<PathBuf>;
    /// The first file or directory on the way to `program` that somebody other than root can change.
    fn changeable(&self, program: &Path) -> Option<PathBuf>;
}

/// The host that this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisHost;

impl Host for ThisHost {
    fn name(&self) -> String {
        gethostname().map_or_else(|_| "localhost".into(), |name| name.to_string_lossy().into_owned())
    }

    fn variable(&self, name: &str) -> Option<String> {
        env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn text(&self, path: &Path) -> Option<String> {
        const LOOKED_AT: u64 = 64 * 1024;
        let file =
            fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|file| file.is_file()))?;
        let mut bytes = Vec::new();
        file.take(LOOKED_AT).read_to_end(&mut bytes).ok()?;
        String::from_utf8(bytes).ok()
    }

    fn firewall_rule(&self) -> Option<String> {
        let listed = Command::new("nft").args(["list", "ruleset"]).output().ok()?;
        let rules = String::from_utf8_lossy(&listed.stdout).into_owned();
        let about = |line: &&str| {
            ["vrrp", "protocol 112", "l4proto 112", "nexthdr 112"].iter().any(|it| line.contains(it))
        };
        rules.lines().map(str::trim).find(about).map(str::to_owned)
    }

    fn has_interface(&self, name: &str) -> bool {
        nix::net::if_::if_nametoindex(name).is_ok()
    }

    fn user(&self, name: &str) -> Result<Option<Credentials>, String> {
        let user = User::from_name(name).map_err(|errno| errno.to_string())?;
        Ok(user.map(|user| Credentials { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
    }

    fn group(&self, name: &str) -> Result<Option<u32>, String> {
        let group = Group::from_name(name).map_err(|errno| errno.to_string())?;
        Ok(group.map(|group| group.gid.as_raw()))
    }

    fn number(&self, names: Names, name: &str) -> Option<u32> {
        iproute::number(names, name)
    }

    fn vrf_table(&self, name: &str) -> Option<u32> {
        iproute::vrf_table(name)
    }

    fn program(&self, program: &str) -> Option<PathBuf> {
        if program.contains('/') {
            let path = PathBuf::from(program);
            return is_executable(&path).then_some(path);
        }
        let search = env::var_os("PATH")
            .unwrap_or_else(|| "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
        env::split_paths(&search).map(|folder| folder.join(program)).find(|path| is_executable(path))
    }

    fn changeable(&self, program: &Path) -> Option<PathBuf> {
        let resolved = program.canonicalize().ok();
        let ways = [Some(program), resolved.as_deref()];
        ways.into_iter().flatten().find_map(first_changeable)
    }
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn first_changeable(path: &Path) -> Option<PathBuf> {
    let mut way = PathBuf::new();
    for component in path.components() {
        way.push(component);
        if !matches!(component, Component::CurDir) && anyone_can_change(&way) {
            return Some(way);
        }
    }
    None
}

/// Whether somebody other than root can write to a file, or replace what is in a directory. A sticky directory
/// protects what root owns in it, and that is looked at next; the mode of a link means nothing.
fn anyone_can_change(path: &Path) -> bool {
    const GROUP_WRITES: u32 = 0o020;
    const OTHERS_WRITE: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let Ok(file) = fs::symlink_metadata(path) else { return false };
    let mode = file.mode();
    let written_by_group = mode & GROUP_WRITES != 0 && file.gid() != 0;
    let written = written_by_group || mode & OTHERS_WRITE != 0;
    let excused = file.is_symlink() || (file.is_dir() && mode & STICKY != 0);
    file.uid() != 0 || (written && !excused)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_through_an_open_directory_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let script = open.join("check.sh");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        let found = ThisHost.changeable(&script).unwrap();
        // Where root runs the test, the directories above are root's own.
        assert!(open.starts_with(&found), "{}", found.display());
        let link = folder.path().join("link");
        symlink(&script, &link).unwrap();
        assert!(ThisHost.changeable(&link).is_some());
        assert_eq!(ThisHost.changeable(Path::new("/proc/version")), None);
    }

    #[test]
    fn programs_are_files_that_can_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("check.sh");
        fs::write(&script, "").unwrap();
        let name = script.to_str().unwrap();
        assert_eq!(ThisHost.program(name), None);
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(ThisHost.program(name), Some(script));
        assert!(ThisHost.program("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(ThisHost.program("no-such-program-here"), None);
    }

    #[test]
    fn root_is_known_and_nobody_knows_strangers() {
        assert_eq!(ThisHost.user("root"), Ok(Some(Credentials { uid: 0, gid: 0 })));
        assert_eq!(ThisHost.user("no-such-user"), Ok(None));
        assert_eq!(ThisHost.group("root"), Ok(Some(0)));
    }
}

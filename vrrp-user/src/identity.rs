//! Which daemon of the host this is: two of them never share a lock, a state file or a pin. Nothing is kept here.

use std::{fmt, fs, io, os::unix::fs::MetadataExt, str::FromStr};

/// The longest name of an instance.
const MAX_NAME: usize = 32;
/// The calling thread's network namespace.
const NETWORK_NAMESPACE: &str = "/proc/thread-self/ns/net";

/// The name of a daemon among those of its network namespace: 1 to 32 letters, digits, `-` and `_`, so that it
/// can be part of any file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceName(String);

impl InstanceName {
    /// The name of the daemon that nobody named.
    pub const DEFAULT: &str = "default";

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for InstanceName {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl FromStr for InstanceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?}: a name has 1 to {MAX_NAME} letters, digits, `-` or `_`"))
    }
}

/// A daemon: the network namespace that it works in, and its name there.
///
/// Written `4026531840-default`: the first part is the namespace's inode number, so that daemons of two namespaces
/// which share a file system do not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    namespace: u64,
    name: InstanceName,
}

impl Identity {
    /// The daemon of this name in the calling thread's network namespace.
    ///
    /// # Errors
    /// When /proc is not there.
    pub fn here(name: &InstanceName) -> io::Result<Self> {
        let namespace = fs::metadata(NETWORK_NAMESPACE).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot tell the network namespace ({NETWORK_NAMESPACE}: {error})"),
            )
        })?;
        Ok(Self { namespace: namespace.ino(), name: name.clone() })
    }

    /// Its name.
    pub fn name(&self) -> &InstanceName {
        &self.name
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.namespace, self.name.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_part_of_any_files_name() {
        for good in ["default", "a", "edge-1_b", "0123456789abcdef0123456789ABCDEF"] {
            assert_eq!(InstanceName::from_str(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "a.b", "a b", "ä", "0123456789abcdef0123456789abcdef0"] {
            assert!(InstanceName::from_str(bad).is_err(), "{bad:?}");
        }
    }
}

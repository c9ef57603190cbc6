//! What the kernel says of an object: its own words in /proc, one fact a line.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    os::fd::{AsRawFd, BorrowedFd},
};

/// Facts by name, as in `/proc/self/fdinfo`.
#[derive(Debug)]
pub(super) struct Facts(BTreeMap<String, String>);

impl Facts {
    pub(super) fn of(object: BorrowedFd<'_>) -> io::Result<Self> {
        fs::read_to_string(format!("/proc/thread-self/fdinfo/{}", object.as_raw_fd()))
            .map(|text| Self::read(&text))
    }

    fn read(text: &str) -> Self {
        let facts = text.lines().filter_map(|line| line.split_once(':'));
        Self(facts.map(|(name, fact)| (name.to_owned(), fact.trim().to_owned())).collect())
    }

    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.split_whitespace().next()
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let word = self.word(name)?;
        word.strip_prefix("0x")
            .map_or_else(|| word.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok())
    }
}

/// What makes two maps interchangeable. Memory is read and written by it: a map of another shape is never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// `enum bpf_map_type`.
    pub kind: u32,
    /// Size of a key in bytes.
    pub key: u32,
    /// Size of a value in bytes.
    pub value: u32,
    /// The most entries.
    pub entries: u32,
    /// `BPF_F_*`.
    pub flags: u32,
}

impl Shape {
    /// In which way the map that these facts are of is another one.
    pub(super) fn differs(&self, facts: &Facts) -> Option<String> {
        let number = |name| facts.number(name);
        let found = (|| {
            let (kind, key, value) = (number("map_type")?, number("key_size")?, number("value_size")?);
            Some(Self { kind, key, value, entries: number("max_entries")?, flags: number("map_flags")? })
        })();
        match found {
            Some(found) if found == *self => None,
            Some(found) => Some(format!("it has {found} instead of {self}")),
            None => Some("it is no map".to_owned()),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, key, value, entries, flags } = self;
        write!(
            f,
            "type {kind}, keys of {key} and values of {value} bytes, {entries} entries, flags {flags:#x}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `BPF_MAP_TYPE_ARRAY` is 2, `BPF_F_MMAPABLE` 0x400.
    const ARRAY: &str = "pos:\t0\nflags:\t02000002\nmap_type:\t2\nkey_size:\t4\nvalue_size:\t72\nmax_entries:\t1024\n\
                         map_flags:\t0x400\nmap_id:\t37\n";

    #[test]
    fn the_kernels_words_are_understood() {
        let array = Shape { kind: 2, key: 4, value: 72, entries: 1024, flags: 0x400 };
        assert_eq!(array.differs(&Facts::read(ARRAY)), None);
        assert_eq!(Facts::read(ARRAY).number("map_id"), Some(37));
        let larger = Shape { value: 80, ..array }.differs(&Facts::read(ARRAY)).unwrap();
        assert!(larger.contains("values of 72 bytes") && larger.contains("values of 80 bytes"), "{larger}");
        let program = Facts::read("prog_type:\t6\nprog_tag:\t0123456789abcdef\nprog_id:\t5\n");
        assert_eq!(array.differs(&program).unwrap(), "it is no map");
    }
}

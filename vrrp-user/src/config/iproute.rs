//! The numbers that iproute2 has names for, and the tables of VRFs. What they mean on a line is not here.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// What has names, each kind in a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Names {
    /// Routing tables.
    Tables,
    /// Realms.
    Realms,
    /// Types of service.
    Services,
    /// Groups of interfaces.
    Groups,
    /// How far addresses and routes reach.
    Scopes,
}

impl Names {
    /// Where a name is added.
    pub fn file(self) -> &'static str {
        match self {
            Self::Tables => "/etc/iproute2/rt_tables",
            Self::Realms => "/etc/iproute2/rt_realms",
            Self::Services => "/etc/iproute2/rt_dsfield",
            Self::Groups => "/etc/iproute2/group",
            Self::Scopes => "/etc/iproute2/rt_scopes",
        }
    }

    /// Names that are always there.
    fn of_the_kernel(self) -> &'static str {
        match self {
            Self::Tables => "255 local\n254 main\n253 default\n",
            Self::Scopes => "0 global\n200 site\n253 link\n254 host\n255 nowhere\n",
            Self::Groups => "0 default\n",
            Self::Realms | Self::Services => "",
        }
    }
}

/// As C reads it: decimal, with 0x hexadecimal, with 0 octal.
pub(super) fn plain(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok();
    }
    let radix = if text.len() > 1 && text.starts_with('0') { 8 } else { 10 };
    u32::from_str_radix(text, radix).ok()
}

/// The number of a name on this host.
pub(super) fn number(names: Names, name: &str) -> Option<u32> {
    // The last two are where newer versions of iproute2 have what the first does not override.
    const FOLDERS: [&str; 3] = ["/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"];
    let file = Path::new(names.file()).file_name()?;
    let texts = FOLDERS.iter().filter_map(|folder| fs::read_to_string(Path::new(folder).join(file)).ok());
    texts
        .into_iter()
        .find_map(|text| number_in(&text, name))
        .or_else(|| number_in(names.of_the_kernel(), name))
}

/// Lines of a number and a name; `#` begins a comment.
fn number_in(text: &str, name: &str) -> Option<u32> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut entries = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    });
    plain(entries.find(|(_, known)| *known == name)?.0)
}

/// What `ip` says of the interface: no file tells the table.
pub(super) fn vrf_table(name: &str) -> Option<u32> {
    let shown = Command::new("ip").args(["-details", "-json", "link", "show", "dev", name]).output().ok()?;
    table_in(&serde_json::from_slice(&shown.stdout).ok()?)
}

fn table_in(links: &Value) -> Option<u32> {
    let about = links.get(0)?.get("linkinfo")?;
    let is_vrf = about.get("info_kind")? == "vrf";
    let table = about.get("info_data")?.get("table")?.as_u64().filter(|_| is_vrf)?;
    u32::try_from(table).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        let text = "# comment\n0xb8\tEF\n010 eight # not ten\n7 seven\nx broken\n";
        assert_eq!(number_in(text, "EF"), Some(0xb8));
        assert_eq!(number_in(text, "eight"), Some(8));
        assert_eq!(number_in(text, "seven"), Some(7));
        assert_eq!(number_in(text, "broken"), None);
        assert_eq!(number_in(text, "comment"), None);
        assert_eq!(plain("0"), Some(0));
    }

    #[test]
    fn names_of_the_kernel_need_no_file() {
        assert_eq!(number(Names::Tables, "main"), Some(254));
        assert_eq!(number(Names::Scopes, "link"), Some(253));
        assert_eq!(number(Names::Realms, "no-such-realm-here"), None);
    }

    #[test]
    fn only_a_vrf_has_a_table() {
        let vrf = json!([{ "linkinfo": { "info_kind": "vrf", "info_data": { "table": 10 } } }]);
        let slave = json!([{ "linkinfo": { "info_kind": "dummy", "info_data": { "table": 10 } } }]);
        assert_eq!(table_in(&vrf), Some(10));
        assert_eq!(table_in(&slave), None);
        assert_eq!(table_in(&json!([{ "ifname": "lo" }])), None);
    }
}

//! The node without a file: command line options, turned into the statements that a file would have.

use clap::Args;

use super::{
    lexer::Word,
    source::{Sources, Span},
    statement::Statement,
};

/// One virtual router on the command line. Values are checked as those of a file are.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Interface that advertisements are sent and heard on
    #[arg(long, value_name = "IF")]
    pub interface: Option<String>,
    /// Virtual router ID, 1 to 255, the same on all routers
    #[arg(long, value_name = "N")]
    pub vrid: Option<String>,
    /// Priority, 1 to 254; 255 means that this host owns the addresses
    #[arg(long, value_name = "N")]
    pub priority: Option<String>,
    /// Virtual address with its prefix length; may be repeated
    #[arg(long, value_name = "ADDRESS/LENGTH")]
    pub vip: Vec<String>,
    /// Seconds between advertisements
    #[arg(long, value_name = "SECONDS")]
    pub advert_int: Option<String>,
    /// Protocol version, 2 or 3
    #[arg(long, value_name = "N")]
    pub version: Option<String>,
    /// Leave an Active router of lower priority alone
    #[arg(long)]
    pub nopreempt: bool,
    /// Password of version 2, at most 8 bytes
    #[arg(long, value_name = "PASSWORD")]
    pub auth_pass: Option<String>,
    /// Address of another router, to send to it instead of to the group; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub unicast_peer: Vec<String>,
    /// Address to send from
    #[arg(long, value_name = "ADDRESS")]
    pub unicast_src: Option<String>,
    /// By what advertisements are heard: auto, xdp, `xdp_generic`, tc or socket
    #[arg(long, value_name = "PATH")]
    pub datapath: Option<String>,
    /// Name of the virtual router in logs and status
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

impl Options {
    /// The statements of a file that says the same; the command line becomes a source of its own.
    pub(super) fn statements(&self, sources: &mut Sources) -> Vec<Statement> {
        let mut line = Line { text: b"xvrrp run".to_vec(), secret: None };
        let whole = line.span(0);
        let name = self.name.as_ref().map(|name| line.option("--name", name).1);
        let mut body = Vec::new();
        for (keyword, option, value) in [
            ("interface", "--interface", &self.interface),
            ("virtual_router_id", "--vrid", &self.vrid),
            ("priority", "--priority", &self.priority),
            ("advert_int", "--advert-int", &self.advert_int),
            ("version", "--version", &self.version),
            ("unicast_src_ip", "--unicast-src", &self.unicast_src),
            ("datapath", "--datapath", &self.datapath),
        ] {
            body.extend(value.as_ref().map(|value| line.setting(keyword, option, value)));
        }
        if self.nopreempt {
            body.push(statement(
                Word { bytes: b"nopreempt".to_vec(), span: line.push("--nopreempt") },
                Vec::new(),
            ));
        }
        body.extend(line.list("virtual_ipaddress", "--vip", &self.vip));
        body.extend(line.list("unicast_peer", "--unicast-peer", &self.unicast_peer));
        body.extend(self.auth_pass.as_ref().map(|password| line.password(password)));
        let name = name.unwrap_or_else(|| Word { bytes: DEFAULT_NAME.to_vec(), span: whole });
        let keyword = Word { bytes: b"vrrp_instance".to_vec(), span: whole };
        let instance = Statement { keyword, arguments: vec![name], body };
        sources.add("command line".into(), line.text);
        line.secret.into_iter().for_each(|secret| sources.hide(secret));
        vec![instance]
    }
}

/// What the virtual router is called if `--name` is not given; most files say so too.
const DEFAULT_NAME: &[u8] = b"VI_1";

fn statement(keyword: Word, arguments: Vec<Word>) -> Statement {
    Statement { keyword, arguments, body: Vec::new() }
}

/// The command line as diagnostics show it. It is the first and only source.
struct Line {
    text: Vec<u8>,
    secret: Option<Span>,
}

impl Line {
    fn span(&self, start: usize) -> Span {
        // The kernel limits command lines to a few megabytes.
        Span { file: 0, start: start as u32, end: self.text.len() as u32 }
    }

    fn push(&mut self, word: &str) -> Span {
        self.text.push(b' ');
        let start = self.text.len();
        self.text.extend_from_slice(word.as_bytes());
        self.span(start)
    }

    /// The places of an option and of its value.
    fn option(&mut self, option: &str, value: &str) -> (Span, Word) {
        let place = self.push(option);
        (place, Word { bytes: value.as_bytes().to_vec(), span: self.push(value) })
    }

    fn setting(&mut self, keyword: &str, option: &str, value: &str) -> Statement {
        let (span, value) = self.option(option, value);
        statement(Word { bytes: keyword.as_bytes().to_vec(), span }, vec![value])
    }

    /// A block with one entry for each use of the option; a value may have an entry's options behind it.
    fn list(&mut self, keyword: &str, option: &str, values: &[String]) -> Option<Statement> {
        let mut body = Vec::new();
        let mut place = None;
        for value in values {
            let (span, value) = self.option(option, value);
            place.get_or_insert(span);
            let mut words = words(&value).into_iter();
            body.extend(words.next().map(|address| statement(address, words.collect())));
        }
        let keyword = Word { bytes: keyword.as_bytes().to_vec(), span: place? };
        Some(Statement { keyword, arguments: Vec::new(), body })
    }

    fn password(&mut self, password: &str) -> Statement {
        let (span, value) = self.option("--auth-pass", password);
        self.secret = Some(value.span);
        let word = |text: &str| Word { bytes: text.as_bytes().to_vec(), span };
        let body =
            vec![statement(word("auth_type"), vec![word("PASS")]), statement(word("auth_pass"), vec![value])];
        Statement { keyword: word("authentication"), arguments: Vec::new(), body }
    }
}

/// The words of a value, each with its place; an empty value is one empty word.
fn words(value: &Word) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = value.span.start;
    for bytes in value.bytes.split(u8::is_ascii_whitespace) {
        let end = at + bytes.len() as u32;
        if !bytes.is_empty() || value.bytes.is_empty() {
            words.push(Word { bytes: bytes.to_vec(), span: Span { start: at, end, ..value.span } });
        }
        at = end + 1;
    }
    words
}

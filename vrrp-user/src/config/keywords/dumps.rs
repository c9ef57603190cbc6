//! Keywords of `global_defs` about the files that are written when a signal asks for them.

use std::path::{Path, PathBuf};

use super::{
    Grammar::{Number, Switch, Word as OneWord},
    Keyword,
};
use crate::config::{context::Context, diagnostics::warning, draft::GlobalDraft, lexer::Word};

const PATH: &str = "an absolute path";

pub(super) const DUMPS: &[Keyword<GlobalDraft>] = &[
    Keyword::works(
        "state_dump_file",
        "/tmp/keepalived.data, or as data_use_instance says",
        OneWord(PATH, |globals, word, context| set(&mut globals.dumps.data, word, context)),
        "where SIGUSR1 writes settings and states",
    ),
    Keyword::works(
        "data_use_instance",
        "off",
        Switch(|globals, on| globals.data_use_instance = on.value),
        "without state_dump_file, that file is /tmp/keepalived.NAME.data; NAME is net_namespace, instance, or both \
         with `_` between",
    ),
    Keyword::works(
        "stats_dump_file",
        "/tmp/keepalived.stats",
        OneWord(PATH, |globals, word, context| set(&mut globals.dumps.statistics, word, context)),
        "where SIGUSR2 writes counters",
    ),
    Keyword::works(
        "json_dump_file",
        "/tmp/keepalived.json",
        OneWord(PATH, |globals, word, context| set(&mut globals.dumps.json, word, context)),
        "where the signal of `keepalived --signum=JSON` writes both",
    ),
    Keyword::works(
        "json_version",
        "1",
        // The range fits.
        Number(1..=2, |globals, version| globals.dumps.json_version = version.value as u8),
        "layout of that file: 1 for a list of routers, 2 for an object that has it",
    ),
];

fn set(place: &mut PathBuf, word: &Word, context: &mut Context<'_>) {
    let text = word.text();
    if Path::new(&*text).is_absolute() {
        *place = text.into_owned().into();
    } else {
        let kept = place.display();
        let wrong = warning(word.span, format!("this must be {PATH}; {kept} is written instead"));
        context.push(wrong.help("begin it with `/`"));
    }
}

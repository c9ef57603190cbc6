//! What connections along a route begin with: `mtu`, `advmss`, `rtt` and their kin.

use std::collections::BTreeSet;

use super::{by_name, route::Draft};
use crate::config::{
    context::Context,
    diagnostics::error,
    lexer::Word,
    model::{Amount, Metric},
    values::{self, IN_RANGE, quote},
};

/// What may stand between a metric and its value.
const LOCK: &str = "lock";

/// Takes each `lock` that stands behind a metric out of the words of a line, and returns which metrics have one.
pub(super) fn take_locks(words: &[Word]) -> (Vec<Word>, BTreeSet<Metric>) {
    let mut kept: Vec<Word> = Vec::new();
    let mut locked = BTreeSet::new();
    for word in words {
        match kept.last().and_then(|last| by_name(&Metric::NAMED, &last.text())) {
            Some(metric) if word.bytes == LOCK.as_bytes() => {
                locked.insert(metric);
            }
            _ => kept.push(word.clone()),
        }
    }
    (kept, locked)
}

impl Draft {
    /// A number, of which 0 is none.
    pub(super) fn measure(&mut self, metric: Metric, words: &[Word], context: &mut Context<'_>) {
        let Some(word) = words.first() else { return };
        let range = 0..=i64::from(metric.limit());
        let value = context.ok(values::number(metric.name(), word, &range), IN_RANGE);
        self.set_metric(metric, value.and_then(|value| u32::try_from(value).ok()));
    }

    /// A time, in the kernel's unit or with one of its own. As in keepalived, it is at least 200 ms.
    pub(super) fn time(&mut self, metric: Metric, per_ms: u32, words: &[Word], context: &mut Context<'_>) {
        const SHORTEST_MS: u32 = 200;
        let Some(word) = words.first() else { return };
        let text = word.text();
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "" => Some(1),
            "ms" | "msec" | "msecs" => Some(per_ms),
            "s" | "sec" | "secs" => Some(1000 * per_ms),
            _ => None,
        };
        let value =
            digits.parse().ok().zip(unit).and_then(|(number, unit): (u32, _)| number.checked_mul(unit));
        if value.is_none() {
            let wrong = error(word.span, format!("{} is not a time", quote(&text)));
            context.push(wrong.help(format!("`{} 300ms` or `{0} 2s`", metric.name())));
        }
        self.set_metric(metric, value.map(|value| value.max(SHORTEST_MS * per_ms)));
    }

    /// `ecn` is all that may be asked for.
    pub(super) fn feature(&mut self, words: &[Word], context: &mut Context<'_>) {
        const ECN: u32 = 1;
        let Some(word) = words.first() else { return };
        let known = word.bytes == b"ecn";
        if !known {
            let unknown = error(word.span, format!("unknown feature {}", quote(&word.text())));
            context.push(unknown.help("`features ecn` is the only one"));
        }
        self.set_metric(Metric::Features, known.then_some(ECN));
    }

    fn set_metric(&mut self, metric: Metric, value: Option<u32>) {
        match value {
            Some(0) => drop(self.metrics.remove(&metric)),
            Some(value) => {
                let locked = self.locked.contains(&metric);
                self.metrics.insert(metric, Amount { value, locked });
            }
            None => {}
        }
    }
}

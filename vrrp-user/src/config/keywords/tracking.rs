//! Keywords that attach trackers: to instances and to groups.

use std::marker::PhantomData;

use super::{EntryOption, Grammar::Values, Keyword, OptionClass::Works, TRACK_OPTIONS, apply_options};
use crate::config::{
    context::Context,
    draft::{GroupDraft, InstanceDraft, TrackDraft, TrackKind},
    lexer::Word,
    statement::Statement,
    values,
};

/// What tracks.
pub(super) trait Tracks: 'static {
    fn tracks(&mut self) -> &mut Vec<TrackDraft>;
}

impl Tracks for InstanceDraft {
    fn tracks(&mut self) -> &mut Vec<TrackDraft> {
        &mut self.tracks
    }
}

impl Tracks for GroupDraft {
    fn tracks(&mut self) -> &mut Vec<TrackDraft> {
        &mut self.tracks
    }
}

/// The rows for one kind of block.
pub(super) struct Rows<T>(PhantomData<T>);

const ENTRY: &str = "NAME [weight WEIGHT] [reverse|noreverse]";

impl<T: Tracks> Rows<T> {
    pub(super) const TRACKERS: &'static [Keyword<T>] = &[
        Keyword::works(
            "track_script",
            "",
            Values(ENTRY, |it, entry, context| add(it, TrackKind::Script, entry, context)),
            "the vrrp_script blocks that decide",
        ),
        Keyword::works(
            "track_interface",
            "",
            Values("INTERFACE [weight WEIGHT] [reverse]", |it, entry, context| {
                add(it, TrackKind::Interface, entry, context);
            }),
            "interfaces that must be up; with a weight they move the priority",
        ),
        Keyword::works(
            "track_file",
            "",
            Values(ENTRY, |it, entry, context| add(it, TrackKind::File, entry, context)),
            "the track_file blocks whose numbers move the priority; with weight 0 anything but 0 is a fault",
        ),
        Keyword::works(
            "track_process",
            "",
            Values(ENTRY, |it, entry, context| add(it, TrackKind::Process, entry, context)),
            "the vrrp_track_process blocks that decide",
        ),
    ];
}

/// As [`TRACK_OPTIONS`], with the range of files and processes.
const WIDER: &[EntryOption<TrackDraft>] = &[
    EntryOption { name: "weight", takes: 1, class: Works(set_wider_weight) },
    EntryOption { name: "reverse", takes: 0, class: Works(|track, _, _| track.reverse = Some(true)) },
    EntryOption { name: "noreverse", takes: 0, class: Works(|track, _, _| track.reverse = Some(false)) },
    EntryOption { name: "no_reverse", takes: 0, class: Works(|track, _, _| track.reverse = Some(false)) },
];

fn add(it: &mut impl Tracks, kind: TrackKind, entry: &Statement, context: &mut Context<'_>) {
    let name = entry.keyword.text().into_owned();
    let mut track = TrackDraft { kind, name, span: entry.keyword.span, weight: None, reverse: None };
    let options = match kind {
        TrackKind::Script | TrackKind::Interface => TRACK_OPTIONS,
        TrackKind::File | TrackKind::Process => WIDER,
    };
    apply_options(options, &mut track, &entry.arguments, context);
    it.tracks().push(track);
}

fn set_wider_weight(track: &mut TrackDraft, words: &[Word], context: &mut Context<'_>) {
    for word in words {
        let weight = context.ok(values::number("weight", word, &(-254..=254)), "0 means a fault");
        // The range fits.
        track.weight = weight.map(|weight| weight as i32).or(track.weight);
    }
}

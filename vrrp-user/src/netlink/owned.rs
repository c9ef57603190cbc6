//! Addresses that the host says are its own (priority 255, static ones) and that we added all the same: only a note tells
//! the next daemon that they are to be removed. Those of other routers are removed without one.

use std::net::IpAddr;

use super::plan::Place;
use crate::undo::Undo;

/// How the notes begin; `INTERFACE:ADDRESS` follows, and stands for the prefix length. No interface has a `:` in its
/// name.
const NOTE: &str = "address:";

/// What an earlier daemon noted.
pub(super) fn noted(undo: &Undo) -> Vec<Place> {
    undo.noted(NOTE).into_iter().filter_map(|(name, prefix)| read(&name, &prefix)).collect()
}

fn read(name: &str, prefix: &str) -> Option<Place> {
    let (interface, address) = name.split_once(':')?;
    let address: IpAddr = address.parse().ok()?;
    Some(Place { interface: interface.to_owned(), address, prefix: prefix.parse().ok()? })
}

/// Before it is added.
pub(super) fn note(undo: &mut Undo, place: &Place) {
    if let Err(error) = undo.note(&name(place), &place.prefix.to_string()) {
        tracing::warn!(
            "cannot note that {} was added ({error}): if the node is killed, it stays",
            place.address
        );
    }
}

/// The others are not here by our doing any more.
pub(super) fn keep_only(undo: &mut Undo, is_ours: impl Fn(&Place) -> bool) {
    for place in noted(undo).into_iter().filter(|place| !is_ours(place)) {
        if let Err(error) = undo.forget(&name(&place)) {
            tracing::warn!("the note that {} was added stays: {error}", place.address);
        }
    }
}

fn name(place: &Place) -> String {
    format!("{NOTE}{}:{}", place.interface, place.address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_leads_back_to_its_address() {
        let mut undo = Undo::default();
        let place = |interface: &str, address: &str, prefix| Place {
            interface: interface.to_owned(),
            address: address.parse().unwrap(),
            prefix,
        };
        let places = [place("eth0.10", "192.0.2.7", 32), place("eth0", "2001:db8::7", 64)];
        places.iter().for_each(|place| note(&mut undo, place));
        let mut found = noted(&undo);
        found.sort();
        assert_eq!(found, [places[1].clone(), places[0].clone()]);
        keep_only(&mut undo, |place| *place == places[1]);
        assert_eq!(noted(&undo), places[1..]);
    }
}

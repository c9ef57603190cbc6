//! Whose address lists are remembered.

use vrrp_common::judge::digest;

use super::{lists::Lists, *};
use crate::testing::network::{FRAME, address};

const OTHERS: u64 = 1;

fn message(last: u8) -> Vec<u8> {
    let mut message = FRAME[34..].to_vec();
    message[11] = last;
    message
}

fn of(last: u8) -> (u64, Vec<IpAddr>) {
    let listed = IpAddr::from([192, 0, 2, last]);
    (digest([listed.into()].into_iter()), vec![listed])
}

#[test]
fn the_last_list_of_a_sender_counts_while_it_differs() {
    let mut lists = Lists::default();
    let sender = address("192.0.2.1").into();
    let ((nine, listed), (ten, _)) = (of(9), of(10));
    lists.note(sender, &message(9), Family::V4, ten);
    assert_eq!(lists.of(sender, nine), Some(&listed[..]));
    assert_eq!(lists.of(sender, ten), None, "another list was heard since");
    lists.note(sender, &message(10), Family::V4, ten);
    assert_eq!(lists.of(sender, nine), None);
}

#[test]
fn forgers_fill_a_few_places() {
    let mut lists = Lists::default();
    for host in 1..=9 {
        lists.note(IpAddr::from([192, 0, 2, host]).into(), &message(9), Family::V4, OTHERS);
    }
    let known = |host| lists.of(IpAddr::from([192, 0, 2, host]).into(), of(9).0).is_some();
    assert_eq!([known(1), known(2), known(9)], [false, true, true]);
}

//! What parses can be sent again, and means the same. Input: a byte (even for IPv4), then the message.
#![no_main]

use std::net::{IpAddr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use vrrp_common::wire::{Advertisement, ChecksumForm, Family, Message};

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let (family, source, group) = if choice % 2 == 0 {
        (Family::V4, IpAddr::from([192, 0, 2, 11]), IpAddr::from([224, 0, 0, 18]))
    } else {
        let source = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x11);
        (Family::V6, source.into(), Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12).into())
    };
    let Ok(parsed) = Advertisement::parse(bytes, family) else { return };
    let _ = parsed.verify(source, group);
    let Some((first, password)) = emit(&parsed, source, group, ChecksumForm::Message) else { return };
    let again = Advertisement::parse(&first, family).expect("what was sent parses");
    assert_eq!(fields(&again), fields(&parsed));
    assert_eq!(again.auth.map(|(_, data)| data), parsed.auth.map(|_| password));
    let form = again.verify(source, group).expect("what was sent is intact");
    assert_eq!(form, ChecksumForm::only(parsed.version, family).unwrap_or(ChecksumForm::Message));

    let (second, _) = emit(&again, source, group, form).expect("what was sent can be sent again");
    assert_eq!(first, second, "sending is stable");
    assert_eq!(first.len(), bytes.len());

    let (other, _) = emit(&again, source, group, ChecksumForm::Pseudo).expect("in every form");
    assert!(Advertisement::parse(&other, family).is_ok_and(|other| other.verify(source, group).is_ok()));
});

/// The message of `parsed`, and its password; `None` for an authentication type that we do not send.
fn emit(
    parsed: &Advertisement<'_>,
    source: IpAddr,
    group: IpAddr,
    form: ChecksumForm,
) -> Option<(Vec<u8>, [u8; 8])> {
    let password = match parsed.auth {
        None | Some((0, _)) => None,
        Some((1, data)) => Some(data),
        Some(_) => return None,
    };
    let addresses: Vec<IpAddr> = parsed.addresses().collect();
    let message = Message {
        version: parsed.version,
        family: parsed.family,
        vrid: parsed.vrid,
        priority: parsed.priority,
        interval: parsed.interval,
        password,
        addresses: &addresses,
    };
    let mut buffer = vec![0xaa; message.len()];
    assert_eq!(message.emit(source, group, form, &mut buffer), Some(buffer.len()));
    Some((buffer, password.unwrap_or_default()))
}

fn fields(parsed: &Advertisement<'_>) -> impl PartialEq + std::fmt::Debug {
    let addresses: Vec<IpAddr> = parsed.addresses().collect();
    (parsed.version as u8, parsed.family as u8, parsed.vrid, parsed.priority, parsed.interval, addresses)
}

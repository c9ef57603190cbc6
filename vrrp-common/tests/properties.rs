//! What holds for every message and every byte string, on generated ones.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::{collection::vec, prelude::*, sample::Index};
use vrrp_common::{
    abi::{RouterView, Standing},
    judge::{self, DropReason, Verdict},
    time::Interval,
    wire::{Advertisement, ChecksumForm, Family, Message, Version, frame},
};

/// A message with everything that it takes to send it.
#[derive(Clone, Debug)]
struct Sent {
    version: Version,
    family: Family,
    vrid: u8,
    priority: u8,
    interval: Interval,
    password: Option<[u8; 8]>,
    addresses: Vec<IpAddr>,
    source: IpAddr,
    form: ChecksumForm,
}

impl Sent {
    fn message(&self) -> Message<'_> {
        let Self { version, family, vrid, priority, interval, password, ref addresses, .. } = *self;
        Message { version, family, vrid, priority, interval, password, addresses }
    }

    fn group(&self) -> IpAddr {
        match self.family {
            Family::V4 => Ipv4Addr::new(224, 0, 0, 18).into(),
            Family::V6 => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12).into(),
        }
    }

    fn frame(&self) -> Vec<u8> {
        let mut buffer = vec![0; 54 + self.message().len()];
        let (mac, group) = ([2, 0, 0, 0, 0, 1], self.group());
        let length =
            frame::advertisement(mac, self.source, group, &self.message(), self.form, &mut buffer).unwrap();
        buffer.truncate(length);
        buffer
    }

    /// Where the message begins in [`Self::frame`].
    fn start(&self) -> usize {
        if self.family == Family::V4 { 34 } else { 54 }
    }

    fn receiver(&self) -> RouterView {
        let v2 = self.version == Version::V2;
        RouterView {
            standing: Standing::new(100, false, true, false),
            source: match self.family {
                Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED).into(),
                Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED).into(),
            },
            group: self.group().into(),
            digest: judge::digest(self.addresses.iter().map(|address| (*address).into())),
            password: self.password.unwrap_or_default(),
            interval: if v2 { self.interval.as_nanos() } else { 0 },
            version: self.version as u8,
            auth_type: u8::from(self.password.is_some()),
            serial: 0,
            flags: if self.addresses.is_empty() { RouterView::NO_ADDRESSES } else { 0 },
        }
    }

    fn hear(&self, frame: &[u8]) -> Result<Verdict, DropReason> {
        let envelope = judge::locate(frame)?.ok_or(DropReason::IpHeader)?;
        judge::judge(frame, &envelope, &self.receiver(), &())
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        (Just((Version::V2, Family::V4)), (1..=255_u64).prop_map(Interval::from_secs)),
        (Just((Version::V3, Family::V4)), (1..=4095_u16).prop_map(Interval::from_centiseconds)),
        (Just((Version::V3, Family::V6)), (1..=4095_u16).prop_map(Interval::from_centiseconds)),
    ]
    .prop_flat_map(|((version, family), interval)| {
        let addresses = prop_oneof![9 => vec(address(family), 0..9), 1 => vec(address(family), 255)];
        let password =
            if version == Version::V2 { any::<Option<[u8; 8]>>().boxed() } else { Just(None).boxed() };
        let form = prop_oneof![Just(ChecksumForm::Message), Just(ChecksumForm::Pseudo)];
        let source = match family {
            Family::V4 => (1..255_u8).prop_map(|last| IpAddr::from([192, 0, 2, last])).boxed(),
            Family::V6 => {
                (1..=u64::MAX).prop_map(|low| Ipv6Addr::from(0xfe80 << 112 | u128::from(low)).into()).boxed()
            }
        };
        (1..=255_u8, any::<u8>(), password, addresses, source, form).prop_map(
            move |(vrid, priority, password, addresses, source, form)| Sent {
                version,
                family,
                vrid,
                priority,
                interval,
                password,
                addresses,
                source,
                form,
            },
        )
    })
}

fn address(family: Family) -> BoxedStrategy<IpAddr> {
    match family {
        Family::V4 => any::<[u8; 4]>().prop_map(IpAddr::from).boxed(),
        Family::V6 => any::<[u8; 16]>().prop_map(IpAddr::from).boxed(),
    }
}

/// Makes the checksum of a message good again, in the plainest form of RFC 1071, with `pseudo` bytes before.
fn repair(message: &mut [u8], pseudo: &[u8]) {
    message[6..8].fill(0);
    let words = [pseudo, message].concat();
    let mut sum: u32 = words.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    message[6..8].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

/// RFC 8200 §8.1.
fn pseudo_header_v6(frame: &[u8]) -> Vec<u8> {
    [&frame[22..54], &[0, 0], &frame[18..20], &[0, 0, 0, 112]].concat()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_heard(sent in sent()) {
        let frame = sent.frame();
        let heard = sent.hear(&frame).unwrap();
        prop_assert_eq!(heard.source, sent.source.into());
        prop_assert_eq!((heard.priority, heard.interval), (sent.priority, sent.interval));
        prop_assert!(!heard.differing_list);
        if sent.family == Family::V4 && sent.version == Version::V3 {
            prop_assert_eq!(heard.checksum, Some(sent.form));
        }

        let parsed = Advertisement::parse(&frame[sent.start()..], sent.family).unwrap();
        prop_assert_eq!((parsed.version, parsed.vrid), (sent.version, sent.vrid));
        prop_assert_eq!((parsed.priority, parsed.interval), (sent.priority, sent.interval));
        prop_assert_eq!(parsed.addresses().collect::<Vec<_>>(), &*sent.addresses);
        let password = parsed.auth.and_then(|(kind, data)| (kind == 1).then_some(data));
        prop_assert_eq!(password, sent.password);
    }

    #[test]
    fn a_cut_frame_never_counts(sent in sent(), length in any::<Index>()) {
        let frame = sent.frame();
        let cut = &frame[..length.index(frame.len())];
        prop_assert!(sent.hear(cut).is_err());
        let message = &cut[sent.start().min(cut.len())..];
        prop_assert!(Advertisement::parse(message, sent.family).is_err());
    }

    /// A flipped bit changes the sum by 2^k modulo 2^16 - 1, which is never nothing. Nor does it turn one
    /// form of the checksum into the other: for 192.0.2.0/24 the pseudo-header sums to 0xa2.. to 0xa7..
    #[test]
    fn a_flipped_bit_is_noticed(sent in sent(), bit in any::<Index>()) {
        let mut frame = sent.frame();
        let bit = bit.index(sent.message().len() * 8);
        frame[sent.start() + bit / 8] ^= 1 << (bit % 8);
        prop_assert!(sent.hear(&frame).is_err());
    }

    #[test]
    fn reserved_bits_are_ignored(
        sent in sent().prop_filter("VRRPv2 has none", |sent| sent.version == Version::V3),
        reserved in 1..16_u8,
    ) {
        let mut frame = sent.frame();
        let before = sent.hear(&frame).unwrap();
        frame[sent.start() + 4] |= reserved << 4;
        let pseudo = if sent.family == Family::V6 { pseudo_header_v6(&frame) } else { Vec::new() };
        repair(&mut frame[sent.start()..], &pseudo);
        let after = sent.hear(&frame).unwrap();
        prop_assert_eq!(Verdict { checksum: before.checksum, ..after }, before);
    }

    /// Whatever the bytes, nothing panics, and the two decoders agree: what counts can be parsed, with an
    /// intact checksum of the same form, the same fields and the same list.
    #[test]
    fn judge_accepts_only_what_parses(
        sent in sent(),
        patches in vec((any::<Index>(), any::<u8>()), 0..4),
        end in prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)],
        mend in any::<bool>(),
    ) {
        let mut frame = sent.frame();
        for (at, value) in patches {
            let at = at.index(frame.len());
            frame[at] = value;
        }
        if mend && frame.len() > sent.start() + 8 {
            let pseudo = if sent.family == Family::V6 { pseudo_header_v6(&frame) } else { Vec::new() };
            repair(&mut frame[sent.start()..], &pseudo);
        }
        if let Some(end) = end {
            let end = end.index(frame.len());
            frame.truncate(end);
        }
        let Ok(Some(envelope)) = judge::locate(&frame[..]) else { return Ok(()) };
        let Ok(verdict) = judge::judge(&frame[..], &envelope, &sent.receiver(), &()) else { return Ok(()) };
        let parsed = Advertisement::parse(envelope.message(&frame).unwrap(), envelope.family);
        let Ok(parsed) = parsed else {
            // The router of VRID 0 is the one thing that only the caller's look-up refuses.
            prop_assert_eq!((parsed.unwrap_err(), envelope.vrid), (DropReason::Vrid, 0));
            return Ok(());
        };
        prop_assert_eq!((parsed.vrid, parsed.priority), (envelope.vrid, verdict.priority));
        prop_assert_eq!(parsed.interval, verdict.interval);
        let form = parsed.verify(envelope.source.into(), envelope.destination.into()).unwrap();
        prop_assert!(verdict.checksum.is_none_or(|heard| heard == form));
        let digest = judge::digest(parsed.addresses().map(Into::into));
        prop_assert_eq!(verdict.digest, digest);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..128)) {
        for family in [Family::V4, Family::V6] {
            if let Ok(parsed) = Advertisement::parse(&bytes, family) {
                let length = usize::from(bytes[3]);
                prop_assert_eq!(parsed.addresses().count(), length);
            }
        }
        let _ = judge::locate(&bytes[..]);
    }

    /// The order counts, and so does every address.
    #[test]
    fn digests_tell_lists_apart(
        list in vec(any::<[u8; 4]>(), 1..9),
        at in any::<Index>(),
        other in any::<[u8; 4]>(),
    ) {
        let digest = |list: &[[u8; 4]]| judge::digest(list.iter().map(|octets| IpAddr::from(*octets).into()));
        let at = at.index(list.len());
        let mut changed = list.clone();
        changed[at] = other;
        prop_assert_eq!(digest(&changed) == digest(&list), changed == list);
        changed.clone_from(&list);
        changed.rotate_left(at);
        prop_assert_eq!(digest(&changed) == digest(&list), changed == list);
        changed.push(other);
        prop_assert_ne!(digest(&changed), digest(&list));
    }
}

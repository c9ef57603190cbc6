//! The effective priority: what checks make of the configured one. Checks themselves live in the daemon.

/// The priority of the owner of the addresses (RFC 9568 §5.2.4).
pub const OWNER: u8 = 255;

/// The configured priority `base` (1 to 255) moved by the sum of all weights that apply.
///
/// The result stays within 1 to 254: 0 would resign and 255 would claim ownership. An owner's 255 never moves.
pub fn effective_priority(base: u8, adjustment: i32) -> u8 {
    if base == OWNER {
        return OWNER;
    }
    let sum = i32::from(base).saturating_add(adjustment).clamp(1, 254);
    u8::try_from(sum).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::effective_priority;

    #[test]
    fn weights_move_a_priority_within_1_and_254() {
        for (base, adjustment, effective) in [
            (100, 0, 100),
            (101, 2, 103),
            (100, -30, 70),
            (100, -253, 1),
            (1, -1, 1),
            (250, 10, 254),
            (254, i32::MAX, 254),
            (1, i32::MIN, 1),
            (255, -100, 255),
            (255, 100, 255),
        ] {
            assert_eq!(effective_priority(base, adjustment), effective, "{base} {adjustment:+}");
        }
    }
}

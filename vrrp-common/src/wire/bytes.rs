//! The one way to look at a packet, for slices and for the kernel's (`data`, `data_end`) alike.

/// A packet that is read by fixed-size pieces.
///
/// The BPF verifier follows a packet pointer that was compared with `data_end`, and loses the link when the
/// packet becomes a slice. Reading arrays at offsets keeps both worlds on one code path: an array of known
/// size needs no index check, so nothing can panic.
///
/// An implementation over packet pointers is always inlined (a `None` that is returned in registers leaves
/// some of them unset, which the verifier refuses), bounds the offset, and hides offset and end from the
/// optimiser (`core::hint::black_box`), which otherwise compares with an `end - N` that the verifier refuses.
pub trait Bytes {
    /// The `N` bytes at `offset`, or `None` if the packet ends before them.
    fn at<const N: usize>(&self, offset: usize) -> Option<[u8; N]>;
}

impl Bytes for [u8] {
    fn at<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.get(offset..)?.first_chunk().copied()
    }
}

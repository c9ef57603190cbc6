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

    /// Folds `count` pieces of `N` bytes, which lie one behind the other from `start` on, into `state`. `None` if the
    /// packet ends before them.
    ///
    /// A verifier walks through every turn of a loop; an implementation may have the kernel loop instead, and then only
    /// `step` is looked at, once.
    fn fold<const N: usize, S: Copy>(
        &self,
        start: usize,
        count: usize,
        state: S,
        step: impl Fn(S, [u8; N]) -> S,
    ) -> Option<S> {
        (0..count).try_fold(state, |state, index| {
            let piece = self.at(start.wrapping_add(index.wrapping_mul(N)))?;
            Some(step(state, piece))
        })
    }

    /// [`Self::fold`] over `count` words of four bytes. Four words are a piece, as many turns as that cost less.
    fn fold_words<S: Copy>(
        &self,
        start: usize,
        count: usize,
        state: S,
        step: impl Fn(S, [u8; 4]) -> S + Copy,
    ) -> Option<S> {
        let blocks = count / 4;
        let state = self.fold(start, blocks, state, move |state, block: [u8; 16]| {
            let words: [[u8; 4]; 4] = bytemuck::cast(block);
            words.into_iter().fold(state, step)
        })?;
        let rest = start.wrapping_add(blocks.wrapping_mul(16));
        (0..count % 4).try_fold(state, |state, word| {
            Some(step(state, self.at(rest.wrapping_add(word.wrapping_mul(4)))?))
        })
    }
}

impl Bytes for [u8] {
    fn at<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.get(offset..)?.first_chunk().copied()
    }
}

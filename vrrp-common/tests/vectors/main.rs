//! Byte vectors of whole frames: what we emit is identical, what we receive is read and judged as named.

mod frames;
mod judged;
mod refused;
mod vectors;

//! Does this packet count? One function for kernel programs, sockets and tests.

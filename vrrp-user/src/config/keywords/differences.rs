//! What the same text means here and in keepalived, where that is not the same. The keywords are in the tables.

/// What it is about, what keepalived does, what is done here, and why.
pub(in crate::config) const DIFFERENCES: &[[&str; 4]] = &[
    [
        "a check that cannot run",
        "counts as a success",
        "counts as a failure",
        "a router without its service must not stay Active",
    ],
    [
        "a file with errors",
        "stops the daemon, or is used without the lines that are wrong; at a reload the addresses may stay",
        "is not used: nothing starts, and a reload keeps what runs; `run --keep-going` runs the other routers",
        "half a configuration may own an address that it should not",
    ],
    [
        "a value out of its range (`priority 256`)",
        "is replaced by the default",
        "is an error",
        "the default may win an election that the value was to lose",
    ],
    [
        "unicast sources",
        "are compared with the peers only with `check_unicast_src`",
        "are always compared",
        "anybody who can reach the host could take the address away",
    ],
    [
        "a `vrrp_script` behind the instance that tracks it",
        "is not found (2.2.7), and the instance runs without it",
        "is found: the order of blocks does not matter",
        "the check was meant",
    ],
    [
        "a tracked script that there is not",
        "is passed over",
        "is an error",
        "the router would run without its check",
    ],
    [
        "an unknown keyword with a block",
        "its lines are read as keywords of the block around",
        "the block is passed over as a whole",
        "a forgotten or misspelt word must not change others",
    ],
    [
        "two instances with one number on one interface",
        "is said, and one of them stays in FAULT",
        "is an error",
        "each would take the other's advertisements for its own",
    ],
    [
        "shell syntax in a command",
        "is handed to the program as arguments",
        "is run by `/bin/sh -c`, and that is said",
        "it was meant, and without it such a check always succeeds",
    ],
    [
        "more words behind a bare command (`script killall -0 nginx`)",
        "only the first word is run",
        "all words are run, and that is said",
        "the first word alone checks nothing",
    ],
    [
        "`interval 0.5` of a script",
        "2.2.7 wants whole seconds",
        "milliseconds count, as in 2.4",
        "a failure is seen earlier",
    ],
    ["a definition that contains itself (`$IF=$IF`)", "is read for ever", "is an error", "a start must end"],
    [
        "`~SEQ` and definitions without end",
        "fill the memory",
        "end with an error at 16 MiB or 250,000 statements",
        "a start must end",
    ],
    [
        "`${_HASH}` and `${_BANG}` outside double quotes",
        "begin a comment in 2.2.7, against its manual",
        "are the sign, and that is said",
        "the manual says so; a password must be the same on all routers",
    ],
    [
        "`include` with a condition or a definition before it",
        "is not supported, by its manual",
        "works",
        "one file for several hosts",
    ],
    [
        "a byte order mark",
        "is part of the first word, which is then unknown",
        "is passed over, and that is said",
        "some editors write it",
    ],
    [
        "a quote that is not closed",
        "ends 2.2.7 with a segmentation fault",
        "is an error",
        "a start must end with a message",
    ],
    [
        "a host with `use_vmac` that asks for a neighbour with a virtual address",
        "may ask with the MAC address of the interface itself",
        "asks with an address of the interface itself",
        "the neighbour would keep that MAC address after a failover",
    ],
    [
        "a virtual address that somebody removes",
        "makes the router yield for a moment",
        "is put back, ten times a minute at most, and counted",
        "another program must not move an address",
    ],
    [
        "a losing advertisement",
        "is answered each time",
        "is answered once in half an interval",
        "a neighbour's junk must not set our pace",
    ],
];

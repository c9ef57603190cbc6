//! The vocabulary of the election: what goes in, what comes out, and why. No rules live here.

use crate::{
    abi::Address,
    time::{Instant, Interval},
    wire::Version,
};

/// What the configuration says of one virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Protocol version; decides how Skew_Time scales and whether intervals are learned.
    pub version: Version,
    /// Configured priority, 1 to 255; 255 means that this host owns the addresses (RFC 9568 §5.2.4).
    pub priority: u8,
    /// Advertisement_Interval: 1 to 4095 centiseconds (v3), 1 to 255 seconds (v2).
    pub advertisement_interval: Interval,
    /// Preempt_Mode (RFC 9568 §6.1).
    pub preempt: bool,
    /// How long a lower-priority Active is tolerated before it is preempted (keepalived's `preempt_delay`).
    pub preempt_delay: Interval,
    /// How many intervals of silence make Active_Down_Interval, 1 to 100; the RFC says 3.
    pub down_timer_adverts: u8,
    /// The primary address that we send with; decides between equal priorities.
    pub source: Address,
}

/// The state of a virtual router: RFC 9568 §6.3 and Fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Not started, or shut down.
    Initialize,
    /// Configured, but not eligible: see [`Fault`].
    Fault,
    /// Watching an Active router.
    Backup,
    /// Holding the addresses.
    Active,
}

/// Why a router is not eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// There is no interface of the configured name.
    InterfaceMissing,
    /// The interface is administratively or operationally down.
    LinkDown,
    /// The interface has no address to send from.
    NoSourceAddress,
    /// A check of weight 0 has not reported yet; the index is the caller's.
    CheckPending(u16),
    /// A check of weight 0 fails; the index is the caller's.
    CheckFailing(u16),
    /// The receive path cannot listen on the interface.
    CannotListen,
    /// The host refused every virtual address for one Active_Down_Interval.
    AddressesRefused,
    /// Another member of the router's group is in Fault; the index is the caller's.
    GroupMember(u16),
}

/// One received and judged advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// When the kernel received it.
    pub at: Instant,
    /// Who sent it.
    pub source: Address,
    /// Its priority, 0 to 255; 0 means that the sender resigns.
    pub priority: u8,
    /// The sender's Advertisement_Interval; never zero.
    pub interval: Interval,
}

/// Everything that can happen to a virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Leave Initialize, with the effective priority and eligibility as told so far.
    Startup,
    /// As [`Self::Startup`], for a daemon that succeeds another one which was Active and left this lease and
    /// the addresses. While the lease lasts the router goes on as Active; afterwards it starts like any other.
    Adopt(Lease),
    /// Return to Initialize; an Active resigns.
    Shutdown,
    /// A deadline may have passed.
    Timer,
    /// An advertisement was accepted by [`crate::judge::judge`].
    Advertisement(Advertised),
    /// The effective priority is now this, 1 to 254 (ignored by an owner).
    Priority(u8),
    /// The router is eligible (`None`) or not, and why.
    Eligibility(Option<Fault>),
    /// The primary address changed.
    Source(Address),
    /// The configuration changed; the primary address stays as last told. State and timers go on.
    Configure(Parameters),
    /// An Active is to resign and become Backup. Nobody else is known to be Active, so it says farewell.
    StepDown(Reason),
    /// A Backup is to become Active, whoever else is.
    TakeOver(Reason),
    /// The kernel took the advertisement that the last [`Action::Advertise`] of non-zero priority asked for.
    /// `granted` is the clock as read before the records were looked at, `sent` just before the send call.
    Sent {
        /// Start of the turn that sent it.
        granted: Instant,
        /// Just before the advertisement was handed over: no peer's timer can have started earlier.
        sent: Instant,
    },
}

/// Until when this router may hold the addresses without another completed Active turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The clock before the daemon looked and sent: anything better heard after it closes the lease.
    pub granted: Instant,
    /// The instant from which the addresses must be silent.
    pub until: Instant,
}

/// A router that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its primary address.
    pub source: Address,
    /// Its priority.
    pub priority: u8,
    /// When it was last heard.
    pub heard: Instant,
}

/// What the host must do; [`super::Actions`] states the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The state changed; log and notify.
    Transition(Transition),
    /// Send `copies` advertisements now, back to back, and report [`Input::Sent`] if the kernel took one.
    Advertise {
        /// Priority to carry; 0 resigns.
        priority: u8,
        /// Interval to carry.
        interval: Interval,
        /// 1, or 3 to resign.
        copies: u8,
    },
    /// Open the addresses, or keep them open, until the lease ends.
    Grant(Lease),
    /// Close the addresses now.
    Close,
    /// Add the virtual addresses to the host. Asked for with the first [`Input::Sent`] of an Active: nobody
    /// takes addresses who cannot tell the others. Who adopts has them already, and is asked at once.
    Acquire,
    /// Remove the virtual addresses from the host. Asked for once for each [`Self::Acquire`].
    Release,
    /// Tell the neighbours (gratuitous ARP, unsolicited NA).
    Announce(Announcement),
}

/// On what occasion the neighbours are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// We became Active.
    Takeover,
    /// A losing Active was heard, and it announced too.
    LosingActive,
    /// The loser has been silent for two intervals: its last announcement is overruled.
    LosingSilent,
    /// We were not run, or could send nothing, for longer than the lease, and nobody took over.
    AfterStall,
}

/// A change of state and its cause, for the log and for `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state left.
    pub from: State,
    /// The state entered.
    pub to: State,
    /// The cause, with its numbers.
    pub reason: Reason,
}

/// Why a router changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The node started.
    Started,
    /// This host owns the addresses (priority 255).
    Owner,
    /// The daemon before this one was Active, and its lease still held.
    Adopted {
        /// What was left of the lease.
        left: Interval,
    },
    /// Nothing was heard for the whole Active_Down_Interval.
    NoAdvertisement {
        /// The Active that fell silent, if one was ever heard.
        last: Option<Peer>,
        /// How long it has been silent, or how long we waited since the start.
        silence: Interval,
    },
    /// The Active said that it leaves (priority 0).
    Resigned {
        /// Who resigned.
        source: Address,
    },
    /// We outrank the Active that is still heard.
    Preempting {
        /// The Active of lower priority.
        lower: Peer,
        /// Our effective priority.
        ours: u8,
    },
    /// Another Active outranks us.
    Outranked {
        /// The better router.
        by: Peer,
        /// Our effective priority; equal to the peer's when the address decided.
        ours: u8,
    },
    /// We were not run, or could send nothing, until our lease had run out, and another Active was heard
    /// meanwhile.
    Stalled {
        /// The time since our last advertisement.
        silence: Interval,
        /// Who took over.
        by: Peer,
    },
    /// The router is not eligible.
    Faulted(Fault),
    /// The fault is gone.
    Recovered(Fault),
    /// Another member of the group stepped back.
    GroupSteppedBack,
    /// The operator asked for it.
    Asked,
    /// The node stops.
    Shutdown,
}

//! `accept_from`, our own keyword: the networks that advertisements may come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::{
    context::Context,
    diagnostics::{Diagnostic, error, warning},
    draft::InstanceDraft,
    lexer::Word,
    model::Network,
    statement::Statement,
    values::quote,
};

const HELP: &str = "networks such as 192.0.2.0/29 or fe80::/10, and single addresses";

/// Reads one line of the block.
pub(super) fn add_networks(instance: &mut InstanceDraft, line: &Statement, context: &mut Context<'_>) {
    for word in std::iter::once(&line.keyword).chain(&line.arguments) {
        let Some(network) = context.ok(network(word), HELP) else {
            instance.admission_refused = true;
            continue;
        };
        if network.address != masked(network).address {
            let message = format!("{} is in the network {}", quote(&word.text()), masked(network));
            context.push(warning(word.span, message).help("all of the network is accepted"));
        }
        instance.admitted.push(masked(network));
    }
}

fn network(word: &Word) -> Result<Network, Diagnostic> {
    let text = word.text();
    let (address, length) = text.split_once('/').map_or((&*text, None), |(a, length)| (a, Some(length)));
    let wrong = || error(word.span, format!("{} is not a network", quote(&text)));
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Ok(longest), str::parse).map_err(|_| wrong())?;
    if length > longest {
        let message = format!("the prefix length of {address} must be a whole number from 0 to {longest}");
        return Err(error(word.span, message));
    }
    Ok(Network { address, length })
}

/// The network without host bits.
fn masked(Network { address, length }: Network) -> Network {
    let address = match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(v4) & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
        }
    };
    Network { address, length }
}

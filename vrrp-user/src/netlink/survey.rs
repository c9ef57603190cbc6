//! The host's Ethernet interfaces and what is attached to them, asked for once. Only `doctor` wants to know.

use std::{collections::BTreeSet, io};

use futures_util::{TryStreamExt, pin_mut};
use rtnetlink::{
    Handle,
    packet_route::{
        link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage, LinkXdp},
        tc::TcAttribute,
    },
};
use tokio::runtime;

/// An Ethernet interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surveyed {
    /// Its name.
    pub name: String,
    /// Administratively up.
    pub up: bool,
    /// The XDP program on it, if there is one.
    pub xdp: Option<u32>,
    /// Whether it has a clsact queueing discipline.
    pub clsact: bool,
}

/// All Ethernet interfaces of this network namespace but `lo`.
///
/// # Errors
/// What the kernel says.
pub fn survey() -> io::Result<Vec<Surveyed>> {
    runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        read(&handle).await.map_err(io::Error::other)
    })
}

async fn read(handle: &Handle) -> Result<Vec<Surveyed>, rtnetlink::Error> {
    let mut clsact = BTreeSet::new();
    let disciplines = handle.qdisc().get().execute();
    pin_mut!(disciplines);
    while let Some(discipline) = disciplines.try_next().await? {
        let is_clsact =
            |attribute: &TcAttribute| matches!(attribute, TcAttribute::Kind(kind) if kind == "clsact");
        if discipline.attributes.iter().any(is_clsact) {
            clsact.insert(discipline.header.index);
        }
    }
    let mut found = Vec::new();
    let links = handle.link().get().execute();
    pin_mut!(links);
    while let Some(link) = links.try_next().await? {
        if link.header.link_layer_type == LinkLayerType::Ether {
            found.push(describe(&link, clsact.contains(&(link.header.index as i32))));
        }
    }
    Ok(found)
}

fn describe(link: &LinkMessage, clsact: bool) -> Surveyed {
    let up = link.header.flags.contains(LinkFlags::Up);
    let mut surveyed = Surveyed { up, clsact, ..Surveyed::default() };
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::IfName(name) => surveyed.name.clone_from(name),
            LinkAttribute::Xdp(xdp) => surveyed.xdp = xdp.iter().find_map(program),
            _ => {}
        }
    }
    surveyed
}

fn program(xdp: &LinkXdp) -> Option<u32> {
    match xdp {
        LinkXdp::ProgId(id) | LinkXdp::DrvProgId(id) | LinkXdp::SkbProgId(id) | LinkXdp::HwProgId(id) => {
            Some(*id)
        }
        _ => None,
    }
}

//! The scenario that everything began with: castor and pollux share an address and follow their nginx.

use std::{slice, time::Duration};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::{
    Host, Lab,
    conf::ADDRESS,
    peers::{Keepalived, Nginx, Router, Xvrrp},
};

/// The longest that a step may take: 5.6 s for the check's interval and the down timer, and more on a busy machine.
pub const STEP_LIMIT: Duration = Duration::from_secs(20);

/// The configuration of one of the two.
pub fn config(priority: u8) -> String {
    format!(
        r#"vrrp_script chk_nginx {{
    script "killall -0 nginx"
    interval 2
    weight 2
}}

vrrp_instance VI_1 {{
    interface eth0
    state MASTER
    virtual_router_id 51
    priority {priority}
    virtual_ipaddress {{
        {ADDRESS}
    }}
    track_script {{
        chk_nginx
    }}
}}
"#
    )
}

/// A make of VRRP router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Make {
    /// Ours.
    Xvrrp,
    /// The real keepalived.
    Keepalived,
}

impl Make {
    /// Starts one.
    pub fn start(self, host: &Host, config: &str) -> Result<Box<dyn Router>> {
        Ok(match self {
            Self::Xvrrp => Box::new(Xvrrp::start(host, config)?),
            Self::Keepalived => Box::new(Keepalived::start(host, config)?),
        })
    }

    /// What a line of its log says of a change of state, in its own words.
    pub fn reason(self, line: &str) -> Option<String> {
        match self {
            Self::Xvrrp => Xvrrp::reason(line),
            Self::Keepalived => Keepalived::reason(line),
        }
    }
}

/// Castor is 0, pollux is 1.
pub type Side = usize;

/// What happens at the beginning of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    StartRouters,
    StopWeb(Side),
    StartWeb(Side),
}

/// A step of the scenario and what must come of it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What happens, for people.
    pub title: &'static str,
    act: Act,
    /// Who must own the address at the end.
    pub owner: &'static str,
    /// What a client must get at the end: the owner's name, unless its web server is down too.
    pub answer: &'static str,
}

/// The five steps.
pub const STEPS: [Step; 5] = [
    Step {
        title: "both hosts and both web servers are up",
        act: Act::StartRouters,
        owner: "castor",
        answer: "castor",
    },
    Step { title: "castor's nginx stops", act: Act::StopWeb(0), owner: "pollux", answer: "pollux" },
    Step { title: "pollux's nginx stops too", act: Act::StopWeb(1), owner: "castor", answer: "refused" },
    Step { title: "pollux's nginx is back", act: Act::StartWeb(1), owner: "pollux", answer: "pollux" },
    Step { title: "castor's nginx is back", act: Act::StartWeb(0), owner: "castor", answer: "castor" },
];

/// The two hosts, their programs, and a client.
pub struct Stage<'a> {
    lab: &'a Lab,
    /// Castor and pollux.
    pub hosts: [Host; 2],
    /// Who uses the service.
    pub client: Host,
    makes: [Make; 2],
    webs: [Option<Nginx>; 2],
    routers: Vec<Box<dyn Router>>,
}

impl<'a> Stage<'a> {
    /// Both web servers run, no router does.
    pub fn new(lab: &'a Lab, makes: [Make; 2]) -> Result<Self> {
        let hosts = [lab.host("castor")?, lab.host("pollux")?];
        let webs = [Some(Nginx::start(&hosts[0])?), Some(Nginx::start(&hosts[1])?)];
        Ok(Self { lab, hosts, client: lab.host("client")?, makes, webs, routers: Vec::new() })
    }

    /// The routers that were started, castor's first, with their makes.
    pub fn routers(&self) -> impl Iterator<Item = (&dyn Router, Make)> {
        self.routers.iter().map(AsRef::as_ref).zip(self.makes)
    }

    /// Does what a step begins with.
    pub fn perform(&mut self, step: &Step) -> Result<()> {
        match step.act {
            Act::StartRouters => {
                for ((host, make), priority) in self.hosts.iter().zip(self.makes).zip([101, 100]) {
                    self.routers.push(make.start(host, &config(priority))?);
                }
            }
            Act::StopWeb(side) => self.webs[side].take().context("the web server runs")?.stop()?,
            Act::StartWeb(side) => self.webs[side] = Some(Nginx::start(&self.hosts[side])?),
        }
        Ok(())
    }

    /// Whether the owner alone has the address.
    pub fn is_settled(&self, step: &Step) -> Result<bool> {
        Ok(self.lab.owners(ADDRESS)? == slice::from_ref(&step.owner))
    }
}

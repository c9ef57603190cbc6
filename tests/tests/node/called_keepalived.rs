//! The program under keepalived's name, with the options that units and init scripts pass.

use anyhow::{Context as _, Result, ensure};
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf},
    init::Exit,
    peers::Xvrrp,
    story, wait_until,
};

use crate::{
    namespace::{addresses_in_blue, move_to_blue},
    pair::FAST,
};

const NAME: &str = "/run/lab/keepalived";
const PID: &str = "/run/lab/k.pid";

/// Links the program by that name and writes its file.
fn prepare(host: &Host, text: &str) -> Result<String> {
    host.check(&["ln", "-s", &Xvrrp::program()?, NAME])?;
    host.write_file("keepalived.conf", text)
}

/// The number in the file, while there is one.
fn number(host: &Host) -> Result<Option<i32>> {
    let output = host.run(&["cat", PID])?;
    if output.exit != Exit::Code(0) {
        return Ok(None);
    }
    Ok(Some(output.stdout.trim().parse().with_context(|| output.stdout.clone())?))
}

fn wait_gone(host: &Host) -> Result<()> {
    wait_until(FAST, "address and process number are gone", || {
        Ok(!host.owns(ADDRESS)? && number(host)?.is_none())
    })
}

#[test]
fn it_stays_in_the_foreground() -> Result<()> {
    story("keepalived -n", &[], |lab| {
        let castor = lab.host("castor")?;
        let file = prepare(&castor, &Conf::fast(101).text())?;
        let node = castor.spawn("keepalived", &[NAME, "-n", "-l", "-D", "-f", &file, "-p", PID])?;
        node.wait_ready("it holds the address", || castor.owns(ADDRESS))?;
        assert_eq!(number(&castor)?, Some(node.pid()));
        assert_eq!(node.terminate(FAST)?, Exit::Code(0));
        wait_gone(&castor)
    })
}

/// Without `-n` the command comes back, and whoever wants to stop the node finds its number in the file.
#[test]
fn it_goes_into_the_background() -> Result<()> {
    story("keepalived in the background", &[], |lab| {
        let castor = lab.host("castor")?;
        let file = prepare(&castor, &Conf::fast(101).text())?;
        let command = castor.run(&[NAME, "-D", "-f", &file, "-p", PID])?;
        assert_eq!(command.exit, Exit::Code(0), "{}", command.stderr);
        let node = number(&castor)?.context("its number is there when the command is back")?;
        wait_until(FAST, "it holds the address", || castor.owns(ADDRESS))?;
        let session = castor.check(&["ps", "-o", "sid=", "-p", &node.to_string()])?;
        assert_eq!(session.trim(), node.to_string(), "it leads a session of its own");
        castor.check(&["kill", &node.to_string()])?;
        wait_gone(&castor)
    })
}

/// `-s` overrules the file, at the start and at a reload.
#[test]
fn it_runs_in_the_namespace_that_it_is_told() -> Result<()> {
    story("keepalived -s", &[], |lab| {
        let castor = lab.host("castor")?;
        move_to_blue(&castor)?;
        let text = format!("net_namespace nowhere\n{}", Conf::fast(101).text());
        let file = prepare(&castor, &text)?;
        let node = castor.spawn("keepalived", &[NAME, "-n", "-s", "blue", "-f", &file, "-p", PID])?;
        let addresses = || addresses_in_blue(&castor);
        node.wait_ready("the address is in the namespace", || Ok(addresses()?.contains(ADDRESS)))?;
        castor.write_file("keepalived.conf", &text.replace(ADDRESS, "192.0.2.101"))?;
        let reload = castor.run(&[&Xvrrp::program()?, "reload"])?;
        assert_eq!(reload.exit, Exit::Code(0), "{}", reload.stderr);
        wait_until(FAST, "the other address is there", || Ok(addresses()?.contains("192.0.2.101")))?;
        ensure!(node.terminate(FAST)? == Exit::Code(0), "{}", node.log()?);
        Ok(())
    })
}

//! Checks of services, with the rights that keepalived would give them.

use anyhow::{Context as _, Result, ensure};
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    peers::{Nginx, Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::FAST;

/// `killall -0` on another user's process needs the right to signal it, which root's scripts have.
#[test]
fn a_service_of_another_user_is_seen() -> Result<()> {
    story("another user's service", &["nginx-light", "psmisc"], |lab| {
        let castor = lab.host("castor")?;
        let nginx = Nginx::start_as(&castor, "www-data")?;
        let conf =
            Conf::fast(101).checking("chk_nginx", &["script \"killall -0 nginx\"", "interval 1", "weight 2"]);
        let node = Xvrrp::start(&castor, &conf.text())?;
        wait_priority(&node, 103)?;
        nginx.stop()?;
        wait_priority(&node, 101)?;
        let _nginx = Nginx::start_as(&castor, "www-data")?;
        wait_priority(&node, 103)
    })
}

/// A check that cannot run has failed, and a failed check without weight is a fault.
#[test]
fn a_check_that_cannot_run_is_a_fault() -> Result<()> {
    story("check that cannot run", &[], |lab| {
        let castor = lab.host("castor")?;
        castor.write_file("check", "#!/run/lab/no-such-shell\n")?;
        castor.check(&["chmod", "755", "/run/lab/check"])?;
        let conf = Conf::fast(101).checking("chk", &["script \"/run/lab/check\"", "interval 1"]);
        let node = Xvrrp::start(&castor, &conf.text())?;
        wait_until(FAST, "castor is in Fault and names the check", || {
            let router = node.router(INSTANCE)?;
            let fault = router["fault"].as_str().unwrap_or_default();
            Ok(router["state"] == "fault" && fault.contains("chk fails"))
        })?;
        castor.check(&["ln", "-s", "/bin/sh", "/run/lab/no-such-shell"])?;
        node.wait_active(INSTANCE, FAST)
    })
}

fn wait_priority(node: &Xvrrp, expected: u64) -> Result<()> {
    let mut seen = None;
    wait_until(FAST, &format!("the effective priority is {expected}"), || {
        seen = node.router(INSTANCE)?["priority"]["effective"].as_u64();
        Ok(seen == Some(expected))
    })
    .with_context(|| format!("it is {seen:?}"))?;
    ensure!(node.process().exit()?.is_none(), "the node has ended");
    Ok(())
}

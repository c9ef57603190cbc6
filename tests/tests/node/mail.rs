//! Mail about transitions, beside keepalived's with the same file, and mail servers that are none.

use std::time::Duration;

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host, Process,
    conf::{Conf, INSTANCE},
    holds_for,
    peers::{Router as _, Xvrrp},
    scenario::Make,
    story, wait_until,
};

use crate::pair::{A_WHILE, FAST, OURS};

/// A router that is told of by mail, and one that is not; a file makes both faulty.
fn file(more: &str) -> String {
    let tracked = "track_file {\n        switch weight 0\n    }";
    let told = Conf::fast(100).and(tracked).and("smtp_alert").text();
    let untold = Conf::fast(100).and(tracked).text();
    let untold = untold.replace("VI_1", "VI_2").replace("virtual_router_id 51", "virtual_router_id 52");
    format!(
        "global_defs {{\n    router_id site1\n    smtp_server 127.0.0.1 2525\n    smtp_helo_name lb1\n    smtp_connect_timeout 1\n    \
         notification_email_from node@example.com\n    notification_email {{\n        a@example.com\n        \
         b@example.com\n    }}\n{more}}}\n\ntrack_file switch {{\n    file /run/lab/switch\n}}\n\n{told}\n{}",
        untold.replace("192.0.2.100", "192.0.2.101")
    )
}

/// A mail server that writes down what it hears; it answers everything as a mail server does.
fn sink(host: &Host) -> Result<Process> {
    let script = r#"
import socketserver, threading
printing = threading.Lock()
class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        # Whole talks, one after the other.
        self.heard = []
        try: self.talk()
        finally:
            # keepalived opens connections when it ends, and says nothing.
            with printing:
                if self.heard: print('\n'.join(self.heard), flush=True)
    def talk(self):
        say = lambda text: self.wfile.write(text + b'\r\n')
        say(b'220-sink'); say(b'220 ready')
        data = False
        for line in self.rfile:
            self.heard.append(line.decode().rstrip())
            if data:
                data = line != b'.\r\n'
                if not data: say(b'250 taken')
            elif line == b'DATA\r\n': data = True; say(b'354 go on')
            elif line == b'QUIT\r\n': return say(b'221 bye')
            else: say(b'250 fine')
class Sink(socketserver.ThreadingTCPServer): allow_reuse_address = True
Sink(('127.0.0.1', 2525), Talk).serve_forever()
"#;
    let path = host.write_file("sink.py", script)?;
    // What it says of a client that left without a word is nobody's concern.
    let sink = host.spawn("sink", &["sh", "-c", &format!("exec python3 {path} 2>/dev/null")])?;
    sink.wait_ready("the mail server listens", || {
        Ok(!host.check(&["ss", "-Hltn", "sport = 2525"])?.trim().is_empty())
    })?;
    Ok(sink)
}

/// Starts a router, makes it faulty and well again; the letters' lines that do not tell the time or the program.
fn letters(host: &Host, make: Make, more: &str, count: usize) -> Result<Vec<String>> {
    host.sh("rm -f /run/lab/switch")?;
    let sink = sink(host)?;
    let router = make.start(host, &file(more))?;
    let switch = |value: u8| host.sh(&format!("echo {value} >/run/lab/switch"));
    router.wait_owns("192.0.2.100", FAST)?;
    switch(1)?;
    router.wait_lets_go("192.0.2.100", FAST)?;
    switch(0)?;
    router.wait_owns("192.0.2.100", FAST)?;
    let taken = || -> Result<usize> { Ok(sink.log()?.lines().filter(|line| *line == ".").count()) };
    wait_until(FAST, "all letters are there", || Ok(taken()? == count))?;
    holds_for(A_WHILE, "there are no more", || Ok(taken()? == count))?;
    router.shut_down()?;
    let own = |line: &&str| ["Date: ", "X-Mailer: "].iter().all(|header| !line.starts_with(header));
    Ok(sink.log()?.lines().filter(own).map(str::to_owned).collect())
}

/// keepalived opens one connection for each letter, and several at a time: letters are compared, not their order.
fn by_letter(lines: &[String]) -> Vec<Vec<String>> {
    let mut letters: Vec<Vec<String>> = lines
        .split(|line| line == "QUIT")
        .map(<[String]>::to_vec)
        .filter(|letter| !letter.is_empty())
        .collect();
    letters.sort();
    letters
}

#[test]
fn the_same_letters_as_keepalived() -> Result<()> {
    story("mail beside keepalived", &["keepalived", "python3"], |lab| {
        let castor = lab.host("castor")?;
        for (more, count) in [("", 5), ("    no_email_faults\n", 4)] {
            let ours = letters(&castor, OURS, more, count)?;
            let theirs = letters(&castor, Make::Keepalived, more, count)?;
            assert_eq!(by_letter(&ours), by_letter(&theirs), "{more}");
            let subjects =
                ours.iter().filter_map(|line| line.strip_prefix("Subject: [site1] VRRP Instance VI_1 - "));
            let expected = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER"];
            let expected = expected.iter().filter(|state| more.is_empty() || **state != "FAULT");
            assert!(
                subjects.eq(expected.map(|state| format!("Entering {state} state"))),
                "in order: {ours:?}"
            );
        }
        Ok(())
    })
}

/// One that takes connections and says nothing, then none at all: the log tells, the election goes on, the end is
/// not held up.
#[test]
fn a_mail_server_that_hangs_holds_up_nothing() -> Result<()> {
    story("a mail server that hangs", &["python3"], |lab| {
        let castor = lab.host("castor")?;
        let hang = "import socket, time\ns = socket.create_server(('127.0.0.1', 2525))\ntime.sleep(1000)\n";
        let path = castor.write_file("hang.py", hang)?;
        let silent = castor.spawn("silent", &["python3", &path])?;
        let node = Xvrrp::start(&castor, &file("").replace("timeout 1\n", "timeout 30\n"))?;
        node.wait_active(INSTANCE, FAST)?;
        castor.sh("echo 1 >/run/lab/switch")?;
        wait_until(FAST, "castor is in Fault", || Ok(node.router(INSTANCE)?["state"] == "fault"))?;
        castor.sh("echo 0 >/run/lab/switch")?;
        node.wait_active(INSTANCE, FAST)?;
        let before = std::time::Instant::now();
        node.shut_down()?;
        ensure!(before.elapsed() < Duration::from_secs(3), "the end took {:?}", before.elapsed());
        drop(silent);
        let node = Xvrrp::start(&castor, &file(""))?;
        wait_until(FAST, "the log tells", || {
            Ok(node.process().log()?.contains("mail was not sent by 127.0.0.1 port 2525: Connection refused"))
        })?;
        node.wait_active(INSTANCE, FAST)
    })
}

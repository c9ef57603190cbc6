//! HTTP requests, one after the other, and the moments at which their outcome changed.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use anyhow::Result;

use super::{Change, now};

/// Asks forever, reporting the first outcome and then every change.
pub fn watch(
    address: IpAddr,
    period: Duration,
    timeout: Duration,
    mut report: impl FnMut(&Change) -> Result<()>,
) -> Result<()> {
    let mut last = None;
    loop {
        let asked = now();
        let answer = answer(address, timeout);
        let known = now();
        if last.as_ref() != Some(&answer) {
            report(&Change { asked, known, answer: answer.clone() })?;
            last = Some(answer);
        }
        let spent = Duration::from_nanos(known - asked);
        thread::sleep(period.saturating_sub(spent));
    }
}

/// One request to port 80: the text of the answer, or in a word why there was none.
pub fn answer(address: IpAddr, timeout: Duration) -> Result<String, String> {
    request(address, timeout).map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => "refused".to_owned(),
        // Unreachable: nobody answered the kernel's question for the hardware address either.
        ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::HostUnreachable => "timeout".to_owned(),
        ErrorKind::ConnectionReset => "reset".to_owned(),
        _ => error.to_string(),
    })
}

fn request(address: IpAddr, timeout: Duration) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::new(address, 80), timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    match text.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.trim().to_owned()),
        _ => Err(io::Error::other(format!("no HTTP answer: {text:?}"))),
    }
}

//! The few words of SMTP (RFC 5321) that a letter needs. Every wait has a limit.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::Letter;
use crate::config::model::Mail;

/// The longest answer that is read: many lines of 512 bytes.
const LONGEST_ANSWER: u64 = 16 * 1024;

/// Sends a letter to all receivers that the server takes; one is enough.
///
/// # Errors
/// What the server did not take, in its own words, or that it is not there.
pub(super) fn send(letter: &Letter) -> io::Result<()> {
    let mail = &letter.mail;
    let mut server = Server(BufReader::new(connect(mail)?));
    server.answer("its greeting", '2')?;
    server.ask(&format!("HELO {}", mail.helo), '2')?;
    server.ask(&format!("MAIL FROM:<{}>", mail.from), '2')?;
    let taken = mail.to.iter().map(|receiver| server.ask(&format!("RCPT TO:<{receiver}>"), '2'));
    let (taken, refused): (Vec<_>, Vec<_>) = taken.partition(Result::is_ok);
    match refused.into_iter().find_map(Result::err) {
        Some(error) if taken.is_empty() => return Err(error),
        Some(error) => tracing::warn!("mail does not reach everybody: {error}"),
        None => {}
    }
    server.ask("DATA", '3')?;
    server.ask(&message(letter, OffsetDateTime::now_utc())?, '2')?;
    // The letter is the server's now, whatever it says to this.
    let _ = server.ask("QUIT", '2');
    Ok(())
}

fn connect(mail: &Mail) -> io::Result<TcpStream> {
    let limit = Duration::from_nanos(mail.timeout.as_nanos());
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (mail.server.as_str(), mail.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => {
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The text of a letter up to the dot that ends it. Its lines are ours: none begins with a dot.
fn message(letter: &Letter, now: OffsetDateTime) -> io::Result<String> {
    let Letter { mail, subject, text } = letter;
    let date = now.format(&Rfc2822).map_err(io::Error::other)?;
    let (from, to) = (&mail.from, mail.to.join(", "));
    Ok(format!(
        "Date: {date}\r\nFrom: {from}\r\nSubject: {subject}\r\nX-Mailer: xvrrp\r\nTo: {to}\r\n\r\n{text}\r\n\r\n."
    ))
}

struct Server(BufReader<TcpStream>);

impl Server {
    /// Says a line and reads the answer, whose code must begin with `wanted`.
    fn ask(&mut self, line: &str, wanted: char) -> io::Result<()> {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        let what = if line.contains('\n') { "the letter" } else { line };
        self.answer(what, wanted)
    }

    fn answer(&mut self, to: &str, wanted: char) -> io::Result<()> {
        let mut limited = self.0.by_ref().take(LONGEST_ANSWER);
        loop {
            let mut line = Vec::new();
            limited.read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("no answer to {to}")));
            }
            // "250-" goes on.
            if line.get(3) == Some(&b'-') {
                continue;
            }
            if line.first().copied().map(char::from) == Some(wanted) {
                return Ok(());
            }
            let answer = String::from_utf8_lossy(&line).trim_end().escape_debug().to_string();
            return Err(io::Error::other(format!("it answers \"{answer}\" to {to}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use vrrp_common::time::Interval;

    use super::*;

    /// A server that answers each line with the next of these.
    fn server(answers: &'static [&'static str]) -> (u16, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let mut heard = String::new();
            for answer in answers {
                stream.write_all(answer.as_bytes()).unwrap();
                let letter = answer.starts_with("354");
                loop {
                    let mut line = String::new();
                    lines.read_line(&mut line).unwrap();
                    heard += &line;
                    if !letter || line == ".\r\n" || line.is_empty() {
                        break;
                    }
                }
            }
            heard
        });
        (port, served)
    }

    fn letter(port: u16) -> Letter {
        let mail = Mail {
            server: "127.0.0.1".into(),
            port,
            helo: "castor".into(),
            timeout: Interval::from_millis(300),
            from: "root@castor".into(),
            to: vec!["a@example.com".into(), "b@example.com".into()],
            faults: true,
        };
        Letter {
            mail,
            subject: "[site1] VRRP Instance A - Entering MASTER state".into(),
            text: "=> x <=".into(),
        }
    }

    #[test]
    fn a_letter_is_said_word_by_word() {
        let (port, served) = server(&[
            "220-one\r\n220 two\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
            "550 no\r\n",
            "354 go\r\n",
            "250 ok\r\n",
        ]);
        send(&letter(port)).unwrap();
        let heard = served.join().unwrap();
        let (before, after) = heard.split_once("Date: ").unwrap();
        assert_eq!(
            before,
            "HELO castor\r\nMAIL FROM:<root@castor>\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
        );
        let (_, after) = after.split_once("\r\n").unwrap();
        assert_eq!(
            after,
            "From: root@castor\r\nSubject: [site1] VRRP Instance A - Entering MASTER state\r\nX-Mailer: xvrrp\r\n\
             To: a@example.com, b@example.com\r\n\r\n=> x <=\r\n\r\n.\r\nQUIT\r\n"
        );
    }

    #[test]
    fn the_server_s_own_words_are_the_error() {
        let (port, _served) = server(&["220 ok\r\n", "554 go\x1b away\r\n"]);
        let error = send(&letter(port)).unwrap_err().to_string();
        assert_eq!(error, "it answers \"554 go\\u{1b} away\" to HELO castor");
    }

    #[test]
    fn a_server_that_says_nothing_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = send(&letter(listener.local_addr().unwrap().port())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
    }
}

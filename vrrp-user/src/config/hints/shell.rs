//! What the commands of a line of shell do, as far as hints need it: who ends keepalived, who only looks whether a
//! process runs. Nothing is run or replaced here, and what cannot be told does nothing.

/// Words of one command, without assignments, redirections and what only decides whether it is run.
type Words = Vec<String>;

/// A shell's words that a command may stand behind.
const BEFORE: [&str; 14] = [
    "if", "then", "elif", "else", "while", "until", "do", "!", "time", "exec", "command", "sudo", "nohup",
    "{",
];

/// Programs that take a line of shell as an argument.
const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "ksh", "zsh", "su", "eval"];

const DAEMON: [&str; 2] = ["keepalived", "keepalived.service"];

/// The first command of a text that ends the daemon.
pub(super) fn stop(text: &str) -> Option<String> {
    text.replace("\\\n", " ").lines().find_map(|line| stop_in_line(line, 2))
}

fn stop_in_line(line: &str, depth: usize) -> Option<String> {
    let commands = commands(line);
    commands.iter().enumerate().find_map(|(at, words)| {
        let (first, arguments) = words.split_first()?;
        let inner = |word: &String| {
            let is_line = depth > 0 && word.contains(char::is_whitespace);
            is_line.then(|| stop_in_line(word, depth - 1)).flatten()
        };
        // A line of another language, such as os.system("...").
        let of_text = inner(first);
        let of_shell = || SHELLS.contains(&name(first)).then(|| arguments.iter().find_map(inner)).flatten();
        of_text
            .or_else(of_shell)
            .or_else(|| stops(name(first), arguments, &commands[..at]).then(|| words.join(" ")))
    })
}

/// Whether a command ends the daemon; those `before` it on the line may have named it for `xargs`.
fn stops(program: &str, arguments: &[String], before: &[Words]) -> bool {
    let plain: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let is_daemon = |word: &&str| DAEMON.contains(word) || name(word) == "keepalived";
    match (program, plain.as_slice()) {
        ("systemctl", ["stop" | "kill", units @ ..]) => units.iter().any(is_daemon),
        ("systemctl", ["disable" | "mask", units @ ..]) => {
            arguments.iter().any(|word| word == "--now") && units.iter().any(is_daemon)
        }
        ("service" | "rc-service" | "invoke-rc.d", [unit, "stop"]) => is_daemon(unit),
        ("keepalived", ["stop"]) => true,
        ("killall" | "pkill", _) => ends(arguments) && plain.iter().any(is_daemon),
        ("kill", _) => ends(arguments) && arguments.iter().any(|word| word.contains("keepalived")),
        ("xargs", [.., "kill"] | ["kill", ..]) => {
            ends(arguments) && before.iter().flatten().any(|word| word.contains("keepalived"))
        }
        _ => false,
    }
}

/// Signals that keepalived goes on after: none at all, and those that it answers.
const HARMLESS: [&str; 7] = ["0", "1", "HUP", "10", "USR1", "12", "USR2"];

/// Whether the signal among the arguments of a kind of `kill` ends the daemon; without one it does.
fn ends(arguments: &[String]) -> bool {
    signal(arguments).is_none_or(|signal| !HARMLESS.contains(&signal.trim_start_matches("SIG")))
}

/// The signal that a kind of `kill` is to send: `-9`, `-HUP`, `-s HUP`, `--signal HUP`, `--signal=HUP`.
fn signal(arguments: &[String]) -> Option<&str> {
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if matches!(word, "-s" | "--signal") {
            return words.next();
        }
        if let Some(signal) = word.strip_prefix("--signal=") {
            return Some(signal);
        }
        let named = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if let Some(signal) = word.strip_prefix('-').filter(|name| !name.is_empty() && named(name)) {
            return Some(signal);
        }
    }
    None
}

/// The process that a command looks for, if that is all that it does.
pub(super) fn watched(line: &str) -> Option<String> {
    let commands = commands(line);
    let (words, rest) = commands.split_first()?;
    let only_says_so = rest.iter().all(|words| matches!(words[0].as_str(), "exit" | "return" | "false"));
    let (program, arguments) = words.split_first().filter(|_| only_says_so)?;
    let looks = signal(arguments) == Some("0");
    // What follows `-s` is a signal.
    let plain = |word: &&String| !word.starts_with('-') && *word != "0";
    let mut names = arguments.iter().filter(plain);
    let (target, None) = (names.next()?, names.next()) else { return None };
    let process = match name(program) {
        "killall" | "pkill" if looks => target,
        "pidof" | "pgrep" => target,
        "kill" if looks => pid_file(target)?,
        _ => return None,
    };
    let simple = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    process.chars().all(simple).then(|| process.to_owned())
}

/// What wrote the file that `$(cat FILE)` reads, by the file's name.
fn pid_file(word: &str) -> Option<&str> {
    let inside = word.strip_prefix("$(").and_then(|word| word.strip_suffix(')'));
    let inside = inside.or_else(|| word.strip_prefix('`').and_then(|word| word.strip_suffix('`')))?;
    let file = inside.trim().strip_prefix("cat").or_else(|| inside.trim().strip_prefix('<'))?;
    name(file.trim()).strip_suffix(".pid")
}

/// A program without its directory.
fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The commands of a line; what only decides whether they are run is left out.
fn commands(line: &str) -> Vec<Words> {
    let mut commands = vec![Words::new()];
    let mut rest = line.trim_start();
    while let Some(sign) = rest.chars().next() {
        match sign {
            '#' => break,
            ';' | '&' | '|' | '(' | ')' => {
                commands.push(Words::new());
                rest = &rest[1..];
            }
            _ => {
                let (word, length) = word(rest);
                rest = &rest[length..];
                if let Some(words) = commands.last_mut() {
                    words.push(word);
                }
            }
        }
        rest = rest.trim_start();
    }
    commands.into_iter().map(bare).filter(|words| !words.is_empty()).collect()
}

/// A command without assignments, redirections and the words of a shell before it.
fn bare(words: Words) -> Words {
    let assigns = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains(['-', ' ']))
    };
    let begins = |word: &String| BEFORE.contains(&word.as_str()) || assigns(word);
    let mut words = words.into_iter().skip_while(begins).peekable();
    let mut bare = Words::new();
    while let Some(word) = words.next() {
        match word.rfind(['<', '>']) {
            Some(at) if !word.contains([' ', '(']) => {
                // `> FILE` in two words.
                if at + 1 == word.len() {
                    words.next();
                }
            }
            _ => bare.push(word),
        }
    }
    bare
}

/// The word at the start of a text, without its quotes, and how long it is with them. `$(...)` stays together.
fn word(text: &str) -> (String, usize) {
    let mut word = String::new();
    let (mut quote, mut depth, mut last) = (None, 0_usize, ' ');
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        let redirects = last == '>' || (sign == '&' && signs.peek().is_some_and(|(_, next)| *next == '>'));
        match (quote, sign) {
            (Some(open), sign) if sign == open => quote = None,
            (None, '"' | '\'') => quote = Some(sign),
            (None, '`') => {
                depth = usize::from(depth == 0);
                word.push(sign);
            }
            (None, '(') if last == '$' || depth > 0 => {
                depth += 1;
                word.push(sign);
            }
            (None, ')') if depth > 0 => {
                depth -= 1;
                word.push(sign);
            }
            (None, '&') if depth == 0 && redirects => word.push(sign),
            (None, ';' | '&' | '|' | '(' | ')') if depth == 0 => return (word, at),
            (None, sign) if depth == 0 && sign.is_whitespace() => return (word, at),
            (_, '\\') => word.extend(signs.next().map(|(_, sign)| sign)),
            _ => word.push(sign),
        }
        last = sign;
    }
    (word, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_stop_keepalived_are_told_from_those_that_name_it() {
        for (text, expected) in [
            ("killall -0 haproxy || systemctl stop keepalived", Some("systemctl stop keepalived")),
            (
                "if ! pidof nginx >/dev/null; then\n  /etc/init.d/keepalived stop; fi",
                Some("/etc/init.d/keepalived stop"),
            ),
            ("[ $n -eq 0 ] && service keepalived stop # gone", Some("service keepalived stop")),
            ("pkill keepalived", Some("pkill keepalived")),
            ("A=1 sudo killall -9 -q keepalived 2>&1", Some("killall -9 -q keepalived")),
            ("kill `cat /run/keepalived.pid`", Some("kill `cat /run/keepalived.pid`")),
            ("kill -9 $(pidof keepalived)", Some("kill -9 $(pidof keepalived)")),
            ("ps ax | grep keepalived | awk '{print $1}' | xargs kill -9", Some("xargs kill -9")),
            ("bash -c 'pidof x || systemctl stop keepalived'", Some("systemctl stop keepalived")),
            ("os.system(\"systemctl stop keepalived\")", Some("systemctl stop keepalived")),
            ("systemctl \\\n stop keepalived.service", Some("systemctl stop keepalived.service")),
            ("systemctl disable --now keepalived", Some("systemctl disable --now keepalived")),
            ("systemctl status keepalived # never stop", None),
            ("# systemctl stop keepalived", None),
            ("pgrep -f keepalived-notify-stop.sh", None),
            ("killall -0 keepalived && systemctl stop nginx", None),
            ("pkill -HUP keepalived; kill -s USR1 $(cat /run/keepalived.pid)", None),
            ("logger 'systemctl stop keepalived is not what we do'", None),
            ("echo systemctl stop keepalived", None),
            ("/etc/keepalived/stop.sh", None),
            ("systemctl disable keepalived", None),
            ("pidof keepalived > /tmp/kill", None),
        ] {
            assert_eq!(stop(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn commands_that_only_look_for_a_process_are_told() {
        for (text, expected) in [
            ("killall -0 nginx", Some("nginx")),
            ("/usr/bin/killall -q -0 haproxy 2>/dev/null", Some("haproxy")),
            ("killall -s 0 haproxy || exit 1", Some("haproxy")),
            ("pkill -0 -x named", Some("named")),
            ("pidof -s mysqld &>/dev/null", Some("mysqld")),
            ("kill -0 $(cat /run/haproxy.pid)", Some("haproxy")),
            ("kill -0 `cat /var/run/nginx.pid`", Some("nginx")),
            ("kill -0 $(cat /run/haproxy.pid) && curl -sf localhost", None),
            ("kill $(cat /run/haproxy.pid)", None),
            ("kill -0 $PID", None),
            ("killall nginx", None),
            ("killall -0 a b", None),
            ("pgrep -f 'java -jar x'", None),
            ("/etc/keepalived/check.sh nginx", None),
        ] {
            assert_eq!(watched(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn no_line_is_too_strange() {
        for text in
            ["", "(", "`", "$(", "\\", "a > ", ">", "\"", "a=", "&&||;;", "\u{e4} '\u{e4}", "kill", "xargs"]
        {
            assert_eq!((stop(text), watched(text)), (None, None), "{text}");
        }
    }
}

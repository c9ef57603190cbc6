//! The real nginx as the service: it answers with the name of its host.

use anyhow::Result;

use crate::{Host, Process, story::SOON};

/// A running nginx on port 80 of a host.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
}

impl Nginx {
    /// Starts it as root with workers of another user, as distributions do.
    pub fn start(host: &Host) -> Result<Self> {
        Self::start_with(host, "user www-data;", &["nginx"])
    }

    /// Starts it with no process of root's: the master belongs to `user` too.
    pub fn start_as(host: &Host, user: &str) -> Result<Self> {
        host.sysctl("net.ipv4.ip_unprivileged_port_start", "80")?;
        let ids = [&format!("--reuid={user}"), &format!("--regid={user}")];
        Self::start_with(host, "", &["setpriv", ids[0], ids[1], "--clear-groups", "nginx"])
    }

    fn start_with(host: &Host, user: &str, program: &[&str]) -> Result<Self> {
        let config = host.write_file("nginx.conf", &config(host.name(), user))?;
        let argv = [program, &["-e", "stderr", "-c", &config]].concat();
        let process = host.spawn("nginx", &argv)?;
        let nginx = Self { process };
        nginx.process.wait_ready(&format!("{}: nginx answers", host.name()), || {
            Ok(host.run(&["sh", "-c", "ss -Hltn 'sport = 80' | grep -q ."])?.exit
                == crate::init::Exit::Code(0))
        })?;
        Ok(nginx)
    }

    /// Stops it as its unit would, and waits until it is gone.
    pub fn stop(self) -> Result<()> {
        self.process.terminate(SOON).map(drop)
    }
}

/// All that nginx writes is under the private /tmp, where any user may.
fn config(name: &str, user: &str) -> String {
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("  {kind}_temp_path /tmp/nginx-{kind};\n"))
        .collect();
    format!(
        "{user}
daemon off;
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
{paths}  server {{
    listen 80;
    location / {{ return 200 \"{name}\\n\"; }}
  }}
}}
"
    )
}

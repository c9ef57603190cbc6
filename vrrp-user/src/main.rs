//! The `xvrrp` binary: everything else is library code that tests can link.

use std::process::ExitCode;

fn main() -> ExitCode {
    vrrp_user::cli::main()
}

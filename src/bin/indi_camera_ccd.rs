//! The driver as indiserver starts it: the name that it is started by says which cameras it serves.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_else(|| "indi_camera_ccd".into());
    match indi_camera::driver::run(&name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}: {error}", name.display());
            ExitCode::from(2)
        }
    }
}

//! A recording of the flight recorder that has been on a bad disk.

use std::fs::File;
use std::io::Write;

use indi_camera::flight::rerun::rerun;
use rustix::fs::{MemfdFlags, memfd_create};

/// A file.
pub fn check(bytes: &[u8]) {
    let Ok(descriptor) = memfd_create("recording", MemfdFlags::CLOEXEC) else { return };
    let mut file = File::from(descriptor);
    if file.write_all(bytes).is_err() {
        return;
    }
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let mut report = Vec::new();
    match rerun(path.as_ref(), &mut report) {
        Ok(summary) => {
            let shown = report.windows(4).filter(|window| window == b"  <-").count();
            assert!(shown >= summary.steps, "{} steps and {shown} of them shown", summary.steps);
        }
        Err(why) => assert!(!why.is_empty()),
    }
}

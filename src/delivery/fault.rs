//! What went wrong with a file, in the words of the device.

use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::io::Errno;

use crate::device::job::DeliveryError;

/// One sentence for every way in which a disk lets a frame down.
#[must_use]
pub fn explain(path: &Path, error: &io::Error) -> DeliveryError {
    let path = path.to_owned();
    let because = |why: &str| DeliveryError::File { path: path.clone(), why: format!("{why} ({error})") };
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return DeliveryError::DiskFull { path },
        // With words of ours it is more than a refusal of the system.
        ErrorKind::PermissionDenied if error.raw_os_error().is_some() => {
            return DeliveryError::Permission { path };
        }
        ErrorKind::ReadOnlyFilesystem => return DeliveryError::ReadOnly { path },
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            return because("a file is where a directory should be");
        }
        ErrorKind::FileTooLarge => return because("files may not be that large"),
        _ => {}
    }
    match Errno::from_io_error(error) {
        Some(Errno::IO) => because("the disk fails"),
        Some(
            Errno::NODEV
            | Errno::NXIO
            | Errno::NOTCONN
            | Errno::STALE
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::TIMEDOUT
            | Errno::SHUTDOWN,
        ) => because("the disk is gone"),
        _ => DeliveryError::File { path, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;

    #[test]
    fn refusals_of_the_system_are_told_apart() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap().write_all(b"x").unwrap_err();
        let at = |error: &io::Error| explain(Path::new("p"), error).to_string();
        assert_eq!(at(&full), "no space left for p");
        for (errno, sentence) in [
            (Errno::DQUOT, "no space left for p"),
            (Errno::ACCESS, "no permission to write p"),
            (Errno::PERM, "no permission to write p"),
            (Errno::ROFS, "the disk of p can only be read"),
            (Errno::NOTDIR, "p: a file is where a directory should be (Not a directory (os error 20))"),
            (Errno::IO, "p: the disk fails (Input/output error (os error 5))"),
            (Errno::STALE, "p: the disk is gone (Stale file handle (os error 116))"),
            (Errno::FBIG, "p: files may not be that large (File too large (os error 27))"),
            (Errno::NAMETOOLONG, "p: File name too long (os error 36)"),
        ] {
            assert_eq!(at(&errno.into()), sentence);
        }
    }
}

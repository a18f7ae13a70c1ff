//! The time zone of this machine.

use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;

/// What local time is, by `TZ` or else by `/etc/localtime`; UTC if neither says it.
#[must_use]
pub fn local() -> TimeZone {
    // `TimeZone::system` reads the names of all zones first, a millisecond that whoever starts the driver waits for.
    let file = std::env::var_os("TZ").is_none().then(|| in_file(Path::new("/etc/localtime"))).flatten();
    file.unwrap_or_else(TimeZone::system)
}

fn in_file(path: &Path) -> Option<TimeZone> {
    TimeZone::tzif(&path.to_string_lossy(), &fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_file_of_a_time_zone_says_when_there_is_summer_time() {
        let berlin = in_file(Path::new("/usr/share/zoneinfo/Europe/Berlin")).unwrap();
        for (month, hours) in [(1, 1), (7, 2)] {
            let noon = TimeZone::UTC.to_timestamp(date(2026, month, 22).at(12, 0, 0, 0)).unwrap();
            assert_eq!(berlin.to_datetime(noon).hour(), 12 + hours);
        }
        assert!(in_file(Path::new("/etc/hostname")).is_none());
        assert!(in_file(Path::new("/no/such/file")).is_none());
    }
}

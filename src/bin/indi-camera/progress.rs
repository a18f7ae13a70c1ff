//! The bar that shows how an exposure goes. Where stderr is no terminal there is none.

use indi_camera::camera::answer::Phase;
use indi_camera::client::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// Steps of the bar.
const WHOLE: u64 = 1000;

/// The bar.
pub(super) struct Bar {
    bar: ProgressBar,
    /// Before everything else: `2/10 `.
    place: String,
}

impl Bar {
    pub(super) fn new() -> Bar {
        // Draws on stderr, and nothing unless that is a terminal.
        let bar = ProgressBar::new(WHOLE);
        if let Ok(style) = ProgressStyle::with_template("{bar:32.cyan/blue} {msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Bar { bar, place: String::new() }
    }

    /// Which picture of how many comes next.
    pub(super) fn next(&mut self, number: u32, count: u32) {
        self.place = if count > 1 { format!("{number}/{count} ") } else { String::new() };
    }

    /// On the way to a temperature.
    pub(super) fn cooling(&self, from: f64, now: f64, target: f64) {
        let way = (from - target).abs();
        let done = if way > 0.0 { 1.0 - (now - target).abs() / way } else { 1.0 };
        self.show(done, &format!("cooling: {now:.1} °C, target {target:.1} °C"));
    }

    /// During an exposure.
    pub(super) fn exposing(&self, progress: &Progress) {
        let temperature = progress.temperature.map_or(String::new(), |celsius| format!("  {celsius:.1} °C"));
        let left = progress.remaining.as_secs_f64();
        let (done, words) = match progress.phase {
            Phase::Exposing => (progress.percent() / 100.0, format!("exposing, {left:.1} s left")),
            Phase::Reading => (1.0, "reading out".to_owned()),
            Phase::Delivering => match progress.downloaded() {
                Some(percent) => (percent / 100.0, format!("downloading, {percent:.0} %")),
                None => (1.0, "downloading".to_owned()),
            },
            Phase::Encoding => (1.0, "being made a file of".to_owned()),
            Phase::Idle | Phase::Waiting | Phase::Error => (0.0, "waiting for the camera".to_owned()),
        };
        self.show(done, &format!("{}{words}{temperature}", self.place));
    }

    /// After it.
    pub(super) fn measuring(&self) {
        self.show(1.0, &format!("{}looking at the picture", self.place));
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and WHOLE")]
    fn show(&self, done: f64, words: &str) {
        self.bar.set_position((done.clamp(0.0, 1.0) * WHOLE as f64) as u64);
        self.bar.set_message(words.to_owned());
    }

    /// Prints below nothing and above the bar.
    pub(super) fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

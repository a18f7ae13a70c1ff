//! What can be said on the command line. Help, man page and completions are made from this.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use indi_camera::image::{Binning, FrameType, Roi};

/// Colours of cargo, which people know.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Take pictures with any INDI camera, from the shell
///
/// Speaks to an INDI server (--server), to a driver that it starts itself (--driver), or, when told nothing, to the
/// simulated camera of this project, so that everything can be tried without a telescope, a camera or a server.
#[derive(Debug, Parser)]
#[command(name = "indi-camera", version, styles = STYLES, after_long_help = EXIT_CODES, subcommand_required = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) reach: Reach,
    /// Print one JSON object with status, message and params instead of text; watch prints one per change
    #[arg(long, global = true, help_heading = "Output")]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What a script can rely on.
const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  the camera, the driver or the disk refused or failed
    2  wrong arguments
    3  no server or driver could be reached, or it or the camera went away
    4  there is no such camera, property or element
    5  it did not happen in time
  130  interrupted (Ctrl-C); 143 if terminated

Examples:
    indi-camera capture --exposure 2 --preview
    indi-camera --server observatory:7624 scan
    indi-camera --server observatory --camera 'CCD Simulator' capture -e 60 -n 10 --gain 120 --out 'M31_XXX.fits'
    indi-camera get 'CCD Simulator.CCD_TEMPERATURE.*'";

/// Where the camera is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where the camera is")]
pub(super) struct Reach {
    /// INDI server to speak to, port 7624 unless given, or @ or @/path for the local socket of one on this
    /// machine; scan takes several
    #[arg(long, short = 's', global = true, value_name = "HOST[:PORT]|@[PATH]", conflicts_with = "driver", value_hint = ValueHint::Hostname)]
    pub(super) server: Vec<String>,
    /// INDI driver to start and speak to, without any server
    #[arg(long, global = true, value_name = "PROGRAM", value_hint = ValueHint::CommandName)]
    pub(super) driver: Option<PathBuf>,
    /// Name of the camera; may be left out where there is only one
    #[arg(long, short = 'c', global = true, value_name = "NAME")]
    pub(super) camera: Option<String>,
    /// Longest time to wait for an answer that is not an exposure or a cooler
    #[arg(long, global = true, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub(super) timeout: Duration,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the cameras that can be reached
    #[command(after_help = SCAN_EXAMPLES)]
    Scan,
    /// Take one or more pictures and say what is on them
    #[command(after_help = CAPTURE_EXAMPLES)]
    Capture(Box<Capture>),
    /// Make one call of the Camera API and print its answer
    #[command(after_help = CALL_EXAMPLES)]
    Call(Call),
    /// Show the properties of a device as they change, until Ctrl-C
    #[command(after_help = WATCH_EXAMPLES)]
    Watch(Watch),
    /// Print values of properties
    #[command(after_help = GET_EXAMPLES)]
    Get(Get),
    /// Set values of properties and wait until they are reached
    #[command(after_help = SET_EXAMPLES)]
    Set(Set),
    /// Look after the frames that a driver of this project keeps safe on the disk
    #[command(subcommand, after_help = SPOOL_EXAMPLES)]
    Spool(Spool),
    /// Run a recording of the flight recorder again and say where it differs and what it waits for
    #[command(after_help = RERUN_EXAMPLES)]
    Rerun {
        /// The newest part of a recording: DEVICE.flight; earlier parts are looked for beside it
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Say how it ends and nothing of the steps
        #[arg(long, short)]
        quiet: bool,
    },
    /// Print the completions of a shell
    #[command(after_help = COMPLETION_EXAMPLES)]
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page, or write it and those of the commands into a directory
    Man {
        /// Directory for indi-camera.1, indi-camera-capture.1 and so on
        #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
}

const SCAN_EXAMPLES: &str = "\
Examples:
    indi-camera scan
    indi-camera --server localhost --server observatory:7625 scan --json";

const CAPTURE_EXAMPLES: &str = "\
Examples:
    indi-camera capture -e 2 --preview --show
    indi-camera capture -e 0.5 --type flat -n 20 --out 'flats/flat_XXX.fits'
    indi-camera -s observatory capture -e 300 --cool-to -10 --gain 120 --bin 2 --roi 0,0,1000,800";

const CALL_EXAMPLES: &str = "\
Examples:
    indi-camera call polling
    indi-camera call set_binning '{\"binning\": [2, 2]}'
    indi-camera call call '{\"name\": \"list_parameters\"}'

The answer is always the JSON object that the Camera API documents: status 0 (done), 1 (error) or 2 (warning),
message, params; after an error params.error has code and detail.";

const WATCH_EXAMPLES: &str = "\
Examples:
    indi-camera watch
    indi-camera -s localhost watch 'CCD Simulator.CCD_*'
    indi-camera -s localhost watch --json | jq .params

What is not there yet is waited for. Ends with 4 if --seconds have passed and nothing of it was there.";

const GET_EXAMPLES: &str = "\
Examples:
    indi-camera get 'Camera Simulator.CCD_INFO.*'
    indi-camera -s localhost get --values 'CCD Simulator.CCD_TEMPERATURE.CCD_TEMPERATURE_VALUE'
    indi-camera -s localhost get '*.CONNECTION._STATE'

A name is Device.PROPERTY.ELEMENT; * stands for anything, and what is left out at the end means all.
The element _STATE is the state of the property: Idle, Ok, Busy or Alert.";

const SET_EXAMPLES: &str = "\
Examples:
    indi-camera -s localhost set 'CCD Simulator.CONNECTION.CONNECT=On'
    indi-camera -s localhost set 'CCD Simulator.CCD_FRAME.X=0;Y=0;WIDTH=640;HEIGHT=480'

Several elements of one property go into one argument, separated by semicolons, and are sent together. Ends with 0
once the property has left Busy well, with 1 if it ends in Alert, and says what the driver said. An exposure has its
own time and a minute more; a temperature and the cooler are done as soon as the camera is on its way.";

const SPOOL_EXAMPLES: &str = "\
Examples:
    indi-camera -s observatory spool list
    indi-camera -s observatory spool resend 20261122T213005123-1a2b-0-17
    indi-camera spool verify";

const RERUN_EXAMPLES: &str = "\
Examples:
    indi-camera rerun '/var/tmp/flight/Camera Simulator.flight'
    indi-camera rerun --quiet night.flight

The driver records where INDI_CAMERA_RECORD names a directory. Every input is given to a new device at its recorded
time; -> is what the device put out then, !! where it does something else now. Ends with 1 if anything differs.";

const COMPLETION_EXAMPLES: &str = "\
Examples:
    indi-camera completions bash > ~/.local/share/bash-completion/completions/indi-camera
    indi-camera completions zsh > \"${fpath[1]}/_indi-camera\"
    indi-camera completions fish > ~/.config/fish/completions/indi-camera.fish";

/// Kinds of picture that need a time, as clap wants to hear it.
const WITH_TIME: [(&str, &str); 3] = [("type", "light"), ("type", "dark"), ("type", "flat")];

/// A series of exposures.
#[derive(Clone, Debug, Args)]
pub(super) struct Capture {
    /// How long to expose, in seconds; only a bias frame needs none
    #[arg(long, short, value_name = "SECONDS", value_parser = seconds, allow_hyphen_values = true)]
    #[arg(required_unless_present = "type", required_if_eq_any(WITH_TIME))]
    pub(super) exposure: Option<Duration>,
    /// Number of pictures
    #[arg(long, short = 'n', default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) count: u32,
    /// What the picture is for
    #[arg(long, short, value_enum, default_value_t = Kind::Light)]
    pub(super) r#type: Kind,
    /// Gain, in the camera's own units; this and what follows stays set
    #[arg(long, allow_hyphen_values = true)]
    pub(super) gain: Option<i32>,
    /// Offset, in the camera's own units
    #[arg(long, allow_hyphen_values = true)]
    pub(super) offset: Option<i32>,
    /// Sensor pixels that make one pixel of the picture: 2, or 2x1 for columns and rows
    #[arg(long, value_name = "N|XxY", value_parser = binning)]
    pub(super) bin: Option<Binning>,
    /// Part of the sensor to read, in unbinned pixels; without it the camera's own setting stays
    #[arg(long, value_name = "X,Y,WIDTH,HEIGHT", value_parser = roi)]
    pub(super) roi: Option<Roi>,
    /// Cool the sensor to that many °C first, and wait until it is there
    #[arg(long, value_name = "CELSIUS", value_parser = finite, allow_hyphen_values = true)]
    pub(super) cool_to: Option<f64>,
    /// Longest time to wait for the cooler
    #[arg(long, value_name = "SECONDS", default_value = "900", value_parser = seconds, requires = "cool_to")]
    pub(super) cool_timeout: Duration,
    /// File to write; XXX is the next free number, ISO8601 the local time. Its ending is that of the format that the
    /// camera is set to
    #[arg(long, short, value_name = "FILE", default_value = "capture_XXX.fits", value_hint = ValueHint::FilePath)]
    pub(super) out: PathBuf,
    /// Replace the file if there is one; without this nothing is ever overwritten
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Write a stretched picture in PNG beside each FITS file
    #[arg(long)]
    pub(super) preview: bool,
    /// Draw the picture in the terminal, if it has 24-bit colours
    #[arg(long)]
    pub(super) show: bool,
}

/// One call of the API.
#[derive(Clone, Debug, Args)]
pub(super) struct Call {
    /// Name of the call, as start_exposure
    pub(super) name: String,
    /// Its parameters, as a JSON object
    #[arg(value_name = "JSON", default_value = "{}")]
    pub(super) params: String,
}

/// What to look at.
#[derive(Clone, Debug, Args)]
pub(super) struct Watch {
    /// Names to show, with * for anything; all of the camera unless given
    #[arg(value_name = "PATTERN")]
    pub(super) patterns: Vec<String>,
    /// End after that many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) seconds: Option<Duration>,
}

/// What to read.
#[derive(Clone, Debug, Args)]
pub(super) struct Get {
    /// Names to print, with * for anything
    #[arg(value_name = "PATTERN", required = true)]
    pub(super) patterns: Vec<String>,
    /// Print the values alone, without their names
    #[arg(long, short = '1')]
    pub(super) values: bool,
}

/// What to write.
#[derive(Clone, Debug, Args)]
pub(super) struct Set {
    /// What to set
    #[arg(value_name = "DEVICE.PROPERTY.ELEMENT=VALUE", required = true)]
    pub(super) assignments: Vec<String>,
    /// Send it and do not wait for the end
    #[arg(long)]
    pub(super) no_wait: bool,
}

/// What to do with frames in the spool.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Spool {
    /// List them, oldest first
    List,
    /// Send frames again, to all clients of the server that want frames of this camera
    Resend {
        /// FRAMEID of each
        #[arg(value_name = "FRAME", required = true)]
        frames: Vec<String>,
    },
    /// Forget frames; those that were not saved elsewhere are removed
    Drop {
        /// FRAMEID of each
        #[arg(value_name = "FRAME", required = true)]
        frames: Vec<String>,
    },
    /// Read all frames again and compare them with the journal; ends with 1 if one is damaged or missing
    ///
    /// Needs no driver and no server, and changes nothing.
    Verify {
        /// A spool, or the directory of several; unless given, where drivers that this user starts have theirs
        #[arg(value_hint = ValueHint::DirPath)]
        directory: Option<PathBuf>,
    },
}

/// What a picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// The sky
    Light,
    /// Shortest exposure in the dark
    Bias,
    /// In the dark
    Dark,
    /// Even light
    Flat,
}

impl From<Kind> for FrameType {
    fn from(kind: Kind) -> FrameType {
        match kind {
            Kind::Light => FrameType::Light,
            Kind::Bias => FrameType::Bias,
            Kind::Dark => FrameType::Dark,
            Kind::Flat => FrameType::Flat,
        }
    }
}

/// A time that is not negative.
fn seconds(text: &str) -> Result<Duration, String> {
    let number = finite(text)?;
    // Negative, or longer than the universe.
    Duration::try_from_secs_f64(number)
        .map_err(|_for_programmers| format!("seconds are counted from 0 on, not {number}"))
}

fn finite(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("{text:?} is not a number"))
}

/// `2` or `2x1`.
fn binning(text: &str) -> Result<Binning, String> {
    let (x, y) = text.split_once(['x', 'X', ',']).unwrap_or((text, text));
    let factor = |text: &str| text.trim().parse().ok().filter(|&factor: &u32| factor > 0);
    match (factor(x), factor(y)) {
        (Some(x), Some(y)) => Ok(Binning { x, y }),
        _ => Err(format!("{text:?} is neither one number from 1 on, as 2, nor two of them, as 2x1")),
    }
}

/// `x,y,width,height`.
fn roi(text: &str) -> Result<Roi, String> {
    let numbers: Result<Vec<u32>, _> = text.split(',').map(|part| u32::from_str(part.trim())).collect();
    match numbers.as_deref() {
        Ok(&[x, y, width, height]) if width > 0 && height > 0 => Ok(Roi { x, y, width, height }),
        _ => Err(format!("{text:?} is not x,y,width,height in whole pixels, as 0,0,640,480")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_has_no_contradictions() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_and_nonsense_is_refused() {
        assert_eq!(binning("2"), Ok(Binning { x: 2, y: 2 }));
        assert_eq!(binning("3x1"), Ok(Binning { x: 3, y: 1 }));
        assert_eq!(roi("1, 2,30,40"), Ok(Roi { x: 1, y: 2, width: 30, height: 40 }));
        for nonsense in ["0", "2x", "2x0", "-1", "two", ""] {
            assert!(binning(nonsense).is_err(), "{nonsense}");
        }
        for nonsense in ["1,2,3", "1,2,3,0", "1,2,3,4,5", "a,b,c,d", "-1,0,5,5", ""] {
            assert!(roi(nonsense).is_err(), "{nonsense}");
        }
        for nonsense in ["-1", "nan", "inf", "1e30", "soon"] {
            assert!(seconds(nonsense).is_err(), "{nonsense}");
        }
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
    }
}

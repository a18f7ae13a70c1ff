//! What can happen, by number.

use indi_camera::wire::State;

/// What happens and how, as two numbers: what comes first here is what proptest tries when it shrinks.
#[derive(Clone, Copy)]
pub struct Step(pub u8, pub u8);

/// The same in words.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Write(usize),
    Call(usize),
    Ask(Option<&'static str>),
    /// Answer 0 is the one that was wanted.
    Answer(u8),
    AnswerOne,
    /// What, and of which exposure: 0 is the latest.
    Camera(u8, u8),
    Deliver(u8),
    Disk(bool),
    /// The delivery thread hangs in what it has in hand, until it is given up or the disk answers.
    Hang,
    Acknowledge(bool),
    Stall(bool),
    Willing(bool),
    /// Milliseconds.
    Pass(u64),
    Snooped(usize),
    Log,
    Found,
}

/// Kinds of acts; those that a scene needs most appear more than once.
pub const KINDS: u8 = 21;

impl Step {
    pub fn act(self) -> Act {
        let Step(what, how) = self;
        let at = usize::from(how);
        match what % KINDS {
            0 | 1 => Act::Write(at),
            // What every scene is about.
            2 => Act::Write([1, 4, 5, 6][at % 4]),
            3 => Act::Write([2, 9, 11, 2, 14, 0, 3, 10][at % 8]),
            4 | 5 => Act::Answer(if how < 200 { 0 } else { how % 8 }),
            6 => Act::AnswerOne,
            7 => Act::Camera(0, how / 128),
            8 => Act::Camera(2, how / 128),
            9 => Act::Camera(how % 9, (how / 9) % 3),
            10 | 11 => Act::Deliver(if how < 160 { 0 } else { how % 8 }),
            12 => Act::Acknowledge(how < 240),
            13 => Act::Pass([50, 400, 1_000, 3_000, 6_000, 11_000, 31_000, 65_000][at % 8]),
            14 => Act::Willing(how < 128),
            15 => Act::Call(at),
            16 => Act::Disk(how < 200),
            17 => Act::Stall(how >= 128),
            18 => match how % 4 {
                0 => Act::Ask(None),
                1 => Act::Ask(Some("CCD_EXPOSURE")),
                2 => Act::Log,
                _ => Act::Found,
            },
            19 => Act::Snooped(at),
            _ => Act::Hang,
        }
    }
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.act() {
            Act::Write(at) => f.write_str(WRITES[at % WRITES.len()]),
            Act::Call(at) => write!(f, "call {:?}", CALLS[at % CALLS.len()]),
            act => write!(f, "{act:?}"),
        }
    }
}

/// What clients write. Runs of fast exposure stay short, so that time can end them.
pub const WRITES: &[&str] = &[
    "Switch CONNECTION CONNECT=On",
    "Number CCD_EXPOSURE CCD_EXPOSURE_VALUE=1",
    "Switch CCD_ABORT_EXPOSURE ABORT=On",
    "Switch CONNECTION DISCONNECT=On",
    "Number CCD_EXPOSURE CCD_EXPOSURE_VALUE=0.2",
    "Number CCD_EXPOSURE CCD_EXPOSURE_VALUE=10",
    "Number CCD_EXPOSURE CCD_EXPOSURE_VALUE=100",
    "Number CCD_EXPOSURE CCD_EXPOSURE_VALUE=-1",
    "Switch CCD_EXPOSURE CCD_EXPOSURE_VALUE=On",
    "Switch CCD_FAST_TOGGLE INDI_ENABLED=On",
    "Switch CCD_FAST_TOGGLE INDI_DISABLED=On",
    "Number CCD_FAST_COUNT FRAMES=2",
    "Number CCD_FAST_COUNT FRAMES=5",
    "Number CCD_FAST_COUNT FRAMES=1.5",
    "Switch UPLOAD_MODE UPLOAD_BOTH=On",
    "Switch UPLOAD_MODE UPLOAD_LOCAL=On",
    "Switch UPLOAD_MODE UPLOAD_CLIENT=On",
    "Switch UPLOAD_MODE UPLOAD_LOCAL=Maybe",
    "Text UPLOAD_SETTINGS UPLOAD_DIR=/pictures UPLOAD_PREFIX=M31_XXX",
    "Text UPLOAD_SETTINGS UPLOAD_PREFIX=../X",
    "Number CCD_FRAME X=0 Y=0 WIDTH=1 HEIGHT=1",
    "Number CCD_FRAME WIDTH=640",
    "Number CCD_FRAME X=1279 WIDTH=5",
    "Switch CCD_FRAME_RESET RESET=On",
    "Number CCD_BINNING HOR_BIN=1 VER_BIN=1",
    "Number CCD_BINNING HOR_BIN=2 VER_BIN=2",
    "Number CCD_BINNING HOR_BIN=9 VER_BIN=1",
    "Switch CCD_FRAME_TYPE FRAME_DARK=On",
    "Switch CCD_FRAME_TYPE FRAME_BIAS=On",
    "Number CCD_GAIN GAIN=120",
    "Number CCD_GAIN GAIN=7",
    "Number CCD_OFFSET OFFSET=20",
    "Switch CCD_CAPTURE_FORMAT INDI_MONO_8=On",
    "Switch CCD_CAPTURE_FORMAT INDI_MONO_16=On",
    "Switch CCD_TRANSFER_FORMAT FORMAT_NATIVE=On",
    "Switch CCD_TRANSFER_FORMAT FORMAT_XISF=On",
    "Switch CCD_COMPRESSION INDI_ENABLED=On",
    "Number CCD_TEMPERATURE CCD_TEMPERATURE_VALUE=-10",
    "Number CCD_TEMPERATURE CCD_TEMPERATURE_VALUE=-99",
    "Number CCD_TEMP_RAMP RAMP_SLOPE=6",
    "Number CCD_TEMP_RAMP RAMP_SLOPE=0",
    "Switch CCD_COOLER COOLER_ON=On",
    "Switch CCD_COOLER COOLER_OFF=On",
    "Switch COOLER_POLICY WARM_UP=On",
    "Switch COOLER_POLICY OFF=On",
    "Switch COOLER_POLICY HOLD=On",
    "Number POLLING_PERIOD PERIOD_MS=500",
    "Number POLLING_PERIOD PERIOD_MS=600000",
    "Switch CONFIG_PROCESS CONFIG_SAVE=On",
    "Switch CONFIG_PROCESS CONFIG_LOAD=On",
    "Switch CONFIG_PROCESS CONFIG_DEFAULT=On",
    "Switch CONFIG_PROCESS CONFIG_PURGE=On",
    "Switch DEBUG ENABLE=On",
    "Switch DEBUG DISABLE=On",
    "Switch DEBUG_LEVEL DBG_DEBUG=On",
    "Switch LOG_OUTPUT FILE_DEBUG=On",
    "Text NICKNAME nickname=guide",
    "Text FITS_HEADER KEYWORD_NAME=OBJECT KEYWORD_VALUE=M42 KEYWORD_COMMENT=",
    "Text FITS_HEADER KEYWORD_NAME=naxis2 KEYWORD_VALUE=1",
    "Text ACTIVE_DEVICES ACTIVE_FILTER=Other",
    "Text ACTIVE_DEVICES ACTIVE_TELESCOPE=",
    "Switch WCS_CONTROL WCS_ENABLE=On",
    "Number CCD_ROTATION CCD_ROTATION_VALUE=30",
    "Number SCOPE_INFO FOCAL_LENGTH=500 APERTURE=100",
    "Number TELESCOPE_TIMED_GUIDE_NS TIMED_GUIDE_N=1000",
    "Number TELESCOPE_TIMED_GUIDE_WE TIMED_GUIDE_W=300",
    "Number TELESCOPE_TIMED_GUIDE_WE TIMED_GUIDE_W=0",
    "Switch NO_SUCH A=On",
    "BLOB CCD1 CCD1=x",
    "Text CAMERA_REPLY NAME=x",
    "Text CCD_SPOOL_RESEND ID=known",
    "Text CCD_SPOOL_RESEND ID=unknown",
    "Text CCD_SPOOL_DROP ID=known",
    "Switch CCD_SPOOL SPOOL_ALL=On",
    "Switch CCD_SPOOL SPOOL_OFF=On",
    "Number CCD_SPOOL_LIMITS SPOOL_SIZE=100",
];

/// What is called by name.
pub const CALLS: &[(&str, &str)] = &[
    ("start_exposure", "{\"exposure\":1}"),
    ("abort_exposure", ""),
    ("connect", ""),
    ("disconnect", ""),
    ("reconnect", ""),
    ("start_exposure", "{\"exposure\":0.5,\"gain\":9,\"binning\":[2,2],\"frame_type\":\"dark\"}"),
    ("start_exposure", "{\"exposure\":2,\"roi\":{\"start_x\":0,\"start_y\":0,\"width\":1,\"height\":1}}"),
    ("get_exposure_result", "{\"encode\":\"base64\"}"),
    ("get_exposure_status", ""),
    ("stop_exposure", ""),
    ("set_gain", "{\"gain\":50}"),
    ("set_gain", "{\"gain\":"),
    ("set_binning", "{\"binning\":[2,1]}"),
    ("set_camera_roi", "{\"start_x\":0,\"start_y\":0,\"width\":1,\"height\":1}"),
    ("cooling_to", "{\"temperature\":-5}"),
    ("cooling", "{\"enable\":false}"),
    ("pulse_guide", "{\"direction\":\"n\",\"ms\":500}"),
    ("save_config", ""),
    ("self_test", ""),
    ("list_parameters", ""),
    ("scanning", ""),
    ("no_such", "{}"),
    ("list_spool", ""),
    ("resend_frame", "{\"id\":\"known\"}"),
    ("drop_frame", "{\"id\":\"known\"}"),
];

type Told = (&'static str, &'static str, State, &'static [(&'static str, &'static str)]);

/// What other devices tell.
pub const SNOOPED: &[Told] = &[
    ("Telescope Simulator", "EQUATORIAL_EOD_COORD", State::Ok, &[("RA", "5"), ("DEC", "80")]),
    ("Telescope Simulator", "GEOGRAPHIC_COORD", State::Ok, &[("LAT", "45"), ("LONG", "350")]),
    ("Telescope Simulator", "EQUATORIAL_EOD_COORD", State::Busy, &[("RA", "nan"), ("DEC", "-100")]),
    ("Filter Simulator", "FILTER_SLOT", State::Ok, &[("FILTER_SLOT_VALUE", "2")]),
    ("Filter Simulator", "FILTER_SLOT", State::Busy, &[("FILTER_SLOT_VALUE", "0")]),
    ("Focuser Simulator", "FOCUS_TEMPERATURE", State::Ok, &[("TEMPERATURE", "-4.5")]),
];

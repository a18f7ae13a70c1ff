//! The table of properties: one line each, grouped by skeleton file.
//!
//! Adding a property: an entry in a skeleton file, a line here, and a handler in `device` if clients may write it.

#![allow(
    missing_docs,
    reason = "the properties are documented by name in the INDI standard and in the skeletons"
)]

use super::key::{Action, AnyOf, Blob, Light, Menu, Number, OneOf, Text, Texts, choices};
use super::skeleton::Skeleton;

choices!(
    /// Whether a client wants the camera.
    Connection { Connect = "CONNECT", Disconnect = "DISCONNECT" }
);
choices!(
    /// What to do with the stored settings.
    ConfigProcess { Load = "CONFIG_LOAD", Save = "CONFIG_SAVE", Default = "CONFIG_DEFAULT", Purge = "CONFIG_PURGE" }
);
choices!(
    /// Whether the log is shown to clients.
    Debug { Enable = "ENABLE", Disable = "DISABLE" }
);
choices!(
    /// On or off.
    Toggle { Enabled = "INDI_ENABLED", Disabled = "INDI_DISABLED" }
);
choices!(
    /// What clients are told while DEBUG is on.
    DebugLevel { Error = "DBG_ERROR", Warning = "DBG_WARNING", Session = "DBG_SESSION", Debug = "DBG_DEBUG" }
);
choices!(
    /// What is written to the log file.
    LoggingLevel { Error = "LOG_ERROR", Warning = "LOG_WARNING", Session = "LOG_SESSION", Debug = "LOG_DEBUG" }
);
choices!(
    /// Where sentences go while DEBUG is on.
    LogOutput { Client = "CLIENT_DEBUG", File = "FILE_DEBUG" }
);
choices!(
    /// The abort button.
    Abort { Abort = "ABORT" }
);
choices!(
    /// The button back to full frame, unbinned.
    FrameReset { Reset = "RESET" }
);
choices!(
    /// What the exposure is for.
    FrameKind { Light = "FRAME_LIGHT", Bias = "FRAME_BIAS", Dark = "FRAME_DARK", Flat = "FRAME_FLAT" }
);
choices!(
    /// Where frames go.
    UploadMode { Client = "UPLOAD_CLIENT", Local = "UPLOAD_LOCAL", Both = "UPLOAD_BOTH" }
);
choices!(
    /// Which frames are entered in the journal of the spool.
    SpoolMode { Off = "SPOOL_OFF", Saved = "SPOOL_SAVED", All = "SPOOL_ALL" }
);
choices!(
    /// The cooler's switch.
    Cooler { On = "COOLER_ON", Off = "COOLER_OFF" }
);
choices!(
    /// What becomes of the cooler when nobody wants the camera any more.
    CoolerPolicy { Hold = "HOLD", WarmUp = "WARM_UP", Off = "OFF" }
);

choices!(
    /// Whether headers get a solution.
    Wcs { Enable = "WCS_ENABLE", Disable = "WCS_DISABLE" }
);

choices!(
    /// As what frames are sent and saved.
    TransferFormat { Fits = "FORMAT_FITS", Native = "FORMAT_NATIVE", Xisf = "FORMAT_XISF" }
);

choices!(
    /// The button that has cameras searched for.
    Scan { Scan = "SCAN" }
);

macro_rules! skeleton {
    ($file:literal) => {
        Skeleton::index(
            concat!("xml-skeletons/", $file),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/xml-skeletons/", $file)),
        )
    };
}

/// Always defined.
pub const BASE: Skeleton = skeleton!("base.xml");
pub const CONNECTION: OneOf<Connection> = BASE.one_of("CONNECTION");
pub const DRIVER_INFO: Text<4> =
    BASE.text("DRIVER_INFO", ["DRIVER_NAME", "DRIVER_EXEC", "DRIVER_VERSION", "DRIVER_INTERFACE"]);
pub const CONFIG_PROCESS: Action<ConfigProcess> = BASE.action("CONFIG_PROCESS");
pub const DEBUG: OneOf<Debug> = BASE.one_of("DEBUG");
pub const POLLING_PERIOD: Number<1> = BASE.number("POLLING_PERIOD", ["PERIOD_MS"]);
pub const ACTIVE_DEVICES: Text<5> = BASE.text(
    "ACTIVE_DEVICES",
    ["ACTIVE_TELESCOPE", "ACTIVE_ROTATOR", "ACTIVE_FOCUSER", "ACTIVE_FILTER", "ACTIVE_SKYQUALITY"],
);
pub const CAMERA_CALL: Text<2> = BASE.text("CAMERA_CALL", ["NAME", "PARAMS"]);
pub const CAMERA_REPLY: Text<3> = BASE.text("CAMERA_REPLY", ["NAME", "STATUS", "RESULT"]);

/// Always defined: frames that are safe on the disk.
pub const SPOOL: Skeleton = skeleton!("spool.xml");
pub const CCD_SPOOL: OneOf<SpoolMode> = SPOOL.one_of("CCD_SPOOL");
pub const CCD_SPOOL_LIMITS: Number<2> = SPOOL.number("CCD_SPOOL_LIMITS", ["SPOOL_SIZE", "SPOOL_AGE"]);
pub const CCD_SPOOL_FRAMES: Number<3> =
    SPOOL.number("CCD_SPOOL_FRAMES", ["FRAMES", "UNACKNOWLEDGED", "SIZE"]);
pub const CCD_SPOOL_WAITING: Text<1> = SPOOL.text("CCD_SPOOL_WAITING", ["IDS"]);
pub const CCD_SPOOL_RESEND: Text<1> = SPOOL.text("CCD_SPOOL_RESEND", ["ID"]);
pub const CCD_SPOOL_DROP: Text<1> = SPOOL.text("CCD_SPOOL_DROP", ["ID"]);

/// Defined while DEBUG is on.
pub const DEBUGGING: Skeleton = skeleton!("debug.xml");
pub const DEBUG_LEVEL: AnyOf<DebugLevel> = DEBUGGING.any_of("DEBUG_LEVEL");
pub const LOGGING_LEVEL: AnyOf<LoggingLevel> = DEBUGGING.any_of("LOGGING_LEVEL");
pub const LOG_OUTPUT: AnyOf<LogOutput> = DEBUGGING.any_of("LOG_OUTPUT");

/// Defined, like those in [`BASE`], by cameras with a serial number.
pub const NAMED: Skeleton = skeleton!("nickname.xml");
pub const NICKNAME: Text<1> = NAMED.text("NICKNAME", ["nickname"]);

/// Defined by every connected camera.
pub const CCD: Skeleton = skeleton!("ccd.xml");
pub const CCD_EXPOSURE: Number<1> = CCD.number("CCD_EXPOSURE", ["CCD_EXPOSURE_VALUE"]);
pub const CCD_EXPOSURE_STATUS: Text<2> = CCD.text("CCD_EXPOSURE_STATUS", ["PHASE", "LAST_FAILURE"]);
pub const CCD_ABORT_EXPOSURE: Action<Abort> = CCD.action("CCD_ABORT_EXPOSURE");
pub const CCD_FRAME: Number<4> = CCD.number("CCD_FRAME", ["X", "Y", "WIDTH", "HEIGHT"]);
pub const CCD_FRAME_RESET: Action<FrameReset> = CCD.action("CCD_FRAME_RESET");
pub const CCD_BINNING: Number<2> = CCD.number("CCD_BINNING", ["HOR_BIN", "VER_BIN"]);
pub const CCD_FRAME_TYPE: OneOf<FrameKind> = CCD.one_of("CCD_FRAME_TYPE");
pub const CCD_INFO: Number<6> = CCD.number(
    "CCD_INFO",
    ["CCD_MAX_X", "CCD_MAX_Y", "CCD_PIXEL_SIZE", "CCD_PIXEL_SIZE_X", "CCD_PIXEL_SIZE_Y", "CCD_BITSPERPIXEL"],
);
pub const CCD1: Blob = CCD.blob("CCD1", "CCD1");
pub const CCD_FILE_PATH: Text<1> = CCD.text("CCD_FILE_PATH", ["FILE_PATH"]);
pub const UPLOAD_MODE: OneOf<UploadMode> = CCD.one_of("UPLOAD_MODE");
pub const UPLOAD_SETTINGS: Text<2> = CCD.text("UPLOAD_SETTINGS", ["UPLOAD_DIR", "UPLOAD_PREFIX"]);

/// Defined by every connected camera.
pub const HEADER: Skeleton = skeleton!("header.xml");
pub const SCOPE_INFO: Number<2> = HEADER.number("SCOPE_INFO", ["FOCAL_LENGTH", "APERTURE"]);
pub const FITS_HEADER: Text<5> = HEADER.text(
    "FITS_HEADER",
    ["KEYWORD_NAME", "KEYWORD_VALUE", "KEYWORD_COMMENT", "FITS_OBJECT", "FITS_OBSERVER"],
);
pub const WCS_CONTROL: OneOf<Wcs> = HEADER.one_of("WCS_CONTROL");
pub const CCD_ROTATION: Number<1> = HEADER.number("CCD_ROTATION", ["CCD_ROTATION_VALUE"]);

/// Defined by every connected camera; the first one only if the camera names its formats.
pub const FORMAT: Skeleton = skeleton!("format.xml");
pub const CCD_CAPTURE_FORMAT: Menu = FORMAT.menu("CCD_CAPTURE_FORMAT");
pub const CCD_TRANSFER_FORMAT: OneOf<TransferFormat> = FORMAT.one_of("CCD_TRANSFER_FORMAT");
pub const CCD_COMPRESSION: OneOf<Toggle> = FORMAT.one_of("CCD_COMPRESSION");

/// Defined by cameras with a thermometer or a cooler.
pub const COOLER: Skeleton = skeleton!("cooler.xml");
pub const CCD_TEMPERATURE: Number<1> = COOLER.number("CCD_TEMPERATURE", ["CCD_TEMPERATURE_VALUE"]);
pub const CCD_TEMPERATURE_TARGET: Number<2> =
    COOLER.number("CCD_TEMPERATURE_TARGET", ["TARGET", "RAMP_TARGET"]);
pub const CCD_TEMP_RAMP: Number<2> = COOLER.number("CCD_TEMP_RAMP", ["RAMP_SLOPE", "RAMP_THRESHOLD"]);
pub const CCD_COOLER: OneOf<Cooler> = COOLER.one_of("CCD_COOLER");
pub const CCD_COOLER_POWER: Number<1> = COOLER.number("CCD_COOLER_POWER", ["CCD_COOLER_VALUE"]);
pub const COOLER_POLICY: OneOf<CoolerPolicy> = COOLER.one_of("COOLER_POLICY");
pub const CCD_COOLER_ALARM: Light<4> =
    COOLER.light("CCD_COOLER_ALARM", ["COOLER", "SENSOR", "POWER", "RUNAWAY"]);

/// Defined by cameras with a gain setting.
pub const GAIN: Skeleton = skeleton!("gain.xml");
pub const CCD_GAIN: Number<1> = GAIN.number("CCD_GAIN", ["GAIN"]);

/// Defined by cameras with an offset setting.
pub const OFFSET: Skeleton = skeleton!("offset.xml");
pub const CCD_OFFSET: Number<1> = OFFSET.number("CCD_OFFSET", ["OFFSET"]);

/// Defined by cameras with a colour mosaic.
pub const BAYER: Skeleton = skeleton!("bayer.xml");
pub const CCD_CFA: Text<3> = BAYER.text("CCD_CFA", ["CFA_OFFSET_X", "CFA_OFFSET_Y", "CFA_TYPE"]);

/// Defined by every connected camera: several frames from one request.
pub const FAST: Skeleton = skeleton!("fast.xml");
pub const CCD_FAST_TOGGLE: OneOf<Toggle> = FAST.one_of("CCD_FAST_TOGGLE");
pub const CCD_FAST_COUNT: Number<1> = FAST.number("CCD_FAST_COUNT", ["FRAMES"]);

/// Defined by cameras with a guide port.
pub const GUIDE: Skeleton = skeleton!("guide.xml");
pub const TELESCOPE_TIMED_GUIDE_NS: Number<2> =
    GUIDE.number("TELESCOPE_TIMED_GUIDE_NS", ["TIMED_GUIDE_N", "TIMED_GUIDE_S"]);
pub const TELESCOPE_TIMED_GUIDE_WE: Number<2> =
    GUIDE.number("TELESCOPE_TIMED_GUIDE_WE", ["TIMED_GUIDE_W", "TIMED_GUIDE_E"]);

/// Defined by connected cameras as far as they tell.
pub const INFO: Skeleton = skeleton!("info.xml");
pub const ADC_DEPTH: Number<1> = INFO.number("ADC_DEPTH", ["BITS"]);
pub const SERIAL_NUMBER: Text<1> = INFO.text("Serial Number", ["SN"]);
pub const SDK: Text<1> = INFO.text("SDK", ["VERSION"]);

/// Defined by every connected camera: how it does, and how well.
pub const HEALTH: Skeleton = skeleton!("health.xml");
pub const CAMERA_HEALTH: Light<5> =
    HEALTH.light("CAMERA_HEALTH", ["SENSOR", "COOLER", "DELIVERY", "DISK", "SERVER"]);
pub const CCD_EXPOSURE_DEADLINE: Number<3> =
    HEALTH.number("CCD_EXPOSURE_DEADLINE", ["CAMERA", "READ_OUT", "DELIVERY"]);
pub const CAMERA_COUNTS: Number<4> =
    HEALTH.number("CAMERA_COUNTS", ["FRAMES", "FAILURES", "RETRIES", "DROPS"]);
pub const CAMERA_LATENCY: Number<10> = HEALTH.number(
    "CAMERA_LATENCY",
    [
        "OVERRUN_P50",
        "OVERRUN_P99",
        "READ_OUT_P50",
        "READ_OUT_P99",
        "ENCODE_P50",
        "ENCODE_P99",
        "WRITE_P50",
        "WRITE_P99",
        "ACK_P50",
        "ACK_P99",
    ],
);

/// What the hub has besides CONNECTION and DRIVER_INFO.
pub const HUB: Skeleton = skeleton!("hub.xml");
pub const CAMERA_SCAN: Action<Scan> = HUB.action("CAMERA_SCAN");
pub const CAMERAS: Texts = HUB.texts("CAMERAS");
pub const CAMERA_ADDRESSES: Texts = HUB.texts("CAMERA_ADDRESSES");

// There is no SIMULATION: a real camera is not simulated by pretending, and the simulator is a backend of its own.

/// The embedded files of what every device has from the start.
pub const ALWAYS: [Skeleton; 2] = [BASE, SPOOL];
/// The embedded files of what comes and goes without the connection, or is there for some cameras only.
pub const ON_DEMAND: [Skeleton; 2] = [DEBUGGING, NAMED];
/// The embedded files of a connected camera, in the order in which their vectors are defined.
pub static ON_CONNECT: [Skeleton; 11] =
    [CCD, HEADER, FORMAT, COOLER, GAIN, OFFSET, BAYER, FAST, GUIDE, INFO, HEALTH];

#[cfg(test)]
mod tests {
    use super::{ALWAYS, HUB, ON_CONNECT, ON_DEMAND};
    use crate::property::load::load;

    /// The source of this table, as far as it names vectors.
    fn bound() -> Vec<&'static str> {
        let source = include_str!("keys.rs").split("#[cfg(test)]").next().unwrap();
        let calls = [
            ".number(", ".text(", ".texts(", ".one_of(", ".any_of(", ".menu(", ".action(", ".light(",
            ".blob(",
        ];
        let mut names = Vec::new();
        for call in calls {
            for rest in source.split(call).skip(1) {
                names.extend(rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()));
            }
        }
        names.sort_unstable();
        names
    }

    #[test]
    fn every_vector_of_the_skeletons_has_exactly_one_key() {
        let skeletons = [&ALWAYS[..], &[HUB], &ON_DEMAND, &ON_CONNECT].concat();
        let vectors = skeletons.iter().flat_map(|skeleton| load(skeleton.file(), skeleton.source()).unwrap());
        let mut names: Vec<String> = vectors.map(|vector| vector.name).collect();
        names.sort();
        assert_eq!(names, bound());
    }
}

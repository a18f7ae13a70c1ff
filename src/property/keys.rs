//! The table of properties: one line each, grouped by skeleton file.
//!
//! Adding a property: an entry in a skeleton file, a line here, and a handler in `device` if clients may write it.

#![allow(
    missing_docs,
    reason = "the properties are documented by name in the INDI standard and in the skeletons"
)]

use super::key::{Action, Blob, Menu, Number, OneOf, Text, choices};
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
    /// The cooler's switch.
    Cooler { On = "COOLER_ON", Off = "COOLER_OFF" }
);

choices!(
    /// As what frames are sent and saved.
    TransferFormat { Fits = "FORMAT_FITS", Native = "FORMAT_NATIVE", Xisf = "FORMAT_XISF" }
);
choices!(
    /// Whether they are compressed.
    Compression { Enabled = "INDI_ENABLED", Disabled = "INDI_DISABLED" }
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

/// Defined by every connected camera.
pub const CCD: Skeleton = skeleton!("ccd.xml");
pub const CCD_EXPOSURE: Number<1> = CCD.number("CCD_EXPOSURE", ["CCD_EXPOSURE_VALUE"]);
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

/// Defined by every connected camera; the first one only if the camera names its formats.
pub const FORMAT: Skeleton = skeleton!("format.xml");
pub const CCD_CAPTURE_FORMAT: Menu = FORMAT.menu("CCD_CAPTURE_FORMAT");
pub const CCD_TRANSFER_FORMAT: OneOf<TransferFormat> = FORMAT.one_of("CCD_TRANSFER_FORMAT");
pub const CCD_COMPRESSION: OneOf<Compression> = FORMAT.one_of("CCD_COMPRESSION");

/// Defined by cameras with a thermometer or a cooler.
pub const COOLER: Skeleton = skeleton!("cooler.xml");
pub const CCD_TEMPERATURE: Number<1> = COOLER.number("CCD_TEMPERATURE", ["CCD_TEMPERATURE_VALUE"]);
pub const CCD_COOLER: OneOf<Cooler> = COOLER.one_of("CCD_COOLER");
pub const CCD_COOLER_POWER: Number<1> = COOLER.number("CCD_COOLER_POWER", ["CCD_COOLER_VALUE"]);

/// Defined by cameras with a gain setting.
pub const GAIN: Skeleton = skeleton!("gain.xml");
pub const CCD_GAIN: Number<1> = GAIN.number("CCD_GAIN", ["GAIN"]);

/// Defined by cameras with an offset setting.
pub const OFFSET: Skeleton = skeleton!("offset.xml");
pub const CCD_OFFSET: Number<1> = OFFSET.number("CCD_OFFSET", ["OFFSET"]);

/// Defined by cameras with a colour mosaic.
pub const BAYER: Skeleton = skeleton!("bayer.xml");
pub const CCD_CFA: Text<3> = BAYER.text("CCD_CFA", ["CFA_OFFSET_X", "CFA_OFFSET_Y", "CFA_TYPE"]);

/// The embedded files of a connected camera, in the order in which their vectors are defined.
pub const ON_CONNECT: [Skeleton; 6] = [CCD, FORMAT, COOLER, GAIN, OFFSET, BAYER];

#[cfg(test)]
mod tests {
    use super::{BASE, ON_CONNECT};
    use crate::property::load::load;

    /// The source of this table, as far as it names vectors.
    fn bound() -> Vec<&'static str> {
        let source = include_str!("keys.rs").split("#[cfg(test)]").next().unwrap();
        let calls = [".number(", ".text(", ".one_of(", ".menu(", ".action(", ".blob("];
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
        let skeletons = [&[BASE][..], &ON_CONNECT].concat();
        let vectors = skeletons.iter().flat_map(|skeleton| load(skeleton.file(), skeleton.source()).unwrap());
        let mut names: Vec<String> = vectors.map(|vector| vector.name).collect();
        names.sort();
        assert_eq!(names, bound());
    }
}

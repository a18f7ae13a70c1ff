//! Our camera beside libindi's mount under a real indiserver: what the header says of the sky, read by astropy.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failed step is a failed test")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{DEVICE, Peer, SIMULATOR, SOON, Server, fits, fitsverify};

const MOUNT: &str = "Telescope Simulator";

/// From the file, and from the mount's right ascension (h) and declination (deg) of date: how far in arcsec the
/// solution at the middle of the image and RA and DEC lie from it, how far OBJCTALT and OBJCTAZ from what astropy
/// says, whether AIRMASS is near the secant, and the position angle of the columns.
const ASTROPY: &str = r"
import sys, warnings
warnings.simplefilter('ignore')
from astropy.utils import iers
iers.conf.auto_download = False
iers.conf.iers_degraded_accuracy = 'ignore'
import astropy.units as u
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS
from astropy.coordinates import SkyCoord, TETE, FK5, AltAz, EarthLocation
h = fits.open(sys.argv[1])[0].header
at = Time(h['DATE-AVG'], scale='utc')
mount = SkyCoord(TETE(float(sys.argv[2]) * 15 * u.deg, float(sys.argv[3]) * u.deg, obstime=at))
j2000 = mount.transform_to(FK5(equinox='J2000'))
w = WCS(h)
x, y = (h['NAXIS1'] - 1) / 2, (h['NAXIS2'] - 1) / 2
middle, below, right = w.pixel_to_world(x, y), w.pixel_to_world(x, y + 10), w.pixel_to_world(x + 10, y)
said = SkyCoord(FK5(h['RA'] * u.deg, h['DEC'] * u.deg, equinox='J2000'))
words = SkyCoord(h['OBJCTRA'], h['OBJCTDEC'], unit=(u.hourangle, u.deg), frame=FK5(equinox='J2000'))
site = EarthLocation(lat=h['SITELAT'] * u.deg, lon=h['SITELONG'] * u.deg)
here = AltAz(obstime=at, location=site, pressure=0 * u.hPa)
above = mount.transform_to(here)
told = SkyCoord(AltAz(h['OBJCTAZ'] * u.deg, h['OBJCTALT'] * u.deg, obstime=at, location=site))
print(middle.separation(j2000).arcsec, said.separation(j2000).arcsec, words.separation(j2000).arcsec,
      told.separation(SkyCoord(above)).arcsec, h['AIRMASS'] / above.secz.value,
      middle.position_angle(below).deg, middle.position_angle(right).deg, middle.separation(right).arcsec / 10)
";

fn connect_mount(client: &mut Peer) -> [f64; 2] {
    client.address(MOUNT);
    client.send("<getProperties version=\"1.7\"/>\n");
    client.wait_for(|peer| peer.vector("CONNECTION").is_some(), SOON);
    client.new_vector("Switch", "CONNECTION", &[("CONNECT", "On")]);
    client.wait_for(|peer| peer.vector("EQUATORIAL_EOD_COORD").is_some(), SOON);
    client.wait_for(|peer| peer.vector("GEOGRAPHIC_COORD").is_some(), SOON);
    client.wait_for(|peer| peer.vector("TELESCOPE_PIER_SIDE").is_some(), SOON);
    client.new_vector("Number", "GEOGRAPHIC_COORD", &[("LAT", "45"), ("LONG", "350"), ("ELEV", "0")]);
    client.wait_for(|peer| peer.get("GEOGRAPHIC_COORD", "LONG") == Some("350"), SOON);
    client.new_vector("Switch", "TELESCOPE_PARK", &[("UNPARK", "On")]);
    client.new_vector("Switch", "TELESCOPE_TRACK_STATE", &[("TRACK_ON", "On")]);
    client.new_vector("Switch", "ON_COORD_SET", &[("SYNC", "On")]);
    // Never below that horizon, and so near the pole that a mistake in precession shows.
    client.new_vector("Number", "EQUATORIAL_EOD_COORD", &[("RA", "5"), ("DEC", "80")]);
    let there = |peer: &Peer| (peer.number("EQUATORIAL_EOD_COORD", "DEC") - 80.0).abs() < 0.01;
    client.wait_for(there, SOON);
    [client.number("EQUATORIAL_EOD_COORD", "RA"), client.number("EQUATORIAL_EOD_COORD", "DEC")]
}

#[test]
fn a_light_frame_tells_where_the_mount_pointed() {
    let server = Server::start(&["-r", "0"], &[Path::new(SIMULATOR), Path::new("indi_simulator_telescope")]);
    let mut client = server.tcp();
    let [ra, dec] = connect_mount(&mut client);

    client.address(DEVICE);
    client.connect();
    client.send(&format!("<enableBLOB device=\"{DEVICE}\">Also</enableBLOB>\n"));
    client.new_vector("Number", "SCOPE_INFO", &[("FOCAL_LENGTH", "500"), ("APERTURE", "100")]);
    client.new_vector("Switch", "WCS_CONTROL", &[("WCS_ENABLE", "On")]);
    client.new_vector("Number", "CCD_ROTATION", &[("CCD_ROTATION_VALUE", "30")]);
    client.new_vector("Text", "FITS_HEADER", &[("KEYWORD_NAME", "OBJECT"), ("KEYWORD_VALUE", "Polar field")]);
    let frame = client.expose(0.5);

    let path = server.home().path().join("frame.fits");
    fs::write(&path, &frame.bytes).unwrap();
    fitsverify(&path);
    let header = fits(&frame.bytes);
    assert_eq!(header.get("TELESCOP"), MOUNT);
    assert_eq!(header.get("OBJECT"), "Polar field");
    assert!(["WEST", "EAST"].contains(&header.get("PIERSIDE")), "{}", header.get("PIERSIDE"));
    assert_eq!([header.number("SITELAT"), header.number("SITELONG")], [45.0, -10.0]);

    let python = Command::new("/usr/bin/python3")
        .args(["-c", ASTROPY])
        .arg(&path)
        .args([ra.to_string(), dec.to_string()])
        .output()
        .expect("install python3-astropy (packaging/test.sh does)");
    let said = String::from_utf8_lossy(&python.stdout);
    let numbers: Vec<f64> = said.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let &[solved, decimal, sexagesimal, horizon, air, rows, columns, scale] = numbers.as_slice() else {
        panic!("astropy says {said}\n{}", String::from_utf8_lossy(&python.stderr));
    };
    // The mount's own rounding and the second between its news and the exposure, during which it tracks.
    assert!(solved < 2.0, "the solution is {solved} arcsec off");
    assert!(decimal < 2.0, "RA, DEC are {decimal} arcsec off");
    assert!(sexagesimal < 2.0, "OBJCTRA, OBJCTDEC are {sexagesimal} arcsec off");
    assert!(horizon < 20.0, "OBJCTALT, OBJCTAZ are {horizon} arcsec off");
    assert!((air - 1.0).abs() < 0.01, "AIRMASS is {air} times the secant");
    // What CCD_ROTATION means, and that no mirror is in the way: columns a quarter turn further than rows.
    assert!((rows - 30.0).abs() < 0.1, "the rows count up to {rows} degrees");
    assert!((columns - 120.0).abs() < 0.1, "the columns count up to {columns} degrees");
    assert!((scale - header.number("SCALE")).abs() < 1e-4, "a pixel is {scale} arcsec wide");
}

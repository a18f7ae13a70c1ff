#!/usr/bin/python3
"""Makes the star catalogues of the simulated sky from Debian's index files of astrometry.net.

    apt install python3-astropy astrometry-data-tycho2-07-littleendian astrometry-data-tycho2-10-19-littleendian
    make_catalogue.py             writes stars.bin, which is compiled into the driver, beside this script
    make_catalogue.py --deep FILE writes five times as many stars, for the driver to read at run time

The index files hold positions (J2000) and magnitudes (VT) of the Tycho-2 catalogue; tycho2-licence.txt says under
which terms. Index 10 takes the brightest 8.8 stars of every square degree, wherever that is, so that a plate solver
finds its stars in all pictures of the small catalogue; all stars brighter than VT 9.5 are added to it. The deep
catalogue has all stars of both indexes. There are no colours. Tycho-2 leaves out one bright star in seven; the brightest
of these are added from the table below.

The format, little-endian: the eight letters INDISKY1, 180 counts of four bytes, one for each degree of declination
from the south pole on, then the stars, by degree of declination and in it by right ascension, in seven bytes each:
right ascension in 2^-24 of a circle (three bytes), declination in 2^-24 of half a circle from the south pole (three
bytes), magnitude above -1.5 in 0.06 (one byte).
"""

import argparse
import pathlib

import numpy
from astropy.io import fits

INDEXES = "/usr/share/astrometry/index-tycho2-{}.littleendian.fits"
BANDS = 180
CIRCLE = 1 << 24
BRIGHTEST = -1.5
MAGNITUDE_STEP = 0.06
COMPLETE_TO = 9.5

# Bright stars that Tycho-2 does not have: J2000 right ascension and declination in degrees, and V, by Hipparcos.
MISSING = {
    "Sirius": (101.2872, -16.7161, -1.44),
    "Canopus": (95.9880, -52.6957, -0.62),
    "Vega": (279.2347, 38.7837, 0.03),
    "Wezen": (107.0979, -26.3932, 1.83),
    "Polaris": (37.9545, 89.2641, 1.97),
    "Hamal": (31.7934, 23.4624, 2.01),
    "Diphda": (10.8974, -17.9866, 2.04),
    "Kochab": (222.6764, 74.1555, 2.07),
    "Eltanin": (269.1515, 51.4889, 2.24),
    "Schedar": (10.1268, 56.5373, 2.24),
    "Caph": (2.2945, 59.1498, 2.28),
    "Enif": (326.0465, 9.8750, 2.38),
    "Sabik": (257.5945, -15.7249, 2.43),
    "Alderamin": (319.6449, 62.5856, 2.45),
    "Markab": (346.1902, 15.2053, 2.49),
    "Arneb": (83.1826, -17.8223, 2.58),
    "Gienah": (183.9515, -17.5419, 2.58),
    "Unukalhai": (236.0670, 6.4256, 2.63),
    "Nihal": (82.0613, -20.7594, 2.81),
    "Algenib": (3.3090, 15.1836, 2.83),
    "Alcyone": (56.8712, 24.1051, 2.85),
    "Minkar": (182.5312, -22.6198, 3.02),
    "Alfirk": (322.1650, 70.5607, 3.23),
    "Megrez": (183.8565, 57.0326, 3.32),
    "Thuban": (211.0973, 64.3759, 3.67),
    "Electra": (56.2189, 24.1133, 3.72),
}


def column(tables, name):
    for table in tables:
        if table.header.get("TTYPE1") == name:
            return table.data
    raise SystemExit(f"{tables.filename()} has no table {name}")


def read(index):
    """Positions in steps of 2^-31 of the unit sphere's radius, and magnitudes."""
    with fits.open(INDEXES.format(index), memmap=False) as tables:
        # Astropy takes the numbers for text: three unsigned integers per star, and the scale for them.
        steps = numpy.frombuffer(column(tables, "kdtree_data_stars").tobytes(), "<u4").reshape(-1, 3)
        low, scale = numpy.split(numpy.frombuffer(column(tables, "kdtree_range_stars").tobytes(), "<f8"), [6])
        magnitudes = numpy.array(column(tables, "MAG_VT")["MAG_VT"], float)
    return low[:3] + steps / scale[0], magnitudes


def missing():
    ra, dec, magnitudes = numpy.array(list(MISSING.values())).T
    ra, dec = numpy.radians(ra), numpy.radians(dec)
    positions = [numpy.cos(dec) * numpy.cos(ra), numpy.cos(dec) * numpy.sin(ra), numpy.sin(dec)]
    return numpy.stack(positions, axis=1), magnitudes


def packed(positions, magnitudes):
    """The fields of every star, in the order of the file and without doubles."""
    x, y, z = positions.T
    ra = numpy.arctan2(y, x) / (2 * numpy.pi) % 1.0
    dec = numpy.arctan2(z, numpy.hypot(x, y)) / numpy.pi + 0.5
    ra = numpy.rint(ra * CIRCLE).astype("u8") % CIRCLE
    dec = numpy.minimum(numpy.rint(dec * CIRCLE).astype("u8"), CIRCLE - 1)
    magnitude = numpy.clip(numpy.rint((magnitudes - BRIGHTEST) / MAGNITUDE_STEP), 0, 255).astype("u8")
    band = dec * BANDS // CIRCLE
    return numpy.unique(numpy.stack([band, ra, dec, magnitude], axis=1), axis=0)


def catalogue(stars):
    band, ra, dec, magnitude = stars.T
    counts = numpy.bincount(band.astype(int), minlength=BANDS).astype("<u4")
    fields = [ra & 255, ra >> 8 & 255, ra >> 16, dec & 255, dec >> 8 & 255, dec >> 16, magnitude]
    return b"INDISKY1" + counts.tobytes() + numpy.stack(fields, axis=1).astype("u1").tobytes()


def main():
    parser = argparse.ArgumentParser(description="Makes the star catalogues of the simulated sky.")
    parser.add_argument("--deep", metavar="FILE", help="write the deep catalogue to FILE")
    arguments = parser.parse_args()
    further, their_magnitudes = read("07")
    chosen = numpy.full(len(further), True) if arguments.deep else their_magnitudes < COMPLETE_TO
    sources = [read("10"), (further[chosen], their_magnitudes[chosen]), missing()]
    stars = packed(*map(numpy.concatenate, zip(*sources)))
    path = pathlib.Path(arguments.deep or pathlib.Path(__file__).with_name("stars.bin"))
    path.write_bytes(catalogue(stars))
    print(f"{path}: {len(stars)} stars, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()

#!/bin/sh
# Installs what the tests stand on and runs all of them.
#   sh packaging/test.sh [--install-only]
set -eu
# shellcheck source=packaging/common.sh
. "$(dirname "$0")/common.sh"

need_to_build
# The real server and its tools; independent readers of our FITS files.
need indi-bin has indiserver
need fitsverify has fitsverify
# Steps the wall clock under a running driver.
need faketime has faketime
# The system's own Python: any other one does not see Debian's packages.
need python3-astropy /usr/bin/python3 -c 'import importlib.util as u; assert u.find_spec("astropy")'
# A plate solver that looks at the simulated sky, and its stars.
need astrometry.net has solve-field
need astrometry-data-tycho2-10-19-littleendian test -e /usr/share/astrometry/index-tycho2-10.littleendian.fits
# Reads the unit of the server.
need systemd has systemd-analyze
# GigE Vision cameras: the library, a camera that is a program, and a tool that looks at it.
need libaravis-dev pkg-config --exists 'aravis-0.8 >= 0.8.25'
need aravis-tools has arv-fake-gv-camera-0.8
need aravis-tools-cli has arv-tool-0.8
# Alpaca servers that are Python programs.
need python3-venv python3 -c 'import ensurepip, venv'
# Virtual machines with cameras: the kernel that has them is fetched when they are started.
need qemu-system-x86 has qemu-system-x86_64
need busybox-static has busybox
need cpio has cpio
need kmod has modprobe
need v4l-utils has v4l2-ctl
install_missing
[ "${1:-}" != --install-only ] || exit 0

sh packaging/check-service.sh

# Some containers let nobody mount anything.
if [ -z "${INDI_CAMERA_NO_DISKS:-}" ] && ! unshare -rm true 2>/dev/null; then
    say "no user namespaces here: what happens when a disk is full, read-only or gone is NOT tested"
    export INDI_CAMERA_NO_DISKS=1
fi

find_cargo
# With all families, so that what is tested of each here has not to be built again for the cameras below.
cargo test --locked --features aravis

# Cameras that nobody here wrote. One set of features for all of them, so that everything is built once more only.
export RIG_FEATURES=aravis,rigs
sh tests/rigs/gige.sh
sh tests/rigs/alpaca.sh
# The programs beside this project that plug in cameras which it does not have itself.
rigs=${CAMERA_RIGS:-$root/../shared/rigs}
if [ -e "$rigs/usb_camera.py" ]; then
    UVC_CAMERA=$rigs/usb_camera.py
    export UVC_CAMERA
else
    say "no usb_camera.py in $rigs (CAMERA_RIGS): USB cameras are not tested"
fi
sh tests/rigs/v4l2.sh

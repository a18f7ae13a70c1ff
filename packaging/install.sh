#!/bin/sh
# Installs the driver that `cargo build --release` has made.
#   sh packaging/install.sh [--uninstall]
# PREFIX (default /usr/local) is where programs go, DESTDIR goes before every path for packagers.
set -eu
# shellcheck source=packaging/common.sh
. "$(dirname "$0")/common.sh"

bin=${DESTDIR:-}${PREFIX:-/usr/local}/bin
# Clients look for catalogues here and nowhere else, wherever the programs are.
catalogue=${DESTDIR:-}/usr/share/indi

case ${1:-} in
--uninstall)
    for name in indi_camera_ccd $(driver_names); do
        rm -f "$bin/$name"
    done
    rm -f "$catalogue/indi_camera.xml"
    say "Removed the driver from $bin and the catalogue from $catalogue"
    ;;
'')
    [ -x "$release/indi_camera_ccd" ] || fail "no driver yet: run cargo build --release first"
    mkdir -p "$bin" "$catalogue" || fail "cannot write there: run it with sudo, or set PREFIX and DESTDIR"
    install -m 755 "$release/indi_camera_ccd" "$bin/indi_camera_ccd"
    # The driver knows by the name it is started with which cameras to serve; a link gives it that name.
    for name in $(driver_names); do
        ln -sf indi_camera_ccd "$bin/$name"
    done
    install -m 644 packaging/indi_camera.xml "$catalogue/indi_camera.xml"
    say "Installed the driver to $bin and the catalogue to $catalogue"
    ;;
*)
    fail "unknown argument $1; the only one is --uninstall"
    ;;
esac

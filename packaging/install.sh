#!/bin/sh
# Installs the driver and the tool that `cargo build --release` has made.
#   sh packaging/install.sh [--uninstall]
# PREFIX (default /usr/local) is where programs go, DESTDIR goes before every path for packagers.
set -eu
# shellcheck source=packaging/common.sh
. "$(dirname "$0")/common.sh"

prefix=${DESTDIR:-}${PREFIX:-/usr/local}
bin=$prefix/bin
manual=$prefix/share/man/man1
bash=$prefix/share/bash-completion/completions
zsh=$prefix/share/zsh/site-functions
fish=$prefix/share/fish/vendor_completions.d
# Clients look for catalogues here and nowhere else, wherever the programs are.
catalogue=${DESTDIR:-}/usr/share/indi
# One of the places where systemd looks, for /usr/local and for /usr.
units=$prefix/lib/systemd/system
unit=indiserver-camera.service
tool=$release/indi-camera

case ${1:-} in
--uninstall)
    for name in indi_camera_ccd indi-camera $(driver_names); do
        rm -f "$bin/$name"
    done
    rm -f "$manual/indi-camera.1" "$manual"/indi-camera-*.1
    rm -f "$bash/indi-camera" "$zsh/_indi-camera" "$fish/indi-camera.fish" "$catalogue/indi_camera.xml"
    # One that runs goes on until somebody stops it.
    rm -f "$units/$unit"
    say "Removed driver and tool from $bin and the catalogue from $catalogue"
    ;;
'')
    for program in indi_camera_ccd indi-camera; do
        [ -x "$release/$program" ] || fail "no $program yet: run cargo build --release first"
    done
    mkdir -p "$bin" "$manual" "$bash" "$zsh" "$fish" "$catalogue" "$units" ||
        fail "cannot write there: run it with sudo, or set PREFIX and DESTDIR"
    install -m 755 "$release/indi_camera_ccd" "$bin/indi_camera_ccd"
    # The driver knows by the name it is started with which cameras to serve; a link gives it that name.
    for name in $(driver_names); do
        ln -sf indi_camera_ccd "$bin/$name"
    done
    install -m 644 packaging/indi_camera.xml "$catalogue/indi_camera.xml"
    # The tool starts the driver that is beside it when it is not told of another one.
    install -m 755 "$tool" "$bin/indi-camera"
    "$tool" man --out "$manual" >/dev/null
    "$tool" completions bash >"$bash/indi-camera"
    "$tool" completions zsh >"$zsh/_indi-camera"
    "$tool" completions fish >"$fish/indi-camera.fish"
    # Where it will be found, which is not where a packager has it put.
    sed "s|@BIN@|${PREFIX:-/usr/local}/bin|g" "packaging/$unit" >"$units/$unit"
    chmod 644 "$units/$unit"
    say "Installed driver and tool to $bin and the catalogue to $catalogue"
    ;;
*)
    fail "unknown argument $1; the only one is --uninstall"
    ;;
esac

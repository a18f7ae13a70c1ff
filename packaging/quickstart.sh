#!/bin/sh
# First light: builds driver and tool, starts the driver under a real indiserver and takes a picture with the
# simulated camera.
#   sh packaging/quickstart.sh
# Needs Rust, git and a C compiler; installs the rest where there is apt. Leaves first-light.fits and first-light.png
# in the project.
set -eu
# shellcheck source=packaging/common.sh
. "$(dirname "$0")/common.sh"

device='Camera Simulator'
driver=indi_camera_simulator_ccd
seconds=2

say "1/4 Looking for INDI's server and CFITSIO"
need_to_build
need indi-bin has indiserver
install_missing
find_cargo

say "2/4 Building driver and tool"
cargo build --release --locked --bins
for name in $(driver_names); do
    ln -sf indi_camera_ccd "$release/$name"
done

# Everything that the server and the driver write goes here, so that the user's own ~/.indi is left alone.
work=$(mktemp -d)
server=
clean_up() {
    status=$?
    trap - EXIT
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# give_up ADVICE: shows what the server and the driver said.
give_up() {
    say "--- what the server said:" >&2
    cat "$work"/log "$work"/*.islog >&2 2>/dev/null || true
    say "---" >&2
    fail "$1"
}

# Our tool, told where our server is.
tool() { "$release/indi-camera" --server "127.0.0.1:$port" --camera "$device" "$@"; }

# A port that nobody listens on; where that cannot be read, a guess, which the caller has to try.
free_port() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v seed="$1$$" '
        { split($2, local, ":"); used[local[2]] = 1 }
        END { srand(seed); do port = 20000 + int(rand() * 10000); while (sprintf("%04X", port) in used); print port }'
}

say "3/4 Starting indiserver with the simulated camera"
attempt=0
until [ -n "$server" ]; do
    attempt=$((attempt + 1))
    port=$(free_port "$attempt")
    # No restarts: a driver that ends is a failure to be shown. The name of the local socket must be ours alone, too.
    HOME=$work indiserver -v -r 0 -l "$work" -p "$port" -u "$work/socket" "$release/$driver" \
        </dev/null >"$work/log" 2>&1 &
    server=$!
    patience=20
    until tool --timeout 1 get "$device.CONNECTION.CONNECT" >/dev/null 2>&1; do
        patience=$((patience - 1))
        if ! kill -0 "$server" 2>/dev/null; then
            server=
            if grep -q 'Address already in use' "$work/log" && [ "$attempt" -lt 5 ]; then
                break
            fi
            give_up "indiserver or the driver ended at once: the last lines above say why"
        fi
        [ "$patience" -gt 0 ] || give_up "the driver does not answer: please report this with the lines above"
        sleep 0.2
    done
done

say "4/4 Taking a picture of $seconds s"
tool capture --exposure "$seconds" --out "$root/first-light.fits" --overwrite --preview --show ||
    give_up "there is no picture: the lines above say why"
for file in first-light.fits first-light.png; do
    [ -s "$file" ] || give_up "the picture was taken, but there is no $file"
done

cat <<END

The server of this first light is gone again. To play on without any:
    $release/indi-camera capture --exposure 5 --bin 2 --preview --show
Or start a server, and speak to it from another terminal:
    indiserver $release/$driver
    $release/indi-camera --server localhost watch
    $release/indi-camera --server localhost set '$device.CCD_GAIN.GAIN=200'
    $release/indi-camera --server localhost capture --exposure 5
For Ekos: sudo sh packaging/install.sh, then choose "$device" under CCDs in the profile editor;
or connect Ekos to the running server as a remote host.
END

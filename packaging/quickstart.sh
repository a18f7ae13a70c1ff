#!/bin/sh
# First light: builds the driver, starts it under a real indiserver and takes a picture with the simulated camera.
#   sh packaging/quickstart.sh
# Needs Rust, git and a C compiler; installs the rest where there is apt. Leaves first-light.fits in the project.
set -eu
# shellcheck source=packaging/common.sh
. "$(dirname "$0")/common.sh"

device='Camera Simulator'
driver=indi_camera_simulator_ccd
seconds=2

say "1/5 Looking for INDI's server and tools"
need indi-bin has indiserver
install_missing
find_cargo

say "2/5 Building the driver"
cargo build --release --locked --bin indi_camera_ccd
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

# INDI's tools, told where our server is.
ask() {
    tool=$1
    shift
    "$tool" -h 127.0.0.1 -p "$port" "$@"
}

# A port that nobody listens on; where that cannot be read, a guess, which the caller has to try.
free_port() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v seed="$1$$" '
        { split($2, local, ":"); used[local[2]] = 1 }
        END { srand(seed); do port = 20000 + int(rand() * 10000); while (sprintf("%04X", port) in used); print port }'
}

say "3/5 Starting indiserver with the simulated camera"
attempt=0
until [ -n "$server" ]; do
    attempt=$((attempt + 1))
    port=$(free_port "$attempt")
    # No restarts: a driver that ends is a failure to be shown. The name of the local socket must be ours alone, too.
    HOME=$work indiserver -v -r 0 -l "$work" -p "$port" -u "$work/socket" "$release/$driver" \
        </dev/null >"$work/log" 2>&1 &
    server=$!
    patience=20
    until ask indi_getprop -t 1 "$device.CONNECTION.CONNECT" >/dev/null 2>&1; do
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

say "4/5 Taking a picture of $seconds s"
# wait_for SECONDS CONDITION: until the condition holds on the server's properties.
wait_for() { ask indi_eval -t "$1" -w "$2" >/dev/null 2>&1; }
state="\"$device.CCD_EXPOSURE._STATE\""

ask indi_setprop "$device.CONNECTION.CONNECT=On" || give_up "the camera's CONNECTION could not be set"
wait_for 20 "\"$device.CONNECTION._STATE\"==1 && \"$device.CONNECTION.CONNECT\"==1" ||
    give_up "the camera does not connect: the lines above say why"
ask indi_getprop -t 10 "$device.CCD_EXPOSURE.CCD_EXPOSURE_VALUE" "$device.UPLOAD_SETTINGS.UPLOAD_DIR" >/dev/null ||
    give_up "the camera is connected but offers no exposure: please report this with the lines above"
ask indi_setprop "$device.UPLOAD_SETTINGS.UPLOAD_DIR=$work/frames;UPLOAD_PREFIX=first-light" \
    "$device.UPLOAD_MODE.UPLOAD_LOCAL=On" || give_up "the place for the picture could not be set"
wait_for 10 "\"$device.UPLOAD_MODE.UPLOAD_LOCAL\"==1 && \"$device.UPLOAD_SETTINGS._STATE\"==1" ||
    give_up "the driver refused the place for the picture"
ask indi_setprop "$device.CCD_EXPOSURE.CCD_EXPOSURE_VALUE=$seconds" || give_up "the exposure could not be started"
# Ok is 1 and Alert 3. Said in this way because indi_eval never gets a value for an operand that stands there twice.
wait_for $((seconds + 30)) "abs($state-2)==1" || give_up "the exposure does not end"
wait_for 2 "$state==1" || give_up "the exposure failed: the lines above say why"
[ -f "$work/frames/first-light.fits" ] || give_up "the exposure ended well, but there is no file"
mv "$work/frames/first-light.fits" first-light.fits

say "5/5 Done: $root/first-light.fits"
# A FITS header is cards of 80 characters in blocks of 2880 bytes; the cards wanted here fit into ten of them.
dd if=first-light.fits bs=2880 count=10 2>/dev/null | LC_ALL=C fold -b -w 80 | LC_ALL=C awk '
    /^END     / { exit }
    substr($0, 9, 2) == "= " {
        key = $1; sub(/=.*/, "", key)
        text = substr($0, 11)
        if (text ~ /^ *\047/) { sub(/^ *\047/, "", text); sub(/ *\047.*/, "", text) } else sub(/ *\/.*/, "", text)
        gsub(/^ +| +$/, "", text)
        value[key] = text
    }
    function show(label, key, unit) { if (key in value) printf "    %-12s %s%s\n", label, value[key], unit }
    function measure(label, key, unit) { if (key in value) { value[key] += 0; show(label, key, unit) } }
    END {
        printf "    %-12s %s x %s pixels, %s bit\n", "size", value["NAXIS1"], value["NAXIS2"], value["BITPIX"]
        show("camera", "INSTRUME", "")
        measure("exposure", "EXPTIME", " s")
        measure("gain", "GAIN", "")
        measure("temperature", "CCD-TEMP", " C")
        show("taken at", "DATE-OBS", " UTC")
    }'
cat <<END

The server of this first light is gone again. To play on, start one and speak to it from another terminal:
    indiserver $release/$driver
    indi_setprop '$device.CONNECTION.CONNECT=On'
    indi_getprop '$device.*.*'
    indi_setprop '$device.CCD_TEMPERATURE.CCD_TEMPERATURE_VALUE=-10'
    indi_getprop -m '$device.CCD_TEMPERATURE.CCD_TEMPERATURE_VALUE'
For Ekos: sudo sh packaging/install.sh, then choose "$device" under CCDs in the profile editor;
or connect Ekos to the running server as a remote host.
END

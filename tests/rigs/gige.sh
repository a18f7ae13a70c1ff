#!/bin/sh
# The backend aravis against a camera that nobody here wrote: the fake GigE Vision camera of Aravis, on 127.0.0.1.
#   sh tests/rigs/gige.sh [COMMAND...]
# Without a command: the contract of every camera, then the way through the driver (tests/aravis_rig.rs). A command runs
# while the camera answers. LOSS is how many packets of a thousand the camera loses, for a command. Installs nothing:
# packaging/test.sh does. There can be one such camera on a machine, because it owns UDP port 3956.
set -eu
cd "$(dirname "$0")/../.."
for program in arv-fake-gv-camera-0.8 arv-tool-0.8; do
    command -v "$program" >/dev/null || { echo "no $program: install aravis-tools and aravis-tools-cli" >&2; exit 1; }
done
ARAVIS_FAKE_CAMERA=$(command -v arv-fake-gv-camera-0.8)
ARAVIS_TOOL=$(command -v arv-tool-0.8)
export ARAVIS_FAKE_CAMERA ARAVIS_TOOL

camera=
end_camera() {
    [ -z "$camera" ] || { kill "$camera" 2>/dev/null && wait "$camera" 2>/dev/null; } || true
    camera=
}
trap end_camera EXIT
"$ARAVIS_FAKE_CAMERA" -i 127.0.0.1 -s RIG1 ${LOSS:+-r "$LOSS"} >/dev/null 2>&1 &
camera=$!
patience=50
until "$ARAVIS_TOOL" -a 127.0.0.1 control Width >/dev/null 2>&1; do
    patience=$((patience - 1))
    if [ "$patience" = 0 ] || ! kill -0 "$camera" 2>/dev/null; then
        echo "the fake camera does not answer" >&2
        exit 1
    fi
    sleep 0.1
done
if [ $# -gt 0 ]; then
    "$@"
    exit
fi
features=${RIG_FEATURES:-aravis,rigs}
INDI_CAMERA_CONTRACT=aravis INDI_CAMERA_GIGE=only,127.0.0.1 \
    cargo test --locked --features "$features" --test contract
# These start cameras of their own.
end_camera
cargo test --locked --features "$features" --test aravis_rig

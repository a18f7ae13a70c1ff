#!/bin/sh
# The backend v4l2 against cameras that nobody here wrote, in a virtual machine: the kernel's virtual video camera, and
# one behind the kernel's USB stack.
#   sh tests/rigs/v4l2.sh [COMMAND...]
# Without a command: the contract of every camera, then the way through driver and server (tests/v4l2_rig.rs). A command
# runs with the cameras' drivers loaded. UVC_CAMERA is the program that plugs in the USB camera: without it that half is
# left out. RIG_FEATURES is what the tests are compiled with, so that what was built before can be used.
set -eu
cd "$(dirname "$0")/../.."
uvc=${UVC_CAMERA:-}
modules="vivid,n_devs=1,node_types=0x1,num_inputs=2,input_types=0xc"
[ -z "$uvc" ] || modules="$modules vhci-hcd uvcvideo,nodrop=1"
if [ $# -gt 0 ]; then
    exec sh tests/rigs/guest.sh "$modules" "$@"
fi

built=$(cargo test --locked --features "${RIG_FEATURES:-rigs}" --test contract --test v4l2_rig --no-run 2>&1) || {
    echo "$built" >&2
    exit 1
}
program() { echo "$built" | sed -n "s|.*Executable tests/$1\.rs (\(.*\))|\1|p"; }
only=vivid::
[ -z "$uvc" ] || only=
[ -n "$uvc" ] || echo "no UVC_CAMERA: the driver of USB cameras is not tested"
# The simulators' own promises have been tested where that takes less time.
export INDI_CAMERA_CONTRACT=v4l2 RUST_BACKTRACE=0 GUEST_SECONDS="${GUEST_SECONDS:-600}"
exec sh tests/rigs/guest.sh "$modules" sh -euc "
    v4l2-ctl -i 1 --set-dv-bt-timings index=0 >/dev/null
    '$(program contract)' --test-threads=1 -q --skip simulator:: --skip sky:: --skip photons:: --skip replay::
    '$(program v4l2_rig)' --test-threads=1 $only"

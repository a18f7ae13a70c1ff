#!/bin/sh
# All families of cameras that are compiled in, in one process of the driver in one virtual machine, exposing together once
# a second (tests/all_families_rig.rs): the simulator, the kernel's virtual video camera, an Alpaca server, and Aravis' fake
# GigE camera where RIG_FEATURES has it.
#   sh tests/rigs/all_families.sh [SECONDS]
# SECONDS is 300 if not given. RIG_DRIVER is another build of the driver than that of the tests.
set -eu
cd "$(dirname "$0")/../.."
export RIG_SECONDS="${1:-300}"
features=${RIG_FEATURES:-rigs}
built=$(cargo test --locked --features "$features" --test all_families_rig --no-run 2>&1) || {
    echo "$built" >&2
    exit 1
}
program=$(echo "$built" | sed -n 's|.*Executable tests/all_families_rig\.rs (\(.*\))|\1|p')
export GUEST_SECONDS="${GUEST_SECONDS:-$((RIG_SECONDS * 2 + 120))}"
exec sh tests/rigs/guest.sh "vivid,n_devs=1,node_types=0x1,num_inputs=1,input_types=0x0" \
    sh -euc "v4l2-ctl -p 30 >/dev/null; '$program' --nocapture"

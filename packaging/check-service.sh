#!/bin/sh
# Checks the systemd unit as install.sh makes it: that systemd understands it, and how much it is still exposed to.
#   sh packaging/check-service.sh
set -eu
# shellcheck source=packaging/common.sh
. "$(dirname "$0")/common.sh"

# In tenths, of at most 100; what is left is the network that a server is for.
most=15
unit=indiserver-camera.service

need systemd has systemd-analyze
install_missing
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Any place where a driver could be: the one in the sources need not be built for this.
sed 's|@BIN@|/usr/bin|g' "packaging/$unit" >"$work/$unit"
! grep -n '@' "$work/$unit" | grep -v 'SystemCallFilter' || fail "$unit: a path is left open"
systemd-analyze verify "$work/$unit" >"$work/said" 2>&1 || { cat "$work/said" >&2; fail "$unit is not valid"; }
[ ! -s "$work/said" ] || { cat "$work/said" >&2; fail "systemd has something to say about $unit"; }
systemd-analyze security --offline=true --threshold=$most "$work/$unit" >"$work/said" ||
    { cat "$work/said" >&2; fail "$unit is more exposed than $most tenths"; }
tail -n 1 "$work/said"

# calls_of SET: the system calls in a set of systemd's, and in the sets inside.
calls_of() {
    systemd-analyze syscall-filter "$1" 2>/dev/null | sed -n 's/^ \{1,\}\([^ #]*\)$/\1/p' | while read -r name; do
        case $name in
        @*) calls_of "$name" ;;
        *) printf '%s\n' "$name" ;;
        esac
    done
}

# The calls that a frame on its way cannot do without, and that a filter could have forgotten.
calls_of @system-service >"$work/allowed"
{ calls_of @privileged && calls_of @resources; } >"$work/forbidden"
for call in memfd_create fcntl ftruncate fallocate mmap sendmsg recvmsg flock fsync renameat2 openat mkdirat statx clone3; do
    if ! grep -qx "$call" "$work/allowed" || grep -qx "$call" "$work/forbidden"; then
        fail "$unit forbids $call"
    fi
done

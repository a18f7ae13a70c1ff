#!/bin/sh
# Runs a command in a virtual machine that boots Debian's kernel, for drivers that need a kernel with cameras in it.
#   sh tests/rigs/guest.sh "MODULE[,PARAMETER=VALUE...] ..." COMMAND [ARGUMENT...]
# The guest has this machine's files at the same places, writes to its own memory only, and has no network but its own
# loopback; environment and directory are carried over. The status is the command's, 124 when GUEST_SECONDS (300) are
# over, 125 when the guest did not get that far. RIG_CACHE is where the kernel stays; the network is asked for it once.
# Needs qemu-system-x86, busybox-static, cpio, kmod and a Debian system. Emulated, so no rights and no /dev/kvm are needed.
set -eu

fail() {
    echo "guest.sh: $*" >&2
    exit 125
}
for tool in qemu-system-x86_64 busybox cpio modprobe; do
    command -v "$tool" >/dev/null || fail "no $tool (packaging/test.sh installs it)"
done
modules=$1
shift

# The kernel, unpacked once.
package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$package" ] || fail "apt does not know linux-image-amd64"
release=${package#linux-image-}
kernel=${RIG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/camera-rigs}/$release
if [ ! -e "$kernel/.complete" ]; then
    rm -rf "$kernel"
    mkdir -p "$kernel"
    (cd "$kernel" && apt-get -q download "$package" >&2) || fail "cannot fetch $package"
    dpkg-deb -x "$kernel"/*.deb "$kernel"
    rm "$kernel"/*.deb
    depmod -b "$kernel" "$release"
    touch "$kernel/.complete"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quoted() { for word; do printf "'%s' " "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")"; done; }

# Enough to reach this machine's files.
stage=$work/stage
mkdir -p "$stage/bin" "$stage/dev" "$stage/proc" "$stage/sys" "$stage/lower" "$stage/upper" "$stage/root" "$stage/lib"
cp "$(command -v busybox)" "$stage/bin/busybox"
for module in virtio_pci 9p 9pnet_virtio overlay; do
    modprobe -d "$kernel" -S "$release" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
    cp "$file" "$stage/lib/"
    basename "$file"
done >"$stage/lib/order"
cat >"$stage/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "/lib/$module"; done </lib/order
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro host /lower
mount -t tmpfs tmpfs /upper; mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /root
mount -t tmpfs tmpfs /root/run; mkdir /root/run/rig
mount -t 9p -o trans=virtio,version=9p2000.L rig /root/run/rig
mount --move /proc /root/proc; mount --move /sys /root/sys; mount --move /dev /root/dev
exec switch_root /root /bin/sh /run/rig/start
INIT
chmod +x "$stage/init"
(cd "$stage" && find . | cpio -o -H newc --quiet) >"$work/initrd"

mkdir "$work/rig"
export -p >"$work/rig/environment"
cat >"$work/rig/start" <<START
mkdir -p /dev/shm /lib/modules
mount -t tmpfs tmpfs /dev/shm; mount -t tmpfs tmpfs /lib/modules
ln -s /proc/self/fd /dev/fd
ip link set lo up
ln -s $(quoted "$kernel/lib/modules/$release") /lib/modules/$release
status=0
for module in $modules; do
    modprobe \$(echo "\$module" | sed 's/,\([^=,]*=\)/ \1/g') || status=125
done
. /run/rig/environment
[ \$status != 0 ] || (cd $(quoted "$PWD") && exec $(quoted "$@")) </dev/null >/dev/ttyS1 2>&1 || status=\$?
echo \$status >/run/rig/status
reboot -f
START

status=0
timeout --foreground -k 5 "${GUEST_SECONDS:-300}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -machine pc \
    -m "${GUEST_MEMORY:-2048}" -smp 2 -display none -nic none -no-reboot -nodefaults -rtc base=utc -monitor none \
    -device virtio-rng-pci -kernel "$kernel/boot/vmlinuz-$release" -initrd "$work/initrd" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable" \
    -serial "file:$work/console" -serial stdio \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
    -virtfs "local,path=$work/rig,mount_tag=rig,security_model=none" </dev/null || status=$?
case $status in
124 | 137)
    echo "guest.sh: not done after ${GUEST_SECONDS:-300} s" >&2
    exit 124
    ;;
esac
[ -s "$work/rig/status" ] || {
    tail -n 20 "$work/console" >&2
    fail "the guest ended early"
}
exit "$(cat "$work/rig/status")"

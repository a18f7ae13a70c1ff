# Sourced by the scripts beside it: words to the user, and installing what is missing. Sets $root and goes there.
# shellcheck shell=sh disable=SC2034 # what is set here is used by those who source it

root=$(cd "$(dirname "$0")/.." && pwd) && cd "$root" || exit 1
missing=

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# need PACKAGE CHECK...: remembers a Debian package whose check fails. The check looks for what is used, so that
# whatever was installed by other means counts as well.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has() { command -v "$1"; }

# Installs what was found missing; asks nothing of the network when there is nothing.
install_missing() {
    [ -n "$missing" ] || return 0
    if ! has apt-get >/dev/null; then
        say "Missing on this system, by their Debian names:$missing" >&2
        say "Without apt-get they have to be installed by hand. indi-bin is INDI's server with its command line" >&2
        say "tools (package libindi on Fedora and Arch), libcfitsio-dev is CFITSIO with its headers (cfitsio-devel" >&2
        say "on Fedora, cfitsio on Arch), python3-astropy is Astropy for the system's Python, libaravis-dev and" >&2
        say "aravis-tools are Aravis (aravis-devel, aravis)." >&2
        fail "install these and start again"
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        has sudo >/dev/null || fail "as root, run: apt-get install$missing"
        as_root=sudo
    fi
    say "Installing$missing"
    # A failed update matters only when the installation then fails too.
    $as_root apt-get -q update >/dev/null || true
    # shellcheck disable=SC2086 # one word per package
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing >/dev/null ||
        fail "apt-get could not install$missing"
    missing=
}

# What the programs are built with. fitsio comes with its bindings, so that CFITSIO's headers are enough and clang is
# not needed.
need_to_build() {
    need pkg-config has pkg-config
    need libcfitsio-dev pkg-config --exists cfitsio
}

# Finds cargo, also where rustup puts it before the shell has been restarted.
find_cargo() {
    has cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    has cargo >/dev/null || fail "no cargo: install Rust from https://rustup.rs and start again"
    has cc >/dev/null || fail "no C compiler: install one (Debian: build-essential) and start again"
}

# Where cargo puts the programs.
release=${CARGO_TARGET_DIR:-target}/release
case $release in
/*) ;;
*) release=$root/$release ;;
esac

# The names under which one driver serves one kind of camera each.
driver_names() { sed -n 's|.*<driver .*>\(.*\)</driver>.*|\1|p' packaging/indi_camera.xml; }

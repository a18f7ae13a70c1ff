#!/bin/sh
# Runs fuzz targets one after the other: run.sh [-t SECONDS] [TARGET...], ten minutes each and all of them by default.
#
# Needs cargo-fuzz (cargo install cargo-fuzz) and a C++ compiler. RUSTC_BOOTSTRAP=1 lets a stable compiler instrument
# the code; a nightly one does not need it. What is found lands in fuzz/artifacts/TARGET; try it again with
#     RUSTC_BOOTSTRAP=1 cargo fuzz run TARGET fuzz/artifacts/TARGET/crash-...
set -eu
cd "$(dirname "$0")/.."
seconds=600
if [ "${1-}" = -t ]; then
    seconds=$2
    shift 2
fi
[ $# -gt 0 ] || set -- $(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' fuzz/Cargo.toml)
export RUSTC_BOOTSTRAP=1
for target; do
    mkdir -p "fuzz/corpus/$target" "fuzz/seeds/$target"
    # A length that a server only claims is reserved, not touched: hence the limit of a single allocation.
    nice -n 19 cargo fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -malloc_limit_mb=8192 -print_final_stats=1
done

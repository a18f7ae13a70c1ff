#!/bin/sh
# The backend alpaca against a camera that nobody here wrote: the simulators of the PyPI package alpaca-simulators.
#   sh tests/rigs/alpaca.sh [COMMAND...]
# Without a command: the contract of every camera, then the way through the driver (tests/alpaca_rig.rs). A command runs
# with the simulator at ALPACA_ADDRESS. Asks the network for the package the first time only; RIG_CACHE is where it stays.
set -eu
cd "$(dirname "$0")/../.."
version=1.3.2
venv=${RIG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/camera-rigs}/alpaca
if [ ! -e "$venv/.complete" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" -q install "alpaca-simulators==$version" && touch "$venv/.complete"
fi
work=$(mktemp -d)
server=
# shellcheck disable=SC2064 # $work is known now
trap "rm -rf '$work'; [ -z \"\$server\" ] || kill \$server 2>/dev/null || true" EXIT

# A small sensor, and a sky of a few stars of its own: the simulator would ask the Internet for them. It has no named
# gains, because of the simulator's it reads back another than was set.
"$venv/bin/python" - "$work" <<'PYTHON'
import importlib.util, pathlib, sqlite3, sys, yaml
work = pathlib.Path(sys.argv[1])
package = pathlib.Path(importlib.util.find_spec("alpaca_simulators").origin).parent
config = yaml.safe_load((package / "config" / "template.yaml").read_text())
config["tap_source"] = str(work / "sky.db")
config["devices"]["camera"][0].update(cameraxsize=255, cameraysize=203, numx=255, numy=203, gains=[])
(work / "config.yaml").write_text(yaml.safe_dump(config))
sky = sqlite3.connect(work / "sky.db")
sky.execute("create table gaia_sources (ra real, dec real, pmra real, pmdec real, phot_g_mean_mag real)")
stars = [(ra, 89 + (ra % 7 - 3) / 300, 0, 0, 6 + ra % 5) for ra in range(0, 360, 5)]
sky.executemany("insert into gaia_sources values (?, ?, ?, ?, ?)", stars)
sky.commit()
PYTHON
export ALPACA_SIMULATOR="$venv/bin/alpaca-simulators" ALPACA_CONFIG="$work/config.yaml"

port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(cd "$work" && exec "$ALPACA_SIMULATOR" --host 127.0.0.1 --port "$port" --config "$ALPACA_CONFIG") >"$work/log" 2>&1 &
server=$!
export ALPACA_ADDRESS="127.0.0.1:$port"
"$venv/bin/python" - "$port" <<'PYTHON' || { cat "$work/log" >&2; exit 1; }
import socket, sys, time
for _ in range(240):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close(); sys.exit(0)
    except OSError:
        time.sleep(0.25)
sys.exit("the simulator does not listen")
PYTHON
if [ $# -gt 0 ]; then
    "$@"
    exit
fi
features=${RIG_FEATURES:-rigs}
INDI_CAMERA_CONTRACT=alpaca INDI_CAMERA_ALPACA="only,$ALPACA_ADDRESS" \
    cargo test --locked --features "$features" --test contract
cargo test --locked --features "$features" --test alpaca_rig

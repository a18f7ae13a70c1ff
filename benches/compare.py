#!/usr/bin/env python3
"""Measures what a frame costs a user: time from shutter to picture, processor, memory. Prints tables in Markdown.

    compare.py DRIVER [--peer COMMAND] [--rounds 3] [--only frames,replies,late,chain,growth,soak] [--plot FILE.svg]

DRIVER is indi_camera_simulator_ccd, release build; its simulated sensor shows the test pattern, so a read-out costs a
copy. --peer is another camera driver to compare with, run in turn with ours: any whose sensor has PEER_W x PEER_H pixels
of 16 bit, from the environment. Needs Python and, for "chain", indiserver. Medians; on a machine that does other things
too only the ratios of one run mean something.

frames   one driver alone, as indiserver would run it: on a socket (frames in shared memory) and on a pipe (base64)
replies  the answer to a property write while large frames go out
late     how long after its end the picture of an exposure is here, both processors being busy with something else
chain    indiserver between driver and client, on TCP and on the local socket, and two servers in a row
growth   1 to 32 cameras in one process, frames of 1 to 150 megapixels
soak     memory and descriptors over 10,000 frames by either way, and with a reader that does not read for a minute;
         only when asked for
"""
import argparse, array, atexit, fcntl, glob, mmap, os, re, select, shutil, socket, statistics, subprocess, sys, tempfile, time

END, CHUNK = b"</setBLOBVector>", 1 << 20
# Pings are looked for so far back: a few short messages may follow one, and a frame that goes by as text takes too long.
TAIL = 8192
# The longest message, a frame of 61 megapixels as text.
ROOM = memoryview(bytearray(200 << 20))
PATTERN = "SIMULATOR_SCENE.SCENE_TEST_PATTERN=On"


class Peer:
    """One end of an INDI connection: a driver's, with us as its server, or a server's, with us as a client."""

    def __init__(self, read, write, is_socket, answers_pings):
        self.read, self.write, self.is_socket, self.answers_pings = read, write, is_socket, answers_pings
        # What was read lands here and is never moved while the clock runs.
        self.room, self.have = ROOM, 0
        # Up to here there is no ping that was not answered.
        self.searched = 0
        self.fds, self.kinds = [], {}

    @property
    def text(self):
        return bytes(self.room[: self.have])

    def forget(self, until=None):
        rest = bytes(self.room[until : self.have]) if until else b""
        self.searched = max(0, self.searched - (until or self.have))
        self.room[: len(rest)] = rest
        self.have = len(rest)

    def send(self, text):
        data = memoryview(text.encode() + b"\n")
        while data:
            data = data[os.write(self.write, data):]

    def pump(self, wait):
        """Reads what is there, or waits for it; says whether anything came."""
        if not select.select([self.read], [], [], max(0, wait))[0]:
            return False
        room = self.room[self.have : self.have + CHUNK]
        if self.is_socket:
            count, ancillary, _, _ = self.socket.recvmsg_into([room], socket.CMSG_SPACE(16 * 4))
            for _, _, raw in ancillary:
                numbers = array.array("i")
                numbers.frombytes(raw[: len(raw) // 4 * 4])
                self.fds.extend(numbers)
        else:
            count = os.readv(self.read, [room])
        if not count:
            raise EOFError("the other side closed")
        self.have += count
        if self.answers_pings:
            self.answer_pings()
        return True

    def answer_pings(self):
        """Answers what was asked since the last time. A ping may come in two parts."""
        start = max(self.searched, self.have - TAIL)
        for ping in re.finditer(rb"<pingRequest\s+uid=(['\"])(.*?)\1", bytes(self.room[start : self.have])):
            self.send(f'<pingReply uid="{ping[2].decode()}"/>')
            self.searched = start + ping.end()

    def until(self, needle, limit=60):
        """Waits for a text, gives all up to its end and forgets that."""
        end, start = time.perf_counter() + limit, 0
        while (at := bytes(self.room[start : self.have]).find(needle)) < 0:
            start = max(0, self.have - len(needle))
            if not self.pump(end - time.perf_counter()):
                raise TimeoutError(f"no {needle.decode()}")
        here = time.perf_counter()
        at += start + len(needle)
        head = bytes(self.room[: min(at, 1 << 20)])
        self.forget(at)
        return head, here

    def quiet(self, seconds):
        """Reads until nothing has come for so long, and learns what is defined."""
        while self.pump(seconds):
            pass
        for kind, name in re.findall(rb"<def(Switch|Number|Text)Vector[^>]*?\sname=['\"]([^'\"]+)", self.text):
            self.kinds[name.decode()] = kind.decode()
        self.forget()

    def put(self, device, setting):
        path, value = setting.split("=", 1)
        name, element = path.split(".", 1)
        kind = self.kinds.get(name, "Switch" if value in ("On", "Off") else "Number")
        one = f'<one{kind} name="{element}">{value}</one{kind}>'
        self.send(f'<new{kind}Vector device="{device}" name="{name}">{one}</new{kind}Vector>')

    def set_up(self, device, width, height):
        """Connects a camera with a sensor of that size, where the driver lets it have one."""
        for setting in (f"SIMULATOR_SENSOR.WIDTH={width}", f"SIMULATOR_SENSOR.HEIGHT={height}", PATTERN):
            if setting.split(".")[0] in self.kinds:
                self.put(device, setting)
        self.quiet(0.3)
        self.put(device, "CONNECTION.CONNECT=On")
        self.until(b"CCD_EXPOSURE", 30)
        self.quiet(0.5)

    def expose(self, device, seconds):
        self.put(device, f"CCD_EXPOSURE.CCD_EXPOSURE_VALUE={seconds}")

    def picture(self, limit=60):
        """The next BLOB: (when it was here, came attached, bytes)."""
        head, here = self.until(END, limit)
        element = head[head.rfind(b"<oneBLOB"):][:2000]
        size = int(re.search(rb"\ssize=['\"](\d+)", element)[1])
        attached = b"attached=" in element.split(b">", 1)[0]
        if attached:
            fd = self.fds.pop(0)
            # libindi tells the length before compression.
            there = min(size, os.fstat(fd).st_size)
            with mmap.mmap(fd, there, mmap.MAP_SHARED, mmap.PROT_READ) as memory:
                memory[there - 1]
            os.close(fd)
        return here, attached, size


def new_home():
    """A home directory that is gone when we are."""
    home = tempfile.mkdtemp(prefix="indi-camera-bench-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


class Process:
    """A process, and what it took."""

    def __init__(self, command, **how):
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **how)

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1e3 / os.sysconf("SC_CLK_TCK")

    def status(self, key):
        return int(re.search(key + r":\s+(\d+)", open(f"/proc/{self.process.pid}/status").read())[1])

    def peak(self):
        return self.status("VmHWM") / 1024

    def descriptors(self):
        return len(glob.glob(f"/proc/{self.process.pid}/fd/*"))

    def end(self):
        self.process.terminate()
        self.process.wait(5)


class Driver(Process):
    """A driver alone, connected, with its sensor set up."""

    def __init__(self, command, width, height, transport="socket", settings=(), cameras=1):
        home = new_home()
        env = dict(os.environ, HOME=home, PEER_W=str(width), PEER_H=str(height), INDI_CAMERA_SIMULATORS=str(cameras))
        born = time.perf_counter()
        if transport == "socket":
            ours, theirs = socket.socketpair()
            super().__init__([command], stdin=theirs, stdout=theirs, env=env)
            theirs.close()
            self.line = Peer(ours.fileno(), ours.fileno(), True, True)
            self.line.socket = ours
        else:
            super().__init__([command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, bufsize=0)
            fcntl.fcntl(self.process.stdout.fileno(), fcntl.F_SETPIPE_SZ, CHUNK)
            self.line = Peer(self.process.stdout.fileno(), self.process.stdin.fileno(), False, True)
        line = self.line
        line.send('<getProperties version="1.7"/>')
        head, here = line.until(b"<def", 20)
        self.start = (here - born) * 1e3
        line.pump(1)
        while line.pump(0.4):
            pass
        names = re.findall(rb"<def\w+Vector\s[^>]*?device=['\"]([^'\"]+)", head + line.text)
        self.devices = sorted({name.decode() for name in names})
        line.quiet(0.1)
        for device in self.devices:
            line.set_up(device, width, height)
            for setting in settings:
                line.put(device, setting)
            line.quiet(0.1)
        self.device = self.devices[0]


def late(line, device, seconds, count, pause, warm=3):
    """How long after its time each of `count` pictures is here, ms."""
    after = []
    for number in range(warm + count):
        asked = time.perf_counter()
        line.expose(device, seconds)
        here, attached, size = line.picture(seconds + 60)
        if number >= warm:
            after.append((here - asked - seconds) * 1e3)
        line.quiet(pause)
    return after, attached, size


def measure(command, width, height, transport="socket", settings=(), count=12, seconds=0.001, pause=0.05):
    driver = Driver(command, width, height, transport, settings)
    late(driver.line, driver.device, seconds, 1, pause, 2)
    before = driver.cpu()
    after, attached, size = late(driver.line, driver.device, seconds, count, pause, 0)
    result = {
        "latency, ms": statistics.median(after),
        "processor, ms": (driver.cpu() - before) / count,
        "peak, MiB": driver.peak(),
        "start, ms": driver.start,
        "attached": attached,
        "size": size,
    }
    driver.end()
    return result


def rate(command, width, height, seconds, count=100):
    """Frames a second, each asked for when the one before is Ok."""
    driver = Driver(command, width, height)
    done = re.compile(rb"<setNumberVector[^>]*CCD_EXPOSURE['\"][^>]*state=['\"]Ok|state=['\"]Ok['\"][^>]*CCD_EXPOSURE['\"]")
    begun = time.perf_counter()
    for _ in range(count):
        driver.line.expose(driver.device, seconds)
        driver.line.picture()
        while not done.search(driver.line.text):
            driver.line.pump(2)
        driver.line.forget()
    result = {"frames/s": count / (time.perf_counter() - begun)}
    driver.end()
    return result


def replies(command, width, height, seconds=6):
    """The answer to a write of POLLING_PERIOD while frames are delivered back to back."""
    driver = Driver(command, width, height)
    line, took, frames, value = driver.line, [], 0, 1000
    answer = re.compile(rb"<setNumberVector[^>]*POLLING_PERIOD")
    end = time.perf_counter() + seconds
    line.expose(driver.device, 0.01)
    while time.perf_counter() < end:
        value = 1000 + (value - 999) % 500
        asked = time.perf_counter()
        line.put(driver.device, f"POLLING_PERIOD.PERIOD_MS={value}")
        while not answer.search(line.text):
            line.pump(10)
        took.append((time.perf_counter() - asked) * 1e3)
        line.pump(0.002)
        # Half an element at the end may be that of the next frame: it is looked at again with its other half.
        whole = line.text.rfind(b"Vector>") + 7
        here = line.text[:whole].count(END)
        line.forget(whole if whole > 6 else None)
        for _ in range(here):
            frames += 1
            os.close(line.fds.pop(0))
            line.expose(driver.device, 0.01)
    driver.end()
    took.sort()
    return {"median, ms": statistics.median(took), "p99, ms": took[int(len(took) * 0.99)], "worst, ms": took[-1], "frames": frames}


def lateness(command, seconds=0.1, count=100):
    """How long after its end a small picture is here while both processors are busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count())]
    try:
        driver = Driver(command, 64, 64)
        after, _, _ = late(driver.line, driver.device, seconds, count, 0.02)
        driver.end()
    finally:
        for process in busy:
            process.kill()
            process.wait()
    after.sort()
    return {"median, ms": statistics.median(after), "p99, ms": after[int(len(after) * 0.99)]}


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


class Server(Process):
    """indiserver, with drivers of its own or devices of another server."""

    def __init__(self, drivers, env):
        self.port = free_port()
        self.path = f"/tmp/indi-camera-bench-{self.port}"
        super().__init__(["indiserver", "-p", str(self.port), "-u", self.path, "-m", "4000", *drivers], env=env)

    def join(self, local):
        """A client's connection."""
        for _ in range(100):
            link = socket.socket(socket.AF_UNIX if local else socket.AF_INET)
            try:
                link.connect("\0" + self.path if local else ("127.0.0.1", self.port))
                break
            except OSError:
                link.close()
                time.sleep(0.05)
        line = Peer(link.fileno(), link.fileno(), True, False)
        line.socket = link
        line.send('<getProperties version="1.7"/>')
        return line

    def driver_cpu(self):
        """Processor time of the drivers it has started, ms."""
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()
        driver = Process.__new__(Process)
        total = 0
        for child in children:
            driver.process = argparse.Namespace(pid=int(child))
            total += driver.cpu()
        return total


def chain(command, width, height, local=False, servers=1, count=8):
    """The same through indiserver, or through a second one that has the camera from the first."""
    home = new_home()
    env = dict(os.environ, HOME=home, PEER_W=str(width), PEER_H=str(height))
    chained = [Server([command], env)]
    first = chained[0].join(False)
    head, _ = first.until(b"CONNECTION", 20)
    device = re.search(rb"device=['\"]([^'\"]+)", head)[1].decode()
    first.quiet(0.5)
    first.socket.close()
    for _ in range(servers - 1):
        chained.append(Server([f"{device}@127.0.0.1:{chained[-1].port}"], env))
    line = chained[-1].join(local)
    line.until(b"CONNECTION", 20)
    line.quiet(0.5)
    line.set_up(device, width, height)
    line.send(f'<enableBLOB device="{device}">Also</enableBLOB>')
    line.quiet(0.2)
    cpu = lambda: sum(server.cpu() for server in chained) + chained[0].driver_cpu()
    late(line, device, 0.001, 1, 0.05, 2)
    before = cpu()
    after, _, _ = late(line, device, 0.001, count, 0.05, 0)
    result = {"latency, ms": statistics.median(after), "processor, ms": (cpu() - before) / count}
    line.socket.close()
    for server in reversed(chained):
        server.end()
    return result


def many(command, cameras, count=8):
    """All cameras of one process expose at once: until the last picture is here."""
    driver = Driver(command, 1280, 1024, cameras=cameras)
    line, after = driver.line, []
    for number in range(count + 2):
        if number == 2:
            before = driver.cpu()
        asked = time.perf_counter()
        for device in driver.devices:
            line.expose(device, 0.1)
        for _ in driver.devices:
            here, _, _ = line.picture()
        if number >= 2:
            after.append((here - asked - 0.1) * 1e3)
        line.quiet(0.05)
    result = {
        "last picture after, ms": statistics.median(after),
        "processor a frame, ms": (driver.cpu() - before) / count / cameras,
        "peak, MiB": driver.peak(),
        "threads": driver.status("Threads"),
        "descriptors": driver.descriptors(),
    }
    driver.end()
    return result


def shared():
    """Memory files of the whole machine, MiB: a frame that lies in a socket is nobody's."""
    return int(re.search(r"Shmem:\s+(\d+)", open("/proc/meminfo").read())[1]) / 1024


def held(driver, before):
    own = (driver.status("VmRSS") - driver.status("RssShmem")) / 1024
    frames = shared() - before
    return f"{own:.1f} MiB and {frames:.1f} MiB of shared memory, {driver.descriptors()} descriptors"


def soak(options, count=10_000, stall=60):
    print("\n| frames | way | memory and descriptors after 1000 | after the last |\n|---|---|---|---|")
    for transport in ("socket", "pipe"):
        idle = shared()
        driver = Driver(options.driver, 640, 480, transport)
        for number in range(count):
            driver.line.expose(driver.device, 0.001)
            driver.line.picture()
            if number == 999:
                early = held(driver, idle)
        print(f"| {count} of 640x480 | {transport} | {early} | {held(driver, idle)} |", flush=True)
        driver.end()
    print("\n| way | before the stall | in its last second | frames asked for | frames received |\n|---|---|---|---|---|")
    for transport in ("socket", "pipe"):
        idle = shared()
        driver = Driver(options.driver, 1280, 1024, transport, ["CCD_FAST_COUNT.FRAMES=200", "CCD_FAST_TOGGLE.INDI_ENABLED=On"])
        driver.line.expose(driver.device, 0.001)
        frames = 0
        while frames < 10:
            driver.line.picture()
            frames += 1
        before = held(driver, idle)
        time.sleep(stall)
        during = held(driver, idle)
        while frames < 200:
            driver.line.picture()
            frames += 1
        print(f"| {transport} | {before} | {during} | 200 | {frames} |", flush=True)
        driver.end()


def median(results):
    numbers = lambda key: [result[key] for result in results]
    return {key: statistics.median(numbers(key)) for key in results[0]}


def alternately(options, run):
    """Medians of ours and the peer's, measured in turn."""
    commands = [options.driver] + ([options.peer] if options.peer else [])
    rounds = [[run(command) for command in commands] for _ in range(options.rounds)]
    return [median([results[i] for results in rounds]) for i in range(len(commands))]


def row(label, results, keys):
    """ours / theirs = ratio for each of the keys."""
    for key in keys:
        ours = results[0][key]
        if len(results) > 1:
            theirs = results[1][key]
            print(f"| {label}: {key} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |" if theirs else f"| {label}: {key} | {ours:.2f} | 0 | |", flush=True)
        else:
            print(f"| {label}: {key} | {ours:.2f} | | |", flush=True)


def head():
    print("\n| what | ours | peer | ratio |\n|---|---|---|---|")


def plot(path, series):
    """Two log-log plots side by side, as SVG. series: [(title, x label, [(name, [(x, y)])])]"""
    from math import log10

    width, height, margin = 420, 300, 55
    colours = ["#2166ac", "#b2182b", "#1b7837"]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(series) * (width + margin)}" height="{height + 2 * margin}" font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    for number, (title, label, lines) in enumerate(series):
        left, points = margin + number * (width + margin), [point for _, line in lines for point in line]
        low = [min(p[i] for p in points) for i in (0, 1)]
        high = [max(p[i] for p in points) for i in (0, 1)]
        span = [max(log10(high[i] / low[i]), 0.1) for i in (0, 1)]
        at = lambda p: (left + log10(p[0] / low[0]) / span[0] * (width - margin), margin + height - log10(p[1] / low[1]) / span[1] * height)
        out.append(f'<text x="{left}" y="{margin - 25}" font-size="14">{title}</text><text x="{left + width / 2 - 40}" y="{margin + height + 38}">{label}</text>')
        for axis in (0, 1):
            decade = 10.0 ** int(log10(low[axis]) - 1)
            while decade <= high[axis]:
                for step in (1, 2, 5):
                    value = decade * step
                    if low[axis] * 0.999 <= value <= high[axis] * 1.001:
                        x, y = at((value, low[1]) if axis == 0 else (low[0], value))
                        out.append(f'<text x="{x}" y="{margin + height + 18}" text-anchor="middle">{value:g}</text>' if axis == 0 else f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{value:g}</text>')
                        out.append(f'<line x1="{x}" y1="{margin if axis == 0 else y}" x2="{x if axis == 0 else left + width - margin}" y2="{margin + height if axis == 0 else y}" stroke="#ddd"/>')
                decade *= 10
        for colour, (name, line) in zip(colours, lines):
            path_points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, line))
            out.append(f'<polyline points="{path_points}" fill="none" stroke="{colour}" stroke-width="2"/>')
            out.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in map(at, line))
            out.append(f'<text x="{left + 8}" y="{margin + 14 + 16 * lines.index((name, line))}" fill="{colour}">{name}</text>')
    open(path, "w").write("\n".join(out + ["</svg>"]) + "\n")


def frames(options):
    head()
    both = lambda label, keys, **how: row(label, alternately(options, lambda command: measure(command, **how)), keys)
    three = ["latency, ms", "processor, ms", "peak, MiB"]
    both("4656x3520, attached", three + ["start, ms"], width=4656, height=3520)
    both("9576x6388, attached", three, width=9576, height=6388, count=8)
    both("1280x1024, attached", three, width=1280, height=1024, count=30)
    both("4656x3520, pipe", three, width=4656, height=3520, transport="pipe", count=8)
    both("4656x3520, .fits.fz", three, width=4656, height=3520, settings=["CCD_COMPRESSION.INDI_ENABLED=On"], count=8)
    both("1280x1024, 0.02 s after a pause", ["latency, ms"], width=1280, height=1024, seconds=0.02, pause=1, count=5)
    row("1280x1024, 0.02 s back to back", alternately(options, lambda command: rate(command, 1280, 1024, 0.02)), ["frames/s"])


def growth(options):
    print("\n| cameras | last picture after, ms | processor a frame, ms | peak, MiB | threads | descriptors |\n|---|---|---|---|---|---|")
    cameras, sizes = [], []
    for number in (1, 2, 4, 8, 16, 32):
        result = many(options.driver, number)
        cameras.append((number, result))
        print(f"| {number} | " + " | ".join(f"{value:.1f}" if isinstance(value, float) else str(value) for value in result.values()) + " |", flush=True)
    print("\n| megapixels | latency, ms | processor a frame, ms | peak, MiB | peak, frames |\n|---|---|---|---|---|")
    for width, height in ((1224, 818), (2448, 1632), (4656, 3520), (6248, 4176), (9576, 6388), (14208, 10656)):
        result, megapixels = measure(options.driver, width, height, count=6), width * height / 1e6
        sizes.append((megapixels, result))
        extra = (result["peak, MiB"] - 12) / (width * height * 2 / 2**20)
        print(f"| {megapixels:.1f} | {result['latency, ms']:.2f} | {result['processor, ms']:.1f} | {result['peak, MiB']:.0f} | {extra:.2f} |", flush=True)
    if options.plot:
        # What took less than a tick of the clock of processor time is not drawn.
        of = lambda results, key: [(x, result[key]) for x, result in results if result[key] > 0]
        plot(options.plot, [
            ("cameras of 1.3 megapixels exposing at once", "cameras", [("last picture after, ms", of(cameras, "last picture after, ms")), ("processor a frame, ms", of(cameras, "processor a frame, ms")), ("peak, MiB", of(cameras, "peak, MiB"))]),
            ("one camera", "megapixels", [("latency, ms", of(sizes, "latency, ms")), ("processor a frame, ms", of(sizes, "processor, ms")), ("peak, MiB", of(sizes, "peak, MiB"))]),
        ])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("driver")
    parser.add_argument("--peer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="frames,replies,late,chain,growth")
    parser.add_argument("--plot", metavar="FILE")
    options = parser.parse_args()
    options.driver = os.path.abspath(options.driver)
    wanted = options.only.split(",")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, Linux {os.uname().release}")
    if "frames" in wanted:
        frames(options)
    if "replies" in wanted:
        head()
        row("property write during 9576x6388", alternately(options, lambda command: replies(command, 9576, 6388)), ["median, ms", "p99, ms", "worst, ms", "frames"])
    if "late" in wanted:
        head()
        row("64x64, 0.1 s, busy machine", alternately(options, lateness), ["median, ms", "p99, ms"])
    if "chain" in wanted:
        head()
        for name, how in (
            ("4656x3520 through indiserver to a client on TCP", {}),
            ("4656x3520 through indiserver to a client on the local socket", {"local": True}),
            ("1280x1024 through indiserver to a client on TCP", {"width": 1280, "height": 1024}),
            # Slow: indiserver reads what comes by TCP 8 bytes at a time.
            ("1280x1024 through two servers in a row", {"width": 1280, "height": 1024, "servers": 2, "count": 2}),
        ):
            results = alternately(options, lambda command: chain(command, **{"width": 4656, "height": 3520, **how}))
            row(name, results, ["latency, ms", "processor, ms"])
    if "growth" in wanted:
        growth(options)
    if "soak" in wanted:
        soak(options)


if __name__ == "__main__":
    main()

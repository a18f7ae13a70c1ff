#!/usr/bin/env python3
"""Makes fuzz/seeds/ from a folder of recorded INDI traffic and a recording of the driver's own: seeds.py TRACES FLIGHT

Each file is one piece of what was really said, as the target of its folder reads it; what is no traffic (pictures,
answers of Alpaca servers, calls) is written down here. Needs astropy for the compressed picture.
"""

import io
import json
import re
import shutil
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEEDS = HERE / "seeds"
LONGEST = 1500


def save(target, pieces, most=40):
    folder = SEEDS / target
    folder.mkdir(parents=True)
    for number, piece in enumerate(pieces[:most]):
        piece = piece if isinstance(piece, bytes) else piece.encode()
        (folder / f"{number:02}").write_bytes(piece)


def elements(text):
    """Top-level elements of recorded traffic."""
    text = re.sub(r"<!--.*?-->|<\?.*?\?>", "", text, flags=re.S)
    found = re.findall(r"<(\w+)\b[^<>]*?/>|(<(\w+)\b[^<>]*>.*?</\3>)", text, flags=re.S)
    alone = re.findall(r"<(?:message|delProperty|getProperties)\b[^<>]*?/>", text)
    return alone + [whole for _, whole, _ in found if whole]


def pick(all_elements):
    """One short element for each tag and property."""
    chosen = {}
    for element in sorted(all_elements, key=len):
        tag = element[1:].split(None, 1)[0]
        name = re.search(r"name=['\"](\w+)", element)
        key = (tag, name.group(1) if name else element[-30:-22])
        if len(element) < LONGEST:
            chosen.setdefault(key, element)
    return list(chosen.values())


def card(keyword, value, comment=""):
    return f"{keyword:8}= {value:>20} / {comment}".ljust(80)[:80]


def picture(bitpix, *axes, extra=()):
    cards = [card("SIMPLE", "T"), card("BITPIX", bitpix), card("NAXIS", len(axes))]
    cards += [card(f"NAXIS{i + 1}", n) for i, n in enumerate(axes)]
    header = "".join([*cards, *extra, "END".ljust(80)])
    size = abs(bitpix) // 8
    for n in axes:
        size *= n
    header = header.ljust(-(-len(header) // 2880) * 2880).encode()
    return header + bytes(size).ljust(-(-size // 2880) * 2880, b"\0")


def compressed():
    import numpy
    from astropy.io import fits

    pixels = (numpy.arange(48, dtype=numpy.int16) % 7).reshape(6, 8)
    out = io.BytesIO()
    units = fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(pixels, compression_type="RICE_1")])
    units.writeto(out)
    return out.getvalue()


def answer(body, kind="application/json", status="200 OK", chunked=False, more=""):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}"
    if chunked:
        middle = len(body) // 2
        pieces = [body[:middle], body[middle:], b""]
        body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
        return (head + "Transfer-Encoding: chunked\r\n\r\n").encode() + body
    return (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def image(element, form, columns=2, rows=3, planes=0):
    count = columns * rows * max(planes, 1)
    head = [1, 0, 1, 1, 44, 2, element, 3 if planes else 2, columns, rows, planes]
    return struct.pack("<11i", *head) + struct.pack(f"<{count}{form}", *range(count))


def alpaca():
    told = {"ClientTransactionID": 1, "ServerTransactionID": 2, "ErrorNumber": 0, "ErrorMessage": ""}
    device = {"DeviceName": "Cam", "DeviceType": "Camera", "DeviceNumber": 0, "UniqueID": "u-1"}
    images = [image(8, "H"), image(2, "i"), image(3, "d"), image(4, "f"), image(6, "B"), image(8, "H", planes=3)]
    refused = struct.pack("<11i", 1, 1024, 1, 1, 44, 0, 0, 0, 0, 0, 0) + b"not implemented"
    return [
        *(answer(body, "application/imagebytes") for body in [*images, refused]),
        answer(images[0], "application/imagebytes", chunked=True),
        answer({**told, "Type": 2, "Rank": 2, "Value": [[1, 2, 3], [4, 5, 6]]}),
        answer({**told, "Type": 2, "Rank": 3, "Value": [[[1, 2, 3]], [[4.5, 5, -6]]]}, chunked=True),
        answer({**told, "Value": 1.5}),
        answer({**told, "Value": [device]}, more="Connection: close\r\n"),
        answer({**told, "ErrorNumber": 1031, "ErrorMessage": "not connected"}),
        answer(b"no such device", "text/plain", status="400 Bad Request"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer({"AlpacaPort": 11111}),
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ]


def scene(elements):
    """What clients really wrote, to our device, between connecting and taking pictures."""
    out = bytes([0, 14, 0, 0, 20, 0, 1])
    for element in elements:
        element = re.sub(r"device=(['\"]).*?\1", "device='Cam'", element, count=1).encode()
        length = -(-len(element) // 8)
        out += bytes([255, length]) + element.ljust(8 * length) + bytes([13, 1, 4, 0])
    return out


CALLS = """start_exposure {"exposure":1.5,"gain":5,"offset":1,"binning":[2,2],"frame_type":"darkflat","roi":{"start_x":1,"start_y":2,"width":3,"height":4}}
connect {"device_name":"Cam"}
set_parameter {"name":"CONNECTION.DISCONNECT","value":true}
set_parameter {"name":"format","value":"INDI_MONO_16"}
get_exposure_result {"encode":"base64"}
set_camera_roi {"start_x":0,"start_y":0,"width":1280,"height":1024}
set_binning {"binning":[2,1]}
cooling_to {"temperature":-1.25e1}
cooling {"enable":false}
pulse_guide {"direction":"n","ms":1000}
call {"name":"self_test","params":{"a":[1,[2,{"b":"\\u00e4\\ud83d\\ude00"}]]}}
list_parameters {}
get_gain""".splitlines()


def main(traces, flight):
    files = sorted(Path(traces).iterdir())
    texts = {file.name: file.read_text(errors="replace") for file in files}
    found = pick([element for text in texts.values() for element in elements(text)])
    shutil.rmtree(SEEDS, ignore_errors=True)
    save("splitter", [b"\x07\xff" + "\n".join(found[i : i + 3]).encode() for i in range(0, len(found), 3)], 25)
    save("parser", found, 60)
    numbers = sorted({text.strip() for found in texts.values() for text in re.findall(r">([^<>]{1,20})</oneNumber", found)})
    formats = sorted({text for found in texts.values() for text in re.findall(r'format="([^"]*)"', found)})
    odd = ["12:30:05.5", "-0:30", "1e-300", "0x10", "1,5", "%10.6m", "%+08.3e", "%%%g"]
    words = formats[:15] + numbers[:: max(1, len(numbers) // 15)] + odd
    save("numbers", [struct.pack("<d", -12.508333) + word.encode() for word in words], 50)
    skeletons = HERE.parent / "xml-skeletons"
    save("skeletons", [file.read_bytes() for file in sorted(skeletons.iterdir()) if file.stat().st_size < 2000])
    vectors = [element for element in found if element.startswith("<new")]
    config = next(text for name, text in texts.items() if "config-file" in name)
    save("config", [config, *(f"<INDIDriver>{'  '.join(vectors[i:i + 4])}</INDIDriver>" for i in range(0, len(vectors), 4))], 12)
    save("camera_call", [call.replace(" ", "\n", 1) for call in CALLS])
    signed = [card("BZERO", 32768), card("BSCALE", 1), card("GAIN", 5), card("CCD-TEMP", "-10.0")]
    extras = [card("XPIXSZ", "3.8"), card("YPIXSZ", "3.8"), card("BAYERPAT", "'RGGB    '")]
    pictures = [picture(16, 4, 3, extra=signed + extras), picture(8, 4, 3, 3), picture(-32, 2, 2), picture(32, 3), picture(8)]
    save("fits", [*pictures, compressed()])
    save("alpaca", alpaca())
    wishes = [element for text in texts.values() for element in elements(text) if element.startswith("<new")]
    wishes = list(dict.fromkeys(wish for wish in wishes if len(wish) < 600))
    save("device", [scene(wishes[i : i + 6]) for i in range(0, len(wishes), 6)], 25)
    lines = [line for line in Path(flight).read_bytes().splitlines(keepends=True) if not line.startswith(b'{"in"') or b'"Debug"' not in line]
    home = re.search(rb'"home":"([^"]*)"', b"".join(lines)).group(1)
    lines = [line.replace(home, b"/home/user") for line in lines]
    made = [b'{"made"' in line for line in lines].index(True)
    save("recording", [b"".join(lines), b"".join(lines[:made] + lines[made + 1 :])[:12000], lines[0]])
    size = sum(file.stat().st_size for file in SEEDS.rglob("*") if file.is_file())
    print(f"{size} bytes of seeds")


if __name__ == "__main__":
    main(*sys.argv[1:3])

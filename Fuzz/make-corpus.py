#!/usr/bin/env python3
"""Writes the seeds in Corpus/<target>: known answers of Tests/Vectors in the form that each target reads, and
small DAGs, HAMTs and indexes that are made here, independently of the code under test."""

import hashlib
import json
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parent / "Tests" / "Vectors"
MAXIMUM_BYTES = 2048
SHELL = "🐚".encode()


def seed(target, content):
    if len(content) <= MAXIMUM_BYTES:
        folder = HERE / "Corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ("seed-" + hashlib.sha256(content).hexdigest()[:12])).write_bytes(content)


def load(path):
    return json.loads((VECTORS / path).read_text())


# Formats


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def cid(block, codec=0x70):
    return bytes([1]) + varint(codec) + b"\x12\x20" + hashlib.sha256(block).digest()


def field(number, content):
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def node(links, data):
    """A DAG-PB block of links (CID, name, tsize) and data."""
    out = b""
    for target, name, tsize in links:
        out += field(2, field(1, target) + field(2, name) + field(3, tsize))
    return out + (field(1, data) if data is not None else b"")


def message(kind, content=None, size=None, sizes=(), fanout=None, mode=None, mtime=None):
    """A UnixFS message."""
    out = field(1, kind)
    out += field(2, content) if content is not None else b""
    out += field(3, size) if size is not None else b""
    out += b"".join(field(4, each) for each in sizes)
    out += field(5, 0x22) + field(6, fanout) if fanout else b""
    out += field(7, mode) if mode is not None else b""
    if mtime:
        out += field(8, field(1, mtime[0]) + bytes([0x15]) + struct.pack("<I", mtime[1]))
    return out


def sections(car):
    """The blocks of a CARv1 with their CIDs, and where each begins."""
    length, at = read_varint(car, 0)
    at += length
    while at < len(car):
        start = at
        length, at = read_varint(car, at)
        section = car[at : at + length]
        at += length
        size = 34 if section[:2] == b"\x12\x20" else 36
        yield start, section[:size], section[size:]


def murmur3(data):
    """The first 64 bits of murmur3 x64 128 of seed 0."""
    mask = (1 << 64) - 1
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F

    def rotate(value, count):
        return (value << count | value >> (64 - count)) & mask

    def mix1(k):
        return rotate(k * c1 & mask, 31) * c2 & mask

    def mix2(k):
        return rotate(k * c2 & mask, 33) * c1 & mask

    def finish(k):
        k = (k ^ k >> 33) * 0xFF51AFD7ED558CCD & mask
        k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53 & mask
        return k ^ k >> 33

    h1 = h2 = 0
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        k1, k2 = struct.unpack_from("<QQ", data, at)
        h1 = ((rotate(h1 ^ mix1(k1), 27) + h2) * 5 + 0x52DCE729) & mask
        h2 = ((rotate(h2 ^ mix2(k2), 31) + h1) * 5 + 0x38495AB5) & mask
    tail = data[whole:]
    h2 ^= mix2(int.from_bytes(tail[8:], "little")) if len(tail) > 8 else 0
    h1 ^= mix1(int.from_bytes(tail[:8], "little")) if tail else 0
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = (h1 + h2) & mask
    h2 = (h2 + h1) & mask
    h1, h2 = finish(h1), finish(h2)
    return (h1 + h2) & mask


def hamt(names, bits, depth=0):
    """The blocks of a HAMT, its root first."""
    slots = {}
    for name in names:
        slots.setdefault(murmur3(name) >> (64 - bits * (depth + 1)) & ((1 << bits) - 1), []).append(name)
    links, below = [], []
    for slot in sorted(slots):
        prefix = b"%0*X" % ((bits + 3) // 4, slot)
        if len(slots[slot]) == 1:
            links.append((cid(slots[slot][0], 0x55), prefix + slots[slot][0], 7))
        else:
            shard = hamt(slots[slot], bits, depth + 1)
            links.append((cid(shard[0]), prefix, sum(map(len, shard))))
            below += shard
    used = sum(1 << slot for slot in slots)
    field_of_bits = used.to_bytes((used.bit_length() + 7) // 8, "big")
    return [node(links, message(5, content=field_of_bits, fanout=1 << bits))] + below


def index(places, multihash_sorted):
    """An index of sha2-256 digests and where in the payload their sections begin."""
    body = b"".join(digest + struct.pack("<Q", start) for digest, start in sorted(places))
    lists = struct.pack("<IIQ", 1, 40, len(body)) + body
    if multihash_sorted:
        return varint(0x0401) + struct.pack("<IQ", 1, 0x12) + lists
    return varint(0x0400) + lists


def version2(car, index_bytes):
    header = bytes(16) + struct.pack("<QQQ", 51, len(car), 51 + len(car) if index_bytes else 0)
    return bytes.fromhex("0aa16776657273696f6e02") + header + car + index_bytes


# Seeds


def multiformats():
    for value in (0, 1, 127, 128, 300, 1 << 31, (1 << 63) - 1):
        seed("varint", varint(value))
    seed("varint", b"\x81\x00")
    seed("varint", b"\xff" * 10)
    cids = load("multiformats/cid.json")
    for row in cids["valid"]:
        seed("cid", bytes.fromhex(row["bytes_hex"]))
        seed("cid", row["text"].encode())
        seed("multibase", row["base36"].encode())
    for row in cids["reject"] + cids["identity_limit"]:
        seed("cid", row["text"].encode() if "text" in row else bytes.fromhex(row["bytes_hex"]))
    for row in cids["ipns_names"]:
        seed("cid", row["peer_id"].encode())
        seed("cid", row["base36"].encode())
    for row in load("multiformats/multibase.json")["vectors"]:
        seed("multibase", row["text"].encode())


def codecs():
    for row in load("codecs/positive.json").values():
        for codec, form in row.items():
            block = bytes.fromhex(form["hex"])
            seed(codec, block if codec == "dag-pb" else b"\0" + block)
    for codec, groups in load("codecs/negative.json").items():
        for row in groups.get("decode", []):
            block = bytes.fromhex(row["hex"])
            seed(codec, block if codec == "dag-pb" else b"\0" + block)
    # Plain CBOR and JSON, which only the lenient dialects read.
    for text in ("bf6161 9f 01 ff 6162 5f 41 00 41 01 ff ff", "a2 01 f93c00 20 fa3f800000", "c1 1a514b67b0"):
        seed("dag-cbor", b"\0" + bytes.fromhex(text))
    for text in ('{"b":1e400,"a":[1e2,-0.0,"\\ud83d\\ude00"]}', '{"/":{"/":"a"}}', " [ 1 , 2 ] "):
        seed("dag-json", b"\0" + text.encode())
    # Keys that are equal as strings, and different by their bytes.
    seed("dag-cbor", bytes.fromhex("00a262c3a9016365cc8102"))
    seed("dag-json", b"\0" + '{"e\u0301":2,"\u00e9":1}'.encode())
    inner = b'{"b":[1,2,{"c":null}]}'
    outer = b"\xa2\x61a\xd8\x2a\x58\x27\x00" + cid(inner, 0x0129) + b"\x61l\x82\x01\xf6"
    for path in (b"a/b/2/c", b"l/1", b"a", b""):
        seed("paths", bytes([0]) + SHELL.join([outer, inner, path]))
    top = node([(cid(outer, 0x71), b"x", 9)], b"data")
    seed("paths", bytes([2]) + SHELL.join([top, outer, inner, b"x/a/b/0"]))
    seed("paths", bytes([2]) + SHELL.join([top, outer, inner, b"Links/0/Hash/l/0"]))
    # A CID that leads to the first block by its first byte: a cycle.
    loop = b"\xa1\x61a\xd8\x2a\x58\x25\x00\x01\x71\x12\x20" + bytes(32)
    seed("paths", bytes([0]) + SHELL.join([loop, b"a/a/a"]))


def cars():
    for path in sorted((VECTORS / "car").iterdir()):
        if path.suffix in (".car", ".bin"):
            content = path.read_bytes()
            for options in (0, 2, 15):
                seed("car", bytes([options, 16]) + content)
            seed("car-access", b"\0" + content)
    # An index that points into a block, at what looks like the section of another one.
    wanted = cid(b"\1\2\3", 0x55)
    fake = varint(39) + wanted + b"\3\2\1"
    cover = cid(fake, 0x55) + fake
    car = bytes.fromhex("11a265726f6f7473806776657273696f6e01") + varint(len(cover)) + cover
    places = [(hashlib.sha256(b"\1\2\3").digest(), len(car) - len(fake))]
    car += varint(39) + wanted + b"\1\2\3"
    seed("car-access", b"\0" + version2(car, index(places, False)))
    for name in ("simple-unixfs.car", "simple-unixfs-missing-blocks.car"):
        car = (VECTORS / "car" / name).read_bytes()
        # Fewer blocks leave room for an index.
        starts = [start for start, _, _ in sections(car)]
        short = car[: starts[4]]
        for form in (False, True):
            made = index([(name[-32:], start) for start, name, _ in sections(short)], form)
            seed("car-index", made)
            seed("car", b"\0\x20" + version2(short, made))
            seed("car-access", b"\0" + version2(short, made))
            seed("car-access", b"\2" + version2(short, made[:-1] + b"\1"))


def unixfs():
    for path in ("car/simple-unixfs.car", "car/wikipedia-cryptographic-hash-function.car"):
        for _, name, block in sections((VECTORS / path).read_bytes()):
            if len(block) <= MAXIMUM_BYTES and name[-35:-34] != b"\x55":
                seed("unixfs", block)
                seed("unixfs-file", b"\0\0\0\xff\0" + block)
                seed("hamt", b"\0" + block)
    for data in (
        message(2, b"hello world", 11, mode=0o644, mtime=(1_700_000_000, 123)),
        message(2, None, 30, (10, 20)),
        message(4, b"../target"),
        message(5, b"\1\2", fanout=256),
        field(1, 2) + field(4, b"\x0a\x14") + field(3, 30) + field(9, b"unknown"),
    ):
        seed("unixfs", data)
    leaves = [b"some bytes", b"and more of them", b"the rest"]
    inner = node([(cid(leaf, 0x55), b"", len(leaf)) for leaf in leaves[:2]], message(2, None, 26, (10, 16)))
    top = node([(cid(inner), b"", 200), (cid(leaves[2], 0x55), b"", 8)], message(2, b"AB", 36, (26, 8)))
    for settings in (b"\0\0\0\xff\0", b"\0\3\0\x0c\0"):
        seed("unixfs-file", settings + SHELL.join([top, inner] + leaves))
    seed("unixfs-file", b"\0\0\0\x40\0" + SHELL.join([top, inner] + leaves[:2]))
    seed("unixfs-file", b"\1\0\0\x40\0raw content")
    seed("unixfs-file", b"\2\x03\0\x40\0" + b"content that is cut into leaves of eight bytes " * 4)
    names = [b"entry %d" % number for number in range(24)]
    basic = node([(cid(name, 0x55), name, 7) for name in sorted(names[:6])], message(1))
    seed("hamt", b"\0" + basic)
    for bits, count in ((3, 4), (3, 10), (4, 12), (8, 8)):
        seed("hamt", bytes([0x20]) + SHELL.join(hamt(names[:count], bits)))
    for settings in (0x01, 0x03, 0x15, 0x2D):
        lists = [b"/".join(names[:8]), b"/".join(names[5:12]), b"/".join(names[1:7])]
        seed("hamt", bytes([settings]) + b"//".join(lists))
        seed("hamt", bytes([settings]) + b"a/b/c//d/e/f//a/b/c/d")


def ipns():
    for record in (VECTORS / "ipns").glob("*.ipns-record"):
        seed("ipns", b"\0" + record.read_bytes())
    for key in load("ipns/keys.json"):
        seed("ipns", b"\1" + bytes.fromhex(key["public"]))
    for text in ("2026-11-21T10:00:00.123456789Z", "1999-12-31T23:59:59+01:30"):
        seed("ipns", b"\2" + text.encode())
    for text in ("/ipfs/bafkqaaa/a/b", "/ipns/12D3KooWLQzUv2FHWGVPXTXSZpdHs7oHbXub2G5WC8Tx4NQhyd2d", "/ipns/a.test/x"):
        seed("ipns", b"\3" + text.encode())
    for text in ("en.wikipedia-on-ipfs.org", "a.b."):
        seed("ipns", b"\4" + text.encode())


if __name__ == "__main__":
    multiformats()
    codecs()
    cars()
    unixfs()
    ipns()

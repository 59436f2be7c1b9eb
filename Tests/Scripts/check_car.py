#!/usr/bin/env python3
"""Checks CAR files by the specifications alone, with nothing of Nacre in it.

usage: check_car.py [--pack] [--roots-present] [--list] FILE...

Reads CARv1 and CARv2, hashes every block again and compares it with its CID. One line is printed for each
file; the exit code is 1 if any of them is wrong, and the line then says at which byte.

  --pack           a pack of a data directory: CARv1 whose header has no roots
  --roots-present  each root must be a block of the file
  --list           print the CID and the offset of each block

Specifications: ipld.io/specs/transport/car, github.com/multiformats/{cid,multihash,unsigned-varint}.
"""

import base64
import hashlib
import sys

PRAGMA = bytes.fromhex("0aa16776657273696f6e02")
LARGEST_BLOCK = 8 * 1024 * 1024
LARGEST_HEADER = 1024 * 1024

IDENTITY = 0x00
HASHES = {
    0x11: lambda data: hashlib.sha1(data).digest(),
    0x12: lambda data: hashlib.sha256(data).digest(),
    0x13: lambda data: hashlib.sha512(data).digest(),
    0x14: lambda data: hashlib.sha3_512(data).digest(),
    0x15: lambda data: hashlib.sha3_384(data).digest(),
    0x16: lambda data: hashlib.sha3_256(data).digest(),
    0x17: lambda data: hashlib.sha3_224(data).digest(),
    0x20: lambda data: hashlib.sha384(data).digest(),
    0xD5: lambda data: hashlib.md5(data).digest(),
    0x1013: lambda data: hashlib.sha224(data).digest(),
    0xB220: lambda data: hashlib.blake2b(data, digest_size=32).digest(),
    0xB240: lambda data: hashlib.blake2b(data, digest_size=64).digest(),
    0xB260: lambda data: hashlib.blake2s(data, digest_size=32).digest(),
}


class CarError(Exception):
    """What is wrong with a file, and where."""


def read_varint(data, at):
    """Returns (value, offset behind it)."""
    value = 0
    for index in range(9):
        if at + index >= len(data):
            raise CarError(f"byte {at}: a varint is cut off")
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if byte == 0 and index > 0:
                raise CarError(f"byte {at}: a varint is longer than needed")
            return value, at + index + 1
    raise CarError(f"byte {at}: a varint is longer than nine bytes")


class Cid:
    """A CID as it stands in a file."""

    def __init__(self, data, at=0):
        """Reads the CID at an offset; `end` is the offset behind it."""
        start = at
        if data[at : at + 2] == b"\x12\x20":
            self.version, self.codec = 0, 0x70
        else:
            self.version, at = read_varint(data, at)
            if self.version != 1:
                raise CarError(f"byte {start}: CID version {self.version}")
            self.codec, at = read_varint(data, at)
        self.hash, at = read_varint(data, at)
        size, at = read_varint(data, at)
        self.end = at + size
        self.digest = bytes(data[at : self.end])
        self.bytes = bytes(data[start : self.end])
        if len(self.digest) != size:
            raise CarError(f"byte {start}: a CID is cut off")

    @property
    def multihash(self):
        """The key of a block: CIDs of other versions and codecs name the same bytes."""
        return self.hash, self.digest

    def matches(self, block):
        """Whether the block hashes to this; `None` if the function is not known here."""
        if self.hash == IDENTITY:
            return self.digest == block
        function = HASHES.get(self.hash)
        return None if function is None else function(block) == self.digest

    def __str__(self):
        if self.version == 0:
            return base58(self.bytes)
        return "b" + base64.b32encode(self.bytes).decode().lower().rstrip("=")


def base58(data):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


class Cbor:
    """The little of DAG-CBOR that a header has: maps, texts, numbers, lists, links."""

    def __init__(self, data, base):
        self.data, self.base, self.at = data, base, 0

    def fail(self, what):
        raise CarError(f"byte {self.base + self.at}: {what} in the header")

    def take(self, count):
        if count > len(self.data) - self.at:
            self.fail("missing bytes")
        self.at += count
        return self.data[self.at - count : self.at]

    def value(self):
        first = self.take(1)[0]
        major, number = first >> 5, first & 0x1F
        if number >= 28:
            self.fail("an item of indefinite length")
        if number >= 24:
            number = int.from_bytes(self.take(1 << (number - 24)), "big")
        if major == 0:
            return number
        if major == 2:
            return self.take(number)
        if major == 3:
            return self.take(number).decode()
        if major == 4:
            return [self.value() for _ in range(number)]
        if major == 5:
            return {self.value(): self.value() for _ in range(number)}
        if major == 6 and number == 42:
            link = self.value()
            if not isinstance(link, bytes) or link[:1] != b"\0":
                self.fail("a link that is none")
            return Cid(link, 1)
        return self.fail(f"an item of kind {major}")


class Section:
    """A block, and where in the file its section begins."""

    def __init__(self, cid, offset, block):
        self.cid, self.offset, self.block = cid, offset, block


class CarFile:
    """A CARv1 or CARv2 in an open file. Sections are read one at a time."""

    def __init__(self, stream):
        self.stream = stream
        self.size = stream.seek(0, 2)
        self.version, start, self.end = 1, 0, self.size
        if self.read(0, len(PRAGMA)) == PRAGMA:
            self.version = 2
            header = self.read(len(PRAGMA), 40)
            if len(header) < 40:
                raise CarError("byte 11: the version 2 header is cut off")
            start, length, self.index = (
                int.from_bytes(header[at : at + 8], "little") for at in (16, 24, 32)
            )
            self.end = start + length
            if start < 51 or length == 0 or self.end > self.size:
                raise CarError(f"byte 27: a payload of {length} bytes at {start} does not fit")
        self.start = start
        length, at = self.length(start, LARGEST_HEADER)
        header = Cbor(self.read(at, length), at)
        fields = header.value()
        if header.at != length or not isinstance(fields, dict) or fields.get("version") != 1:
            raise CarError(f"byte {at}: the header is not that of a CARv1")
        self.roots = fields.get("roots") or []
        self.first = at + length

    def read(self, at, count):
        self.stream.seek(at)
        return self.stream.read(count)

    def length(self, at, limit):
        """The length at an offset, and the offset behind it."""
        head = self.read(at, min(9, self.end - at))
        try:
            length, size = read_varint(head, 0)
        except CarError as error:
            raise CarError(f"byte {at}: no length: {error}") from None
        if length == 0:
            raise CarError(f"byte {at}: length zero")
        if length > limit:
            raise CarError(f"byte {at}: {length} bytes are claimed, {limit} are allowed")
        if length > self.end - at - size:
            raise CarError(f"byte {at}: {length} bytes are claimed, {self.end - at - size} are left")
        return length, at + size

    def sections(self):
        at = self.first
        while at < self.end:
            length, start = self.length(at, LARGEST_BLOCK + 256)
            data = self.read(start, length)
            try:
                cid = Cid(data)
            except CarError as error:
                raise CarError(f"byte {at}: no CID: {error}") from None
            yield Section(cid, at, data[cid.end :])
            at = start + length


def check(path, options):
    """Checks one file; returns the line to print."""
    with open(path, "rb") as stream:
        car = CarFile(stream)
        if "--pack" in options and (car.version != 1 or car.roots):
            raise CarError("byte 0: a pack is a CARv1 without roots")
        blocks = total = unknown = 0
        seen = set()
        for section in car.sections():
            result = section.cid.matches(section.block)
            if result is False:
                raise CarError(f"byte {section.offset}: the block does not hash to {section.cid}")
            unknown += result is None
            blocks += 1
            total += len(section.block)
            seen.add(section.cid.multihash)
            if "--list" in options:
                print(section.cid, section.offset)
        if "--roots-present" in options:
            for root in car.roots:
                if root.multihash not in seen and root.hash != IDENTITY:
                    raise CarError(f"root {root} is not in the file")
    return (
        f"version {car.version}, {len(car.roots)} roots, {blocks} blocks, {len(seen)} different, "
        f"{total} bytes, {unknown} not checked"
    )


def main(arguments):
    options = {argument for argument in arguments if argument.startswith("--")}
    paths = [argument for argument in arguments if not argument.startswith("--")]
    if not paths or options - {"--pack", "--roots-present", "--list"}:
        print(__doc__, file=sys.stderr)
        return 2
    failed = False
    for path in paths:
        try:
            print(f"{path}: {check(path, options)}")
        except (CarError, OSError, UnicodeDecodeError, RecursionError, TypeError) as error:
            failed = True
            print(f"{path}: WRONG: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

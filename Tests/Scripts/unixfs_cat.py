#!/usr/bin/env python3
"""Reads UnixFS files and directories out of a CAR file, by the specifications alone.

usage: unixfs_cat.py CAR [ROOT] OUT

Writes what ROOT (a CID; the first root of the file by default) names to OUT, which must not exist: a file, a
directory with all below it, or a symlink. `-` as OUT writes a file to standard output. Files of any layout,
basic and sharded directories, symlinks, mode and modification time are read; every block is hashed.

Specifications: specs.ipfs.tech/unixfs, ipld.io/specs/codecs/dag-pb.
"""

import os
import sys

from check_car import CarError, CarFile, Cid, read_varint

RAW, DAG_PB = 0x55, 0x70
RAW_NODE, DIRECTORY, FILE, _, SYMLINK, SHARD = range(6)
DEEPEST = 512


class Message:
    """The fields of a protobuf message: numbers, or bytes, in the order of the message."""

    def __init__(self, data):
        self.fields = []
        at = 0
        while at < len(data):
            key, at = read_varint(data, at)
            kind = key & 7
            if kind == 0:
                value, at = read_wide_varint(data, at)
            elif kind == 2:
                size, at = read_varint(data, at)
                value = data[at : at + size]
                at += size
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
                value = int.from_bytes(data[at : at + size], "little")
                at += size
            else:
                raise CarError(f"a protobuf field of kind {kind}")
            if at > len(data):
                raise CarError("a protobuf message is cut off")
            self.fields.append((key >> 3, value))

    def all(self, number):
        return [value for field, value in self.fields if field == number]

    def one(self, number, default=None):
        return (self.all(number) or [default])[-1]


def read_wide_varint(data, at):
    """A protobuf varint: up to ten bytes, as negative numbers take."""
    value = 0
    for index in range(10):
        if at + index >= len(data):
            raise CarError("a protobuf number is cut off")
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & (1 << 64) - 1, at + index + 1
    raise CarError("a protobuf number is too long")


class Link:
    def __init__(self, message):
        self.cid = Cid(message.one(1, b""))
        self.name = bytes(message.one(2, b""))


class Node:
    """A UnixFS node: what a block says when it is decoded."""

    def __init__(self, cid, block):
        self.links, self.data, self.kind, self.sizes, self.size = [], b"", RAW_NODE, [], len(block)
        self.mode = self.mtime = None
        self.fanout = 0
        if cid.codec == RAW:
            self.data = block
            return
        if cid.codec != DAG_PB:
            raise CarError(f"{cid}: codec 0x{cid.codec:x} is not UnixFS")
        outer = Message(block)
        self.links = [Link(Message(link)) for link in outer.all(2)]
        inner = Message(outer.one(1, b""))
        self.kind = inner.one(1, FILE)
        self.data = bytes(inner.one(2, b""))
        self.sizes = inner.all(4)
        self.size = inner.one(3, len(self.data))
        self.fanout = inner.one(6, 0)
        self.mode = inner.one(7)
        time = inner.one(8)
        if time is not None:
            time = Message(time)
            seconds = time.one(1, 0)
            self.mtime = (seconds - (1 << 64) if seconds >> 63 else seconds), time.one(2, 0)


class Tree:
    """The blocks of a CAR file, by multihash."""

    def __init__(self, path):
        self.stream = open(path, "rb")
        self.car = CarFile(self.stream)
        self.places = {}
        for section in self.car.sections():
            place = section.offset, len(section.block)
            self.places.setdefault(section.cid.multihash, (section.cid, *place))

    def node(self, cid):
        if cid.hash == 0:
            return Node(cid, cid.digest)
        if cid.multihash not in self.places:
            raise CarError(f"block {cid} is not in the file")
        found, offset, size = self.places[cid.multihash]
        length, start = self.car.length(offset, 1 << 24)
        block = self.car.read(start + length - size, size)
        if found.matches(block) is not True:
            raise CarError(f"byte {offset}: block {cid} cannot be verified")
        return Node(cid, block)

    def content(self, node):
        """Yields the bytes of a file, leaf by leaf, and checks the sizes that its nodes claim."""
        yield from self._content(node, 0)

    def _content(self, node, depth):
        if depth > DEEPEST:
            raise CarError("a file is deeper than any")
        if node.kind not in (RAW_NODE, FILE):
            raise CarError("a file has something else within it")
        if node.links and len(node.sizes) != len(node.links):
            raise CarError(f"a node has {len(node.links)} links and {len(node.sizes)} sizes")
        total = len(node.data)
        if node.data:
            yield node.data
        for link, size in zip(node.links, node.sizes):
            count = 0
            for piece in self._content(self.node(link.cid), depth + 1):
                count += len(piece)
                yield piece
            if count != size:
                raise CarError(f"a part of a file has {count} bytes, {size} were promised")
            total += count
        if total != node.size:
            raise CarError(f"a file has {total} bytes, {node.size} were promised")

    def entries(self, node, depth=0):
        """Yields (name, link) of a directory, sharded or not."""
        if node.kind == DIRECTORY:
            yield from ((link.name, link) for link in node.links)
            return
        if node.kind != SHARD or depth > DEEPEST:
            raise CarError("a directory has something else within it")
        bits = int.from_bytes(node.data, "big").bit_count()
        if bits != len(node.links):
            raise CarError(f"a shard has {bits} bits and {len(node.links)} links")
        width = len(f"{node.fanout - 1:X}")
        for link in node.links:
            if len(link.name) == width:
                yield from self.entries(self.node(link.cid), depth + 1)
            else:
                yield link.name[width:], link


def safe(name):
    """A name that stays within its directory."""
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
        raise CarError(f"{name!r} is no name of a file")
    return name


def restore(tree, root, target):
    """Writes a file, directory or symlink, and all below it."""
    work = [(root, target)]
    times = []
    while work:
        cid, target = work.pop()
        node = tree.node(cid)
        if node.kind == SYMLINK:
            os.symlink(node.data, target)
        elif node.kind in (DIRECTORY, SHARD):
            os.mkdir(target)
            for name, link in tree.entries(node):
                work.append((link.cid, os.path.join(target, safe(name))))
        else:
            with open(target, "xb") as out:
                for piece in tree.content(node):
                    out.write(piece)
        if node.mode is not None or node.mtime is not None:
            times.append((node.kind, node.mode, node.mtime, target))
    # Children first: a directory's time would change when they are written, and its mode may forbid it.
    for kind, mode, mtime, target in reversed(times):
        if mode is not None and kind != SYMLINK:
            os.chmod(target, mode & 0o7777)
        if mtime is not None:
            nanoseconds = mtime[0] * 1_000_000_000 + mtime[1]
            os.utime(target, ns=(nanoseconds, nanoseconds), follow_symlinks=False)


def find_root(tree, text):
    if text is None:
        if not tree.car.roots:
            raise CarError("the file has no roots: name one")
        return tree.car.roots[0]
    for root in tree.car.roots:
        if str(root) == text:
            return root
    for cid, _, _ in tree.places.values():
        if str(cid) == text:
            return cid
    raise CarError(f"{text} is not in the file")


def main(arguments):
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        tree = Tree(arguments[0])
        root = find_root(tree, arguments[1] if len(arguments) == 3 else None)
        if arguments[-1] == "-":
            for piece in tree.content(tree.node(root)):
                sys.stdout.buffer.write(piece)
        else:
            restore(tree, root, os.fsencode(arguments[-1]))
    except (CarError, OSError, RecursionError) as error:
        print(f"unixfs_cat: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Verifies a CARv1 file with the PyPI packages `multiformats` and `dag-cbor`, and nothing of Nacre.

usage: verify_car.py ROOT FILE

Every block must hash to its CID, and everything that the root links to must be there. Prints the number of
blocks. Links of DAG-PB are read by the specification: field 2 of a node, field 1 of a link.
"""

import sys

import dag_cbor
from multiformats import CID, multihash, varint


def read_varint(data, offset):
    value, length, _ = varint.decode_raw(data[offset : offset + 9])
    return value, offset + length


def fields(data):
    """Number and bytes of each field of a protobuf message that has a length; others are passed over."""
    offset = 0
    while offset < len(data):
        key, offset = read_varint(data, offset)
        value, offset = read_varint(data, offset)
        if key & 7 == 2:
            yield key >> 3, data[offset : offset + value]
            offset += value


def cbor_links(value):
    if isinstance(value, CID):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from cbor_links(item)
    elif isinstance(value, list):
        for item in value:
            yield from cbor_links(item)


def links(cid, data):
    if cid.codec.name == "dag-pb":
        for number, link in fields(data):
            if number == 2:
                yield from (CID.decode(value) for name, value in fields(link) if name == 1)
    elif cid.codec.name == "dag-cbor":
        yield from cbor_links(dag_cbor.decode(data))


def key(cid):
    return bytes(cid.digest)


def cid_length(data, offset):
    if data[offset : offset + 2] == b"\x12\x20":
        return 34
    position = offset
    for _ in range(3):
        _, position = read_varint(data, position)
    length, position = read_varint(data, position)
    return position + length - offset


def main(root, path):
    data = open(path, "rb").read()
    length, offset = read_varint(data, 0)
    header = dag_cbor.decode(data[offset : offset + length])
    assert header["version"] == 1, header
    offset += length
    blocks = {}
    while offset < len(data):
        length, offset = read_varint(data, offset)
        size = cid_length(data, offset)
        cid = CID.decode(data[offset : offset + size])
        block = data[offset + size : offset + length]
        assert len(block) == length - size, "the last section is cut off"
        assert multihash.digest(block, cid.hashfun.name) == cid.digest, f"{cid} is not what it names"
        blocks[key(cid)] = block
        offset += length
    wanted, seen = [CID.decode(root)], set()
    while wanted:
        cid = wanted.pop()
        if key(cid) in seen or cid.hashfun.name == "identity":
            continue
        seen.add(key(cid))
        assert key(cid) in blocks, f"{cid} is missing"
        wanted.extend(links(cid, blocks[key(cid)]))
    assert len(seen) == len(blocks), "there are blocks that nothing links to"
    print(len(blocks))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Reads CARv1 with nothing of Nacre: enough to check files that were imported."""

import hashlib


def varint(data, offset):
    value = shift = 0
    while True:
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, offset


def file_content(car):
    """The bytes of the one file in a CAR in the order of its leaves.

    Every block has to hash to its CID, and the last one has to be whole: AssertionError otherwise.
    """
    length, offset = varint(car, 0)
    offset += length
    content = []
    while offset < len(car):
        length, offset = varint(car, offset)
        end = offset + length
        assert end <= len(car), "the last section is cut off"
        version, position = varint(car, offset)
        codec, position = varint(car, position)
        function, position = varint(car, position)
        size, position = varint(car, position)
        assert (version, function, size) == (1, 0x12, 32), "an unexpected kind of CID"
        block = car[position + 32 : end]
        assert hashlib.sha256(block).digest() == car[position : position + 32], "a block is not what it names"
        if codec == 0x55:
            content.append(block)
        offset = end
    return b"".join(content)

#!/usr/bin/env python3
"""Checks an IPNS record with nothing of Nacre: check_ipns.py RECORD NAME [--key KEYFILE].

Decodes protobuf and DAG-CBOR by hand, verifies both signatures with the Python package `cryptography`, and prints
what the record says as JSON. Ends with status 1 and a reason if something is wrong. NAME is the CID in base36 or a
base58 peer id. With --key, the protobuf of a private key must belong to the name too."""

import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


class Wrong(Exception):
    pass


def radix(text, alphabet):
    number = 0
    for character in text:
        number = number * len(alphabet) + alphabet.index(character)
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def name_multihash(name):
    if name.startswith("k"):
        cid = radix(name[1:], BASE36)
        if cid[:2] != b"\x01\x72":
            raise Wrong("the name is no CIDv1 of codec libp2p-key")
        return cid[2:]
    return radix(name, BASE58)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
            if len(value) != length:
                raise Wrong("the protobuf is cut off")
        else:
            raise Wrong(f"wire type {key & 7}")
        if key >> 3 in found:
            raise Wrong(f"field {key >> 3} is there twice")
        found[key >> 3] = value
    return found


def cbor(data, at=0):
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    value = info
    if info >= 24:
        size = 1 << (info - 24)
        value, at = int.from_bytes(data[at : at + size], "big"), at + size
        if value < (24 if size == 1 else 1 << (size * 4)):
            raise Wrong("a number of DAG-CBOR is not minimal")
    if major == 0:
        return value, at
    if major in (2, 3):
        content = data[at : at + value]
        return (content if major == 2 else content.decode()), at + value
    if major == 5:
        result, last = {}, None
        for _ in range(value):
            key, at = cbor(data, at)
            if last is not None and (len(last), last) >= (len(key), key):
                raise Wrong("keys of DAG-CBOR are out of order")
            last = key
            result[key], at = cbor(data, at)
        return result, at
    raise Wrong(f"major type {major}")


def verify(key_protobuf, signature, message):
    key = fields(key_protobuf)
    try:
        if key[1] == 1:
            ed25519.Ed25519PublicKey.from_public_bytes(key[2]).verify(signature, message)
        elif key[1] == 0:
            public = serialization.load_der_public_key(key[2])
            assert isinstance(public, rsa.RSAPublicKey)
            public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        elif key[1] == 3:
            serialization.load_der_public_key(key[2]).verify(signature, message, ec.ECDSA(hashes.SHA256()))
        else:
            raise Wrong(f"key type {key[1]}")
    except InvalidSignature:
        return False
    return True


def public_of_private(protobuf):
    key = fields(protobuf)
    if key[1] == 1:
        public = ed25519.Ed25519PrivateKey.from_private_bytes(key[2][:32]).public_key()
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        if raw != key[2][32:]:
            raise Wrong("the halves of the private key differ")
    else:
        public = serialization.load_der_private_key(key[2], None).public_key()
        raw = public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    length, out = len(raw), bytearray()
    while length >= 0x80:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([8, key[1], 0x12]) + bytes(out) + bytes([length]) + raw


def check_name(multihash, key):
    if len(key) <= 42:
        if multihash != b"\0" + bytes([len(key)]) + key:
            raise Wrong("the key is not that of the name")
    elif multihash != b"\x12\x20" + hashlib.sha256(key).digest():
        raise Wrong("the key is not that of the name")


def check(record, name):
    if len(record) > 10 * 1024:
        raise Wrong("the record is too large")
    entry = fields(record)
    if not entry.get(8) or not entry.get(9):
        raise Wrong("signatureV2 or data is missing")
    multihash = name_multihash(name)
    key = entry.get(7) or multihash[2:]
    check_name(multihash, key)
    data, end = cbor(entry[9])
    if end != len(entry[9]) or not isinstance(data, dict):
        raise Wrong("bytes follow the data")
    if not verify(key, entry[8], b"ipns-signature:" + entry[9]):
        raise Wrong("signatureV2 is wrong")
    v1 = None
    if entry.get(1) or entry.get(2):
        repeated = (entry.get(1, b""), entry.get(3, 0), entry.get(4, b""), entry.get(5, 0), entry.get(6, 0))
        if repeated != tuple(data[k] for k in ("Value", "ValidityType", "Validity", "Sequence", "TTL")):
            raise Wrong("the fields for old readers differ from the data")
        v1 = verify(key, entry.get(2, b""), entry[1] + entry[4] + b"EOL")
    return {
        "value": data["Value"].decode(), "validity": data["Validity"].decode(), "sequence": data["Sequence"],
        "ttl": data.get("TTL"), "v1": v1,
    }


def main(arguments):
    record, name = open(arguments[0], "rb").read(), arguments[1]
    try:
        print(json.dumps(check(record, name)))
        if "--key" in arguments:
            private = open(arguments[arguments.index("--key") + 1], "rb").read()
            check_name(name_multihash(name), public_of_private(private))
    except (Wrong, KeyError, IndexError, ValueError) as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

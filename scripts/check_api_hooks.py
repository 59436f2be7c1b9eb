"""Lets schemathesis send bodies that are bytes: CARs, records of names, blocks."""

import schemathesis


@schemathesis.serializer(
    "application/vnd.ipld.car", "application/vnd.ipfs.ipns-record", "application/vnd.ipld.raw"
)
def plain(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()

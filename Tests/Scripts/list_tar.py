#!/usr/bin/env python3
"""Lists a tar archive as Python's tarfile reads it: one JSON object a line.

usage: list_tar.py FILE

name and target are in hex, since they may be any bytes; mtime is the decimal text of seconds.
"""

import hashlib
import json
import sys
import tarfile


def hexadecimal(text):
    return text.encode("utf-8", "surrogateescape").hex()


def main(path):
    with tarfile.open(path, encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            content = archive.extractfile(member).read() if member.isreg() else b""
            kind = "file" if member.isreg() else "directory" if member.isdir() else "symlink"
            row = {
                "name": hexadecimal(member.name),
                "type": kind if member.type in b"025" else "other",
                "mode": oct(member.mode)[2:],
                "mtime": member.pax_headers.get("mtime", str(int(member.mtime))),
                "size": member.size,
                "target": hexadecimal(member.linkname),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

#!/usr/bin/env python3
"""Lists a ZIP archive as Python's zipfile reads it: one JSON object a line.

usage: list_zip.py FILE

Every checksum is looked at first. name is in hex, since it may be any bytes.
"""

import hashlib
import json
import sys
import zipfile


def main(path):
    with zipfile.ZipFile(path) as archive:
        bad = archive.testzip()
        if bad is not None:
            print("damaged:", bad)
            return 1
        for member in archive.infolist():
            is_text = bool(member.flag_bits & 1 << 11)
            digest = hashlib.sha256()
            with archive.open(member) as content:
                while piece := content.read(1 << 20):
                    digest.update(piece)
            print(json.dumps({
                "name": member.orig_filename.encode("utf-8" if is_text else "cp437").hex(),
                "text": is_text,
                "mode": oct(member.external_attr >> 16)[2:],
                "time": list(member.date_time),
                "size": member.file_size,
                "method": member.compress_type,
                "sha256": digest.hexdigest(),
            }))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""Files to sync."""
import os
import random


def make_small(directory, count, size):
    """Files of `size` bytes, 1000 a directory, no two alike."""
    for index in range(count):
        if index % 1000 == 0:
            folder = os.path.join(directory, f"d{index // 1000:05}")
            os.makedirs(folder, exist_ok=True)
        line = b"%d of the files that are synced here\n" % index
        with open(os.path.join(folder, f"f{index:07}.txt"), "wb") as file:
            file.write((line * (size // len(line) + 1))[:size])


def make_large(path, mebibytes, seed=7):
    source = random.Random(seed)
    with open(path, "wb") as file:
        for _ in range(mebibytes):
            file.write(source.randbytes(1 << 20))


def count(directory):
    """Files below a directory; what the tools keep for themselves is not counted."""
    found = 0
    stack = [directory]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    if entry.name in (".nacre", ".stfolder", ".stversions"):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                    elif not entry.name.startswith((".nacre-", ".syncthing.", ".unison.")):
                        found += 1
        except FileNotFoundError:
            pass
    return found

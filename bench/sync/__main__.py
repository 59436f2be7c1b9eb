"""The rows of bench/sync.sh."""
import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import files  # noqa: E402
import peers  # noqa: E402
from nodes import Folder, Node, wait_for  # noqa: E402
from proxy import CountingProxy  # noqa: E402

ROWS = ["first", "edit", "rename", "large", "stream", "line", "rescan", "million", "restore"]


class Bench:
    def __init__(self, options):
        self.options = options
        os.makedirs(options.dir, exist_ok=True)
        self.dir = tempfile.mkdtemp(prefix="sync.", dir=options.dir)
        self.rows, self.node = [], None

    def row(self, work, relation, reach, figure, detail=""):
        ok = figure <= reach if relation == "<=" else figure >= reach
        self.rows.append({"work": work, "reach": f"{relation} {reach}", "figure": figure, "ok": ok, "detail": detail})
        print(f"{work:<58} {relation} {reach:<8} {figure:>10.4g}  {'ok' if ok else 'missed':<7} {detail}", flush=True)

    def place(self, name):
        path = os.path.join(self.dir, name)
        os.makedirs(path)
        return path

    def pair(self, place, name, *options, port=None):
        self.node.run("ns", "create", name)
        both = [Folder(self.node, place, side, port) for side in ("a", "b")]
        return both

    # --- rows ---------------------------------------------------------------------------------------------

    def first(self):
        count = 5_000 if self.options.quick else 100_000
        place = self.place("first")
        source = os.path.join(place, "a")
        files.make_small(source, count, 1024)
        os.sync()
        limit = peers.rsync(source, os.path.join(place, "rsync"))
        os.sync()
        a, b = self.pair(place, "first")
        b.start("first")
        b.wait_settled()
        os.sync()
        start = time.monotonic()
        a.start("first")
        wait_for(lambda: files.count(b.path) >= count, 900, "all files are there")
        b.wait_settled()
        taken = time.monotonic() - start
        memory = max(a.process.peak_memory(), b.process.peak_memory())
        a.stop(), b.stop()
        self.same(a.path, b.path)
        self.row(f"first sync of {count:,} files of 1 KiB, s", "<=", 15 if count == 100_000 else 2, taken,
                 f"{memory:.0f} MiB at most; then {self.adopting(place, a):.2f} s to add a third, equal folder")
        self.row("  times rsync -a", "<=", 3, taken / limit, f"rsync {limit:.2f} s")
        if shutil.which("syncthing"):
            self.syncthing_first(place, source, count, taken)
        unison = peers.unison(source, os.path.join(place, "unison"), place)
        if unison:
            print(f"{'':<58} Unison, from disk to disk: {unison:.2f} s", flush=True)

    def adopting(self, place, a):
        c = Folder(self.node, place, "c")
        peers.rsync(a.path, c.path)
        shutil.rmtree(os.path.join(c.path, ".nacre"))
        before = {p: os.stat(os.path.join(c.path, p)).st_ctime_ns for p in list(os.listdir(c.path))[:3]}
        start = time.monotonic()
        report = c.once("first")
        taken = time.monotonic() - start
        assert report["counters"]["downloaded"] == 0 and report["counters"]["uploaded"] == 0, report
        assert all(os.stat(os.path.join(c.path, p)).st_ctime_ns == t for p, t in before.items())
        return taken

    def syncthing_first(self, place, source, count, ours):
        target = os.path.join(place, "st-b")
        copy = os.path.join(place, "st-a")
        os.makedirs(target)
        os.makedirs(copy)
        other = peers.Syncthing(place, copy, target)
        try:
            other.wait_connected()
            for entry in os.listdir(source):
                if entry != ".nacre":
                    os.rename(os.path.join(source, entry), os.path.join(copy, entry))
            start = time.monotonic()
            # Enough to say that it takes ten times as long.
            patience = max(60, 12 * ours)
            done = other.wait_files(count, patience)
            taken = time.monotonic() - start
        finally:
            other.stop()
            for entry in os.listdir(copy):
                if entry.startswith("d"):
                    os.rename(os.path.join(copy, entry), os.path.join(source, entry))
        self.row("  times faster than Syncthing", ">=", 10, taken / ours,
                 f"Syncthing {taken:.1f} s" + ("" if done else ", and was not done then"))

    def edit(self):
        place = self.place("edit")
        a, b = self.pair(place, "edit")
        for index in range(100):
            with open(os.path.join(a.path, f"note{index}.txt"), "w") as file:
                file.write("".join(f"line {line} of note {index}\n" for line in range(200)))
        a.start("edit", "--interactive")
        b.start("edit", "--interactive")
        wait_for(lambda: files.count(b.path) == 100, 60, "all notes are there")
        a.wait_settled(), b.wait_settled()
        time.sleep(2.5)
        times, source = [], random.Random(5)
        for turn in range(10 if self.options.quick else 60):
            one, other = (a, b) if turn % 2 == 0 else (b, a)
            name = f"note{source.randrange(100)}.txt"
            with open(os.path.join(one.path, name)) as file:
                lines = file.readlines()
            lines[source.randrange(len(lines))] = f"turn {turn}\n"
            text = "".join(lines)
            with open(os.path.join(one.path, name), "w") as file:
                file.write(text)
            start = time.monotonic()
            size = len(text)

            def arrived():
                try:
                    path = os.path.join(other.path, name)
                    return os.stat(path).st_size == size and open(path).read() == text
                except OSError:
                    return False
            end = start + 20
            while time.monotonic() < end and not arrived():
                time.sleep(0.001)
            times.append((time.monotonic() - start) * 1000)
            time.sleep(0.1 + source.random() * 0.2)
        a.stop(), b.stop()
        times.sort()
        self.row("an edit of one line until it is there, median, ms", "<=", 150, statistics.median(times),
                 f"{min(times):.0f} to {max(times):.0f}")
        self.row("  95th percentile, ms", "<=", 400, times[int(len(times) * 0.95)])

    def rename(self):
        count = 2_000 if self.options.quick else 10_000
        place = self.place("rename")
        a, b = self.pair(place, "rename")
        files.make_small(os.path.join(a.path, "old"), count, 200)
        a.once("rename"), b.once("rename")
        a.start("rename", "--interactive")
        b.start("rename", "--interactive")
        a.wait_settled(), b.wait_settled()
        time.sleep(1)
        head = json.loads(self.node.run("ns", "show", "rename", "--json"))["head"]
        start = time.monotonic()
        os.rename(os.path.join(a.path, "old"), os.path.join(a.path, "new"))
        wait_for(lambda: os.path.isdir(os.path.join(b.path, "new")), 60, "the directory is renamed there")
        taken = time.monotonic() - start
        b.wait_settled()
        entries = json.loads(self.node.run("ns", "show", "rename", "--json"))["head"] - head
        report = b.status()
        a.stop(), b.stop()
        self.same(a.path, b.path)
        self.row(f"rename of a directory of {count:,} files, s", "<=", 1, taken)
        self.row("  journal entries", "<=", 1, entries, f"{report['counters']['downloaded']} files fetched in all")

    def large(self):
        mebibytes = 256 if self.options.quick else 4096
        place = self.place("large")
        proxy = CountingProxy(("127.0.0.1", self.node.port))
        a, b = self.pair(place, "large", port=proxy.port)
        path = os.path.join(a.path, "disk.img")
        files.make_large(path, mebibytes)
        a.once("large"), b.once("large")
        proxy.take()
        with open(path, "r+b") as file:
            file.seek((mebibytes // 2 << 20) + 12345)
            file.write(random.Random(9).randbytes(1 << 20))
        a.once("large")
        there = proxy.take()
        b.once("large")
        back = proxy.take()
        proxy.close()
        self.same(a.path, b.path)
        self.row(f"1 MiB changed in a file of {mebibytes} MiB: MiB sent", "<=", 4, sum(there) / (1 << 20))
        self.row("  MiB received on the other side", "<=", 4, sum(back) / (1 << 20))
        shutil.rmtree(place)

    def stream(self):
        """Both machines have a line of the same speed, over which the file takes eight seconds."""
        mebibytes = 64 if self.options.quick else 256
        speed = str(mebibytes * 1024 // 8)
        taken = {}
        for prefetch in ("0", "512"):
            name = "stream-" + prefetch
            place = self.place(name)
            a, b = self.pair(place, name)
            a.start(name, "--interactive", "--up", speed)
            b.start(name, "--interactive", "--down", speed, "--prefetch", prefetch)
            a.wait_settled(), b.wait_settled()
            # Not what the node has already.
            files.make_large(os.path.join(place, "disk.img"), mebibytes, seed=int(prefetch))
            os.sync()
            os.rename(os.path.join(place, "disk.img"), os.path.join(a.path, "disk.img"))
            wait_for(lambda: self.node.head(name) > 0, 120, "the upload ends")
            start = time.monotonic()
            wait_for(lambda: files.count(b.path) == 1, 120, "the file is there")
            taken[prefetch] = time.monotonic() - start
            a.stop(), b.stop()
            self.same(a.path, b.path)
            shutil.rmtree(place)
        self.row(f"file of {mebibytes} MiB: from the end of its upload until it is there, s", "<=", 2,
                 taken["512"], f"{taken['0']:.2f} s where nothing is read ahead")

    def line(self):
        place = self.place("line")
        proxy = CountingProxy(("127.0.0.1", self.node.port))
        a, b = self.pair(place, "line", port=proxy.port)
        path = os.path.join(a.path, "list.txt")
        lines = [f"line {index} of a list with ten thousand of them\n" for index in range(10_000)]
        with open(path, "w") as file:
            file.writelines(lines)
        a.once("line"), b.once("line")
        lines[5000] = "this one is another\n"
        proxy.take()
        a.once("line")
        idle_a = proxy.take()
        b.once("line")
        idle_b = proxy.take()
        with open(path, "w") as file:
            file.writelines(lines)
        a.once("line")
        there = proxy.take()
        b.once("line")
        back = proxy.take()
        proxy.close()
        self.same(a.path, b.path)
        self.row("one line of 10,000 changed: KiB on the wire, sending", "<=", 4, sum(there) / 1024,
                 f"a pass without changes has {sum(idle_a) / 1024:.1f}")
        self.row("  receiving", "<=", 4, sum(back) / 1024, f"a pass without changes has {sum(idle_b) / 1024:.1f}")

    def rescan(self):
        self.scan("rescan", 20_000 if self.options.quick else 100_000, 1.0)

    def million(self):
        self.scan("million", 100_000 if self.options.quick else 1_000_000, 15.0, memory=256)

    def scan(self, name, count, reach, memory=None):
        place = self.place(name)
        a = Folder(self.node, place, "a")
        files.make_small(a.path, count, 16)
        a.once(name)
        time.sleep(2.1)
        # The second look hashes again what was written right before the first.
        a.once(name)
        start = time.monotonic()
        report = a.once(name)
        whole = time.monotonic() - start
        self.row(f"rescan of {count:,} unchanged files, s", "<=", reach, report["scanMilliseconds"] / 1000,
                 f"{whole:.2f} s with starting and asking the node")
        if memory:
            a.start(name)
            a.wait_settled()
            self.row("  MiB resident at most", "<=", memory, a.process.peak_memory())
            a.stop()
        shutil.rmtree(place)

    def restore(self):
        count = 5_000 if self.options.quick else 100_000
        place = self.place("restore")
        a = Folder(self.node, place, "a")
        files.make_small(a.path, count, 64)
        a.once("restore")
        version = json.loads(self.node.run("ns", "show", "restore", "--json"))["head"]
        for directory in os.listdir(a.path):
            if directory.startswith("d"):
                for name in os.listdir(os.path.join(a.path, directory)):
                    with open(os.path.join(a.path, directory, name), "ab") as file:
                        file.write(b"more\n")
        a.once("restore")
        start = time.monotonic()
        self.node.run("ns", "restore", "restore", str(version))
        self.row(f"restore of {count:,} files to an earlier version, s", "<=", 1 if count == 100_000 else 0.3,
                 time.monotonic() - start)
        shutil.rmtree(place)

    def same(self, one, other):
        def tree(root):
            found = {}
            for directory, names, leaves in os.walk(root):
                names[:] = [name for name in names if name != ".nacre"]
                for name in leaves:
                    path = os.path.join(directory, name)
                    found[os.path.relpath(path, root)] = os.stat(path).st_size
            return found
        if tree(one) != tree(other):
            raise SystemExit(f"{one} and {other} are not equal")

    def run(self):
        self.node = Node(self.options.nacre, self.dir)
        try:
            for name in ROWS:
                if not self.options.rows or name in self.options.rows:
                    getattr(self, name)()
        finally:
            self.node.stop()
            shutil.rmtree(self.dir, ignore_errors=True)
        if self.options.json:
            with open(self.options.json, "w") as file:
                json.dump(self.rows, file, indent=1)
        return all(row["ok"] for row in self.rows)


parser = argparse.ArgumentParser(prog="bench/sync.sh")
parser.add_argument("--quick", action="store_true")
parser.add_argument("--nacre", required=True)
parser.add_argument("--dir", required=True)
parser.add_argument("--json")
parser.add_argument("rows", nargs="*", choices=ROWS + [[]])
sys.exit(0 if Bench(parser.parse_args()).run() else 1)

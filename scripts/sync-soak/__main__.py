"""Folders that are edited, renamed, swapped, removed, cut off and killed, with the real program; in the end they must be equal,
and nothing that anybody wrote may be lost.

usage: scripts/sync-soak [--seconds N] [--seed S] [--devices N] [--kill-every N] NACRE DIR

Ends with 0 if all folders are equal and every text is in a folder, its trash or the history of the namespace.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

from users import User

parser = argparse.ArgumentParser(prog="sync-soak")
parser.add_argument("--seconds", type=float, default=60)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--devices", type=int, default=2)
parser.add_argument("--kill-every", type=float, default=4)
parser.add_argument("nacre")
parser.add_argument("dir")
options = parser.parse_args()
choice = random.Random(options.seed)
started = time.monotonic()


def note(*words):
    """Keeps what the users did, for whoever has to find out what became of a text."""
    with open(os.path.join(options.dir, "acts.log"), "a") as file:
        print(f"{time.time():.3f}", *words, file=file)


def say(text):
    print(f"{time.monotonic() - started:7.1f} s  {text}", flush=True)


class Node:
    def __init__(self):
        self.data = os.path.join(options.dir, "node")
        self.env = {**os.environ, "NACRE_DATA": self.data}
        self.address = "127.0.0.1:0"
        self.process = None

    def start(self):
        log = open(os.path.join(options.dir, "node.log"), "ab")
        self.process = subprocess.Popen(
            [options.nacre, "serve", "--listen", self.address], env=self.env, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with open(os.path.join(self.data, "LOCK")) as lock:
                    lines = lock.read().split("\n")
                if len(lines) > 2 and lines[2].startswith("http") and lines[1].strip() == str(self.process.pid):
                    # The same port again after a kill: as a node that is known by its address.
                    self.address = lines[2].split("//")[1].rstrip("/")
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit("the node ended: see node.log")
            time.sleep(0.02)
        raise SystemExit("the node does not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def read(self, cid):
        request = urllib.request.Request(
            f"http://{self.address}/ipfs/{cid}", headers={"Authorization": "Bearer " + self.token()})
        return urllib.request.urlopen(request, timeout=60).read()

    def token(self):
        with open(os.path.join(self.data, "secrets", "admin-token")) as file:
            return file.read().strip()

    def run(self, *arguments):
        done = subprocess.run([options.nacre, *arguments], env=self.env, capture_output=True)
        if done.returncode:
            raise SystemExit(f"{arguments}: {done.stderr.decode()}")
        return done.stdout


class Device:
    def __init__(self, node, number):
        self.node, self.name = node, f"device{number}"
        self.folder = os.path.join(options.dir, self.name)
        os.makedirs(self.folder, exist_ok=True)
        self.env = {
            **os.environ, "NACRE_SYNC_HOME": os.path.join(options.dir, f"home{number}"),
            "NACRE_NODE": "http://" + node.address, "NACRE_TOKEN": node.token(),
        }
        self.process = None
        self.since = 0.0

    def seconds_running(self):
        return time.monotonic() - self.since if self.process else 0

    def start(self):
        log = open(os.path.join(options.dir, self.name + ".log"), "ab")
        self.process = subprocess.Popen(
            [options.nacre, "sync", self.folder, "soak", "--interactive", "--verbose"], env=self.env,
            stdout=log, stderr=log)
        self.since = time.monotonic()

    def kill(self):
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                if shutil.which("gdb"):
                    subprocess.run(
                        ["gdb", "-p", str(self.process.pid), "-batch", "-ex", "thread apply all bt 20"],
                        stdout=open(os.path.join(options.dir, self.name + ".stacks"), "w"),
                        stderr=subprocess.DEVNULL)
                raise SystemExit(f"{self.name} does not stop")
            self.process = None

    def once(self):
        done = subprocess.run(
            [options.nacre, "sync", self.folder, "soak", "--once", "--json"], env=self.env, capture_output=True,
            text=True)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise SystemExit(f"{self.name}: {done.returncode} {done.stdout} {done.stderr}")

    def answer(self, verb):
        """Somebody agrees to whatever is asked, or does not."""
        note(self.name, verb)
        subprocess.run([options.nacre, "sync", verb, self.folder], env=self.env, capture_output=True)


def tree(folder):
    found = {}
    for place, names, leaves in os.walk(folder):
        names[:] = [name for name in names if name != ".nacre"]
        inside = os.path.relpath(place, folder)
        for name in names:
            path = os.path.join(place, name)
            # A link to a directory is none.
            found[os.path.normpath(os.path.join(inside, name))] = os.readlink(path) if os.path.islink(path) else None
        for name in leaves:
            path = os.path.join(place, name)
            if os.path.islink(path):
                content = os.readlink(path)
            else:
                with open(path, "rb") as file:
                    content = file.read()
            found[os.path.normpath(os.path.join(inside, name))] = content
    return found


def every_text(devices, node):
    texts = set()
    for device in devices:
        for place, _, leaves in os.walk(device.folder):
            for name in leaves:
                if not os.path.islink(os.path.join(place, name)):
                    with open(os.path.join(place, name), "rb") as file:
                        texts.add(file.read())
    seen = set()
    for line in node.run("ns", "log", "soak", "--json", "--limit", "1000000").splitlines():
        cid = json.loads(line).get("content")
        if cid and cid not in seen:
            seen.add(cid)
            texts.add(node.read(cid))
    return texts


def main():
    os.makedirs(options.dir, exist_ok=True)
    node = Node()
    node.start()
    devices = [Device(node, number) for number in range(options.devices)]
    for device in devices:
        device.once()
        device.start()
    texts, kills, acts = set(), 0, 0
    users = {device.name: User(device, texts, choice, note) for device in devices}
    next_kill = time.monotonic() + options.kill_every
    end = time.monotonic() + options.seconds
    try:
        while time.monotonic() < end:
            device = choice.choice(devices)
            users[device.name].act()
            acts += 1
            time.sleep(choice.choice([0, 0.01, 0.05, 0.2]))
            if device.process is None and choice.random() < 0.05:
                device.start()
            if time.monotonic() > next_kill:
                kills += 1
                next_kill = time.monotonic() + options.kill_every * (0.5 + choice.random())
                what = choice.randrange(3)
                if what == 0:
                    note("kill node")
                    node.kill()
                    time.sleep(choice.choice([0, 0.5]))
                    node.start()
                elif what == 1:
                    note("kill", device.name)
                    device.kill()
                else:
                    note("stop", device.name)
                    device.stop()
        say(f"{acts} acts, {kills} kills and stops; settling")
        for device in devices:
            device.stop()
        reports = []
        for turn in range(30):
            reports = [device.once() for device in devices]
            trees = [tree(device.folder) for device in devices]
            if all(report["state"] == "settled" for report in reports) and all(t == trees[0] for t in trees):
                break
            if turn > 5:
                for device, report in zip(devices, reports):
                    if report.get("removalsToConfirm"):
                        device.start()
                        time.sleep(1)
                        device.answer(choice.choice(["confirm", "confirm", "decline"]))
                        time.sleep(2)
                        device.stop()
        trees = [tree(device.folder) for device in devices]
        good = True
        for device, one, report in zip(devices, trees, reports):
            if one != trees[0] or report["state"] != "settled":
                good = False
                say(f"{device.name} is {report['state']}: {json.dumps(report)[:1500]}")
                for path in sorted(set(one) ^ set(trees[0]))[:20]:
                    say(f"  only on one side: {path}")
                for path in sorted(path for path in set(one) & set(trees[0]) if one[path] != trees[0][path])[:20]:
                    say(f"  not the same: {path}")
        kept = every_text(devices, node)
        lost = [text for text in texts if text.encode() not in kept]
        for text in lost[:20]:
            say(f"lost: {text.splitlines()[0]} ({len(text)} bytes)")
        say(f"{len(trees[0])} files and directories, {len(texts)} texts to find, {len(lost)} lost; "
            f"{'equal' if good else 'NOT equal'}")
        return 0 if good and not lost else 1
    finally:
        for device in devices:
            device.kill()
        node.stop()


sys.exit(main())

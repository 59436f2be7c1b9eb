#!/usr/bin/env python3
"""Everything at once, for a while, against a node that really runs.

usage: soak NACRE DIRECTORY [--seconds N] [--seed N] [--workers N] [--cores N] [--kill-every SECONDS]
            [--growth MIB]

Starts `NACRE serve` on a data directory below DIRECTORY and uses it in every way at the same time: uploads of
files and forms, reads of files, ranges, CARs, blocks and listings, names, pins that are published and taken
back, collections, verifications, uploads that break off, readers that are slow or leave, reloads, and kills.
Every answer is compared with what was stored. Prints a line every ten seconds and a table at the end; ends
with 1 if a byte was wrong, something acknowledged was lost, or memory, descriptors or threads grew.
"""

import argparse
import random
import subprocess
import sys
import threading
import time
import traceback

from node import Client, Gone, Node, Wrong
from watch import MIB, Pace, Sample, Tally, flatness, trend
from worker import Worker

SETTINGS = {
    "NACRE_SERVER_MAX_REQUESTS_PER_ADDRESS": "1000",
    # Small, so that packs are sealed, rewritten and removed all the time.
    "NACRE_STORE_PACK_SIZE": "16MiB",
}


class Soak:
    def __init__(self, options):
        self.options = options
        self.node = Node(options.nacre, options.directory + "/data", SETTINGS)
        self.tally, self.pace = Tally(), Pace(options.cores)
        self.failures, self.stopping = [], threading.Event()
        # Of each life of the node.
        self.samples, self.slowest_start = [[]], 0

    def run(self):
        self.slowest_start = self.node.start()
        self.began = time.monotonic()
        token = self.node.token()
        workers = [
            Worker(i, self.node, token, self.options.seed, self.tally) for i in range(self.options.workers)]
        threads = [self.thread(self.work, worker) for worker in workers]
        threads.append(self.thread(self.keep_house, Client(self.node, token)))
        self.watch()
        self.stopping.set()
        for thread in threads:
            thread.join()
        if not self.failures:
            self.attempt(self.conclude, workers, Client(self.node, token))
        self.print_table()
        return 1 if self.failures else 0

    def thread(self, action, *arguments):
        thread = threading.Thread(target=self.attempt, args=(action, *arguments), daemon=True)
        thread.start()
        return thread

    def attempt(self, action, *arguments):
        try:
            action(*arguments)
        except Exception as error:
            self.failures.append(str(error) if isinstance(error, Wrong) else traceback.format_exc())
            self.stopping.set()

    def work(self, worker):
        while not self.stopping.is_set():
            worker.step()
            time.sleep(self.pace.rest)

    def keep_house(self, client):
        """Collections that spare nothing for its age, verifications, reloads, and lists of what there is."""
        dice = random.Random(self.options.seed)
        while not self.stopping.wait(dice.uniform(0.5, 2)):
            what = dice.choices(["collections", "verifications", "reloads", "lists"], [4, 1, 2, 4])[0]
            try:
                if what == "collections":
                    client.job("POST", "/gc", {"graceSeconds": 0, "maximumUnusedShare": 0.2})
                elif what == "verifications":
                    self.verify(client)
                elif what == "reloads":
                    self.node.reload()
                else:
                    for path in ("/pins?limit=5", "/jobs?limit=5", "/names", "/stats", "/grants"):
                        client.api("GET", path)
                    if client.request("GET", "/metrics", authorised=True).status != 200:
                        raise Wrong("/metrics is not answered")
                    if client.request("GET", "/health/ready").status != 200:
                        raise Wrong("the node does not call itself ready")
            except Gone:
                what = "cut off by a kill"
            self.tally.count(what)

    def verify(self, client):
        report = client.job("POST", "/verify", {})
        if report["findings"]:
            raise Wrong(f"verification found {report['findings'][:5]}")

    def watch(self):
        """Samples, prints and kills until the time is over."""
        end, printed = self.began + self.options.seconds, self.began
        killed = self.began
        interval = min(2, self.options.seconds / 60)
        while time.monotonic() < end and not self.stopping.wait(interval):
            if self.node.process.poll() is not None:
                self.failures.append(f"the node ended by itself: {self.node.process.returncode}")
                return
            sample = Sample(self.node.process.pid)
            self.samples[-1].append(sample)
            self.pace.adapt(sample)
            if time.monotonic() >= printed + 10:
                printed += 10
                self.print_line(sample)
            if self.options.kill_every and time.monotonic() >= killed + self.options.kill_every:
                killed = time.monotonic()
                self.node.kill()
                self.tally.count("kills")
                self.slowest_start = max(self.slowest_start, self.node.start())
                self.samples.append([])

    def conclude(self, workers, client):
        """What was acknowledged is there after a stop as well, and nothing is left when all is removed."""
        self.node.stop()
        with self.node.lock:
            self.node.port = 0
        self.slowest_start = max(self.slowest_start, self.node.start())
        for worker in workers:
            worker.finish()
        self.verify(client)
        client.job("POST", "/gc", {"graceSeconds": 0, "maximumUnusedShare": 0})
        pins = client.api("GET", "/pins").json()["items"]
        stats = client.api("GET", "/stats").json()
        if pins:
            raise Wrong(f"pins that nobody made are there: {pins[:3]}")
        self.left = stats
        self.node.stop()
        check = subprocess.run(
            [self.options.nacre, "--data", self.node.data, "verify"], capture_output=True, text=True, check=False)
        if check.returncode != 0:
            raise Wrong(f"nacre verify ended with {check.returncode}: {check.stdout[-500:]} {check.stderr[-500:]}")

    def print_line(self, sample):
        print(
            f"{sample.time - self.began:6.0f} s  {self.tally.total():>9,} done  "
            f"{sample.resident / MIB:6.1f} MiB resident  {sample.anonymous / MIB:6.1f} MiB own  "
            f"{sample.descriptors:4} descriptors  {sample.threads:3} threads", flush=True)

    def print_table(self):
        print()
        for line in self.tally.lines():
            print(line)
        longest = max(self.samples, key=len)
        if longest:
            third = longest[len(longest) // 3 :]
            print(f"{'resident':20} {max(s.resident for s in third) / MIB:>10.1f} MiB at most after the warm-up")
            for what, unit, name in (("anonymous", MIB, "own memory, MiB"), ("descriptors", 1, "descriptors")):
                values = [getattr(s, what) / unit for s in third]
                print(f"{name:20} {min(values):>10.1f} to {max(values):.1f}, "
                      f"{trend(longest, what) / unit:+.1f} an hour")
        for complaint in flatness(longest, self.options.growth):
            self.failures.append(complaint)
        print(f"{'slowest start':20} {self.slowest_start:>10.2f} s")
        for failure in self.failures:
            print("FAILED:", failure)
        print("soak: failed" if self.failures else "soak: every byte was right, nothing was lost, nothing grew")


def main():
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("nacre")
    parser.add_argument("directory")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--cores", type=float, default=0.9, help="what node and clients may take together")
    parser.add_argument("--kill-every", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--growth", type=float, default=24, metavar="MIB", help="memory that may come late")
    sys.exit(Soak(parser.parse_args()).run())


if __name__ == "__main__":
    main()

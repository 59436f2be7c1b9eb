"""Looks at memory, descriptors and time of the node, and counts what was done."""

import os
import threading
import time

MIB = 1024 * 1024
TICKS = os.sysconf("SC_CLK_TCK")


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.counts, self.bytes = {}, {}

    def count(self, what, size=0):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1
            self.bytes[what] = self.bytes.get(what, 0) + size

    def total(self):
        with self.lock:
            return sum(self.counts.values())

    def lines(self):
        with self.lock:
            for what in sorted(self.counts):
                yield f"{what:20} {self.counts[what]:>10,} {self.bytes[what] / MIB:>12,.1f} MiB"


class Sample:
    def __init__(self, pid):
        self.time = time.monotonic()
        status = open(f"/proc/{pid}/status", encoding="ascii").read().split("\n")
        fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
        self.resident, self.anonymous = (
            int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon"))
        self.threads = int(fields["Threads"])
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        times = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(") ", 1)[1].split()
        self.seconds = (int(times[11]) + int(times[12])) / TICKS


class Pace:
    """Lets workers rest so that they and the node together take no more than so many cores."""

    def __init__(self, cores):
        self.cores, self.rest = cores, 0.01
        self.last = None

    def adapt(self, sample):
        own = sum(os.times()[:2])
        if self.last and sample.seconds >= self.last[1]:
            elapsed = sample.time - self.last[0]
            load = (sample.seconds - self.last[1] + own - self.last[2]) / elapsed
            self.rest = min(1, max(0.0005, self.rest * (1.25 if load > self.cores else 0.8)))
        self.last = sample.time, sample.seconds, own


def flatness(samples, growth):
    """What grew, as a list of complaints; the samples of one life, of which the first third warms up.

    The highest of the last third may not be above the highest of the middle one by more than a fifth and
    `growth` MiB (32 descriptors): what is kept is bounded, and its bounds are reached early.
    """
    if len(samples) < 30:
        return []
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    complaints = []
    for what, unit, share, spare in (
            ("anonymous", MIB, 0.2, growth), ("resident", MIB, 0.2, 2 * growth), ("descriptors", 1, 0, 32),
            ("threads", 1, 0, 16)):
        before, after = (max(getattr(s, what) for s in part) / unit for part in (middle, last))
        if after > before * (1 + share) + spare:
            complaints.append(f"{what} grew from {before:.0f} to {after:.0f}")
    return complaints


def trend(samples, what):
    """The slope of a figure after the warm-up, an hour, by least squares."""
    samples = samples[len(samples) // 3 :]
    if len(samples) < 2:
        return 0
    times = [s.time for s in samples]
    values = [getattr(s, what) for s in samples]
    mean_time, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((t - mean_time) ** 2 for t in times)
    return 3600 * sum((t - mean_time) * (v - mean) for t, v in zip(times, values)) / spread

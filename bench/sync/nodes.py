"""A node and the folders that sync with it, as processes."""
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(check, seconds, what):
    end = time.monotonic() + seconds
    while (before := time.monotonic()) < end:
        result = check()
        if result:
            return result
        # Looking takes time from what is looked at: a tenth of it at most.
        time.sleep(max(0.005, 9 * (time.monotonic() - before)))
    raise SystemExit(f"after {seconds} s still not: {what}")


class Process:
    def __init__(self, command, env, log):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(command, env=env, stdout=self.log, stderr=self.log)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def peak_memory(self):
        """MiB, the most that was resident."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
        return 0.0


class Node(Process):
    def __init__(self, nacre, directory):
        self.nacre, self.data = nacre, os.path.join(directory, "node")
        self.env = {**os.environ, "NACRE_DATA": self.data}
        self.port = free_port()
        super().__init__(
            [nacre, "serve", "--listen", f"127.0.0.1:{self.port}"], self.env,
            os.path.join(directory, "node.log"))
        wait_for(self._is_ready, 30, "the node is ready")
        with open(os.path.join(self.data, "secrets", "admin-token")) as file:
            self.token = file.read().strip()

    def _is_ready(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            return os.path.exists(os.path.join(self.data, "secrets", "admin-token"))
        except OSError:
            return False

    def head(self, namespace):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/sync/v1/ns/{namespace}", headers={"Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(json.load(answer)["head"])

    def run(self, *arguments):
        return subprocess.run(
            [self.nacre, *arguments], env=self.env, check=True, capture_output=True, text=True).stdout


class Folder:
    """A folder with a home of its own, as if it were on another machine."""

    def __init__(self, node, directory, name, port=None):
        self.nacre, self.path = node.nacre, os.path.join(directory, name)
        os.makedirs(self.path, exist_ok=True)
        self.log = os.path.join(directory, name + ".log")
        self.env = {
            **os.environ, "NACRE_SYNC_HOME": os.path.join(directory, "home-" + name),
            "NACRE_NODE": f"http://127.0.0.1:{port or node.port}", "NACRE_TOKEN": node.token,
        }
        self.process = None

    def once(self, namespace, *options):
        done = subprocess.run(
            [self.nacre, "sync", self.path, namespace, "--once", "--json", *options], env=self.env,
            capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr + done.stdout)
        return json.loads(done.stdout)

    def start(self, namespace, *options):
        self.process = Process(
            [self.nacre, "sync", self.path, namespace, *options], self.env, self.log)

    def status(self):
        done = subprocess.run(
            [self.nacre, "sync", "status", "--json"], env=self.env, capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout else {}

    def wait_settled(self, seconds=600):
        wait_for(
            lambda: (status := self.status()).get("state") == "settled" and status["pending"] == 0,
            seconds, f"{self.path} is settled")

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

"""`nacre serve` as a child, and one client's way to talk to it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time


class Gone(Exception):
    """The node was not there for the whole of a request: nobody knows whether it was done."""


class Wrong(Exception):
    """The node did what it must not do: the soak has failed."""


class Node:
    """The process. It is killed and started again by one thread while others use it."""

    def __init__(self, executable, data, settings):
        self.executable, self.data = executable, data
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("NACRE_")} | settings
        self.log = open(data + ".log", "ab")
        self.process, self.port = None, 0
        # How often it was started: what began under another number may have been cut off.
        self.life = 0
        self.lock = threading.Lock()

    def start(self):
        arguments = [self.executable, "--data", self.data, "serve", "--listen", "127.0.0.1:0"]
        began = time.monotonic()
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=self.environment)
        while time.monotonic() < began + 60:
            if self.process.poll() is not None:
                raise Wrong(f"the node ended at its start with {self.process.returncode}: see {self.log.name}")
            port = self.listening_port()
            if port:
                with self.lock:
                    self.port, self.life = port, self.life + 1
                return time.monotonic() - began
            time.sleep(0.01)
        raise Wrong("the node did not begin to listen within a minute")

    def listening_port(self):
        try:
            lines = open(self.data + "/LOCK", encoding="utf-8").read().split("\n")
        except OSError:
            return None
        if len(lines) < 3 or lines[1] != str(self.process.pid) or ":" not in lines[2]:
            return None
        return int(lines[2].rsplit(":", 1)[1])

    def token(self):
        return open(self.data + "/secrets/admin-token", encoding="utf-8").read().strip()

    def kill(self):
        """Kills it without a word, as a power cut would."""
        with self.lock:
            self.life += 1
            self.port = 0
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        if status != 0:
            raise Wrong(f"the node ended with {status}: see {self.log.name}")

    def place(self):
        """Port and life, once it serves."""
        while True:
            with self.lock:
                if self.port:
                    return self.port, self.life
            time.sleep(0.02)


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection, kept alive as long as it lasts."""

    def __init__(self, node, token):
        self.node, self.token = node, token
        self.connection, self.life = None, -1
        self.requests = 0

    def request(self, method, path, body=None, fields=None, authorised=False):
        """The whole answer.

        Raises `Gone` if the node was killed meanwhile, `Wrong` if it broke off by itself.
        """
        fields = dict(fields or {})
        if authorised:
            fields["Authorization"] = "Bearer " + self.token
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            fields["Content-Type"] = "application/json"
        for _ in range(3):
            port, life = self.node.place()
            isFresh = self.connection is None or self.life != life
            if isFresh:
                self.close()
                self.connection, self.life = http.client.HTTPConnection("127.0.0.1", port, timeout=60), life
            try:
                self.connection.request(method, path, body, fields)
                response = self.connection.getresponse()
                answer = Answer(response, response.read())
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if self.node.life != life:
                    raise Gone from error
                # A connection that was kept may have been closed at any moment, before this was seen.
                if isFresh or not isinstance(error, (http.client.RemoteDisconnected, ConnectionError)):
                    raise Wrong(f"{method} {path}: {error!r}") from error
                continue
            self.requests += 1
            if answer.status >= 500:
                raise Wrong(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
            return answer
        raise Wrong(f"{method} {path}: the connection was closed again and again")

    def api(self, method, path, body=None, fields=None, expected=(200, 201, 204)):
        answer = self.request(method, "/api/v1" + path, body, fields, authorised=True)
        if answer.status not in expected:
            raise Wrong(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
        return answer

    def job(self, method, path, body):
        """The result of something that may be a job, when it is done."""
        answer = self.api(method, path, body, {"Prefer": "wait=10"}, (200, 201, 202))
        while answer.status == 202 or answer.json().get("state") in ("queued", "running"):
            url = answer.json()["url"].removeprefix("/api/v1")
            answer = self.api("GET", url, None, {"Prefer": "wait=10"})
        value = answer.json()
        if "state" not in value or "kind" not in value:
            return value
        if value["state"] != "done":
            raise Wrong(f"{method} {path}: the job ended {value['state']}: {value.get('error')}")
        return value.get("result")

    def raw(self, receive_buffer=0):
        """A bare connection, for clients that behave badly."""
        port, life = self.node.place()
        plain = socket.socket()
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(60)
        try:
            plain.connect(("127.0.0.1", port))
        except OSError as error:
            if self.node.life != life:
                raise Gone from error
            raise Wrong(f"connecting: {error!r}") from error
        return plain, life

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

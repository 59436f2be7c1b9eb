"""One client with content of its own, of which it knows what everybody may see of it."""

import random
import time

from archive import file_content
from node import Client, Gone, Wrong

# Large enough that no two are the same by chance.
SIZES = [20, 1000, 1000, 70_000, 300_000, 1_500_000, 4_000_000]
MOST_FILES = 12


def content(seed, size):
    return random.Random(seed).randbytes(size)


class File:
    """What an upload was acknowledged for: bytes by path below the root."""

    def __init__(self, root, pin, parts, is_public):
        self.root, self.pin, self.parts, self.is_public = root, pin, parts, is_public

    def bytes(self, path):
        return content(*self.parts[path])


class Worker:
    def __init__(self, number, node, token, seed, tally):
        self.number, self.seed, self.tally = number, seed, tally
        self.random = random.Random(seed * 1000 + number)
        self.client = Client(node, token)
        self.files, self.added = [], 0
        self.name, self.target = None, None

    # What it does

    def step(self):
        """One thing, whatever happens to the node meanwhile."""
        if not self.files:
            return self.run(self.upload)
        file = self.random.choice(self.files)
        doing, weights = zip(*[
            (lambda: self.read(file), 34), (lambda: self.read_range(file), 16), (lambda: self.read_car(file), 8),
            (lambda: self.read_block(file), 4), (lambda: self.read_as_owner(file), 4),
            (lambda: self.read_with_key(file), 4),
            (lambda: self.list(file), 6), (lambda: self.toggle(file), 5), (lambda: self.remove(file), 3),
            (self.upload, 5), (lambda: self.leave_early(file), 3), (self.break_off, 3),
            (lambda: self.read_slowly(file), 1), (lambda: self.publish(file), 4), (self.resolve, 4),
            (lambda: self.pin_again(file), 2), (lambda: self.walk(file), 1),
        ])
        self.run(self.random.choices(doing, weights)[0])

    def run(self, action):
        try:
            action()
        except Gone:
            self.tally.count("cut off by a kill")

    def settle(self, action):
        """Does what may be done again, until the node has acknowledged it."""
        while True:
            try:
                return action()
            except Gone:
                self.tally.count("cut off by a kill")

    def finish(self):
        """Everything that was acknowledged is there once more, and then taken away."""
        for file in self.files:
            self.settle(lambda file=file: self.read(file))
            self.settle(lambda file=file: self.read_as_owner(file))
        self.settle(self.resolve)
        while self.files:
            self.remove(self.files[0])
        self.client.close()

    # Uploads

    def upload(self):
        if len(self.files) >= MOST_FILES:
            return
        self.added += 1
        name = f"w{self.number}-{self.added}"
        if self.random.random() < 0.25:
            parts = {f"part {i}.txt": self.part(i) for i in range(self.random.randrange(1, 30))}
        else:
            parts = {"": self.part(0)}
        visibility = self.random.choice(["public", "public", "private"])
        query = f"/uploads?name={name}&visibility={visibility}"
        body, fields = self.body(parts)
        try:
            made = self.client.api("POST", query, body, fields).json()
        except Gone:
            self.tally.count("cut off by a kill")
            # It may be there or not: it was not acknowledged, but if it is there it can be removed.
            return self.settle(lambda: self.remove_pins(name))
        self.files.append(File(made["cid"], made["pin"]["id"], parts, visibility == "public"))
        self.tally.count("uploads", sum(size for _, size in parts.values()))
        self.read(self.files[-1])

    def part(self, index):
        size = self.random.choice(SIZES[:4] if index else SIZES)
        return self.seed << 40 | self.number << 32 | self.added << 10 | index, size

    def body(self, parts):
        if "" in parts:
            return content(*parts[""]), {"Content-Type": "application/octet-stream"}
        edge = "--------soak"
        body = b"".join(
            f'--{edge}\r\nContent-Disposition: form-data; name="f"; filename="folder/{path}"\r\n\r\n'.encode()
            + content(*part) + b"\r\n" for path, part in parts.items())
        return body + f"--{edge}--\r\n".encode(), {"Content-Type": "multipart/form-data; boundary=" + edge}

    def break_off(self):
        """An upload that ends in the middle: nothing of it may be pinned."""
        name = f"broken-{self.number}"
        plain, _ = self.client.raw()
        with plain:
            head = (f"POST /api/v1/uploads?name={name} HTTP/1.1\r\nHost: localhost\r\n"
                    f"Authorization: Bearer {self.client.token}\r\nContent-Length: 1000000\r\n\r\n")
            try:
                plain.sendall(head.encode() + self.random.randbytes(self.random.randrange(1, 400_000)))
            except OSError:
                pass
        if self.client.api("GET", f"/pins?name={name}").json()["items"]:
            raise Wrong("an upload that broke off is pinned")
        self.tally.count("broken uploads")

    # Reads

    def expect(self, what, file, answer, body, status=200):
        """Checks an answer to somebody without a key."""
        if not file.is_public:
            if answer.status != 404:
                raise Wrong(f"{what}: what is not public was answered with {answer.status}")
        elif answer.status != status or (body is not None and answer.body != body):
            raise Wrong(f"{what}: {answer.status}, {len(answer.body)} bytes, which are not what was stored")
        self.tally.count(what.split()[0], len(answer.body))

    def path(self, file):
        return self.random.choice(list(file.parts))

    def url(self, file, path, root="/ipfs/"):
        return root + file.root + ("/" + path.replace(" ", "%20") if path else "")

    def read(self, file):
        path = self.path(file)
        # The same question several times meets the answers that are kept in memory.
        for _ in range(self.random.choice([1, 1, 3])):
            answer = self.client.request("GET", self.url(file, path))
            self.expect(f"files {file.root}/{path}", file, answer, file.bytes(path))

    def read_range(self, file):
        path = self.path(file)
        expected = file.bytes(path)
        lower = self.random.randrange(len(expected))
        upper = self.random.randrange(lower, len(expected))
        answer = self.client.request("GET", self.url(file, path), None, {"Range": f"bytes={lower}-{upper}"})
        self.expect(f"ranges {file.root}/{path}", file, answer, expected[lower : upper + 1], 206)

    def read_car(self, file):
        path = self.path(file)
        answer = self.client.request("GET", self.url(file, path) + "?format=car&dag-scope=entity")
        self.expect(f"CARs {file.root}/{path}", file, answer, None)
        if file.is_public and not path:
            try:
                found = file_content(answer.body)
            except (AssertionError, IndexError) as error:
                raise Wrong(f"the CAR of {file.root}: {error!r}") from error
            if found != file.bytes(path):
                raise Wrong(f"the CAR of {file.root} holds other bytes")

    def read_block(self, file):
        answer = self.client.request("GET", f"/ipfs/{file.root}?format=raw")
        self.expect(f"blocks {file.root}", file, answer, None)

    def read_as_owner(self, file):
        """With the key everything is there, public or not."""
        path = self.path(file)
        query = "?path=" + path.replace(" ", "%20") if path else ""
        answer = self.client.api("GET", f"/content/{file.root}{query}")
        if answer.body != file.bytes(path):
            raise Wrong(f"content of {file.root}: {len(answer.body)} bytes, which are not what was stored")
        self.tally.count("owner's reads", len(answer.body))

    def read_with_key(self, file):
        """On the gateway as well; and no cache gives it to somebody without one afterwards."""
        path = self.path(file)
        answer = self.client.request("GET", self.url(file, path), authorised=True)
        if answer.status != 200 or answer.body != file.bytes(path):
            raise Wrong(f"with a key {file.root}/{path}: {answer.status}, {len(answer.body)} bytes, other than stored")
        self.tally.count("reads with a key", len(answer.body))
        self.read(file)

    def list(self, file):
        if "" in file.parts:
            return
        answer = self.client.request("GET", f"/ipfs/{file.root}/")
        self.expect(f"listings {file.root}", file, answer, None)
        if file.is_public and any(path.encode() not in answer.body for path in file.parts):
            raise Wrong(f"the listing of {file.root} leaves something out")

    def leave_early(self, file):
        plain, _ = self.client.raw(self.random.choice([0, 4096]))
        with plain:
            query = self.random.choice(["", "?format=car"])
            plain.sendall(f"GET /ipfs/{file.root}{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            if self.random.random() < 0.5:
                plain.recv(100)
        self.tally.count("readers that left")

    def read_slowly(self, file):
        path = self.path(file)
        plain, life = self.client.raw(4096)
        received = b""
        with plain:
            plain.sendall(
                f"GET {self.url(file, path)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            end = time.monotonic() + 10
            try:
                while more := plain.recv(65536):
                    received += more
                    if time.monotonic() < end:
                        time.sleep(0.05)
            except OSError as error:
                if self.client.node.life != life:
                    raise Gone from error
                raise Wrong(f"a slow reader was dropped: {error!r}") from error
        if self.client.node.life != life:
            raise Gone
        body = received.partition(b"\r\n\r\n")[2]
        if file.is_public and body != file.bytes(path):
            raise Wrong(f"a slow reader of {file.root} got {len(body)} bytes, which are not what was stored")
        self.tally.count("slow readers", len(body))

    # Pins

    def toggle(self, file):
        file.is_public = not file.is_public
        word = "public" if file.is_public else "private"
        self.settle(
            lambda: self.client.job("PUT", f"/pins/{file.pin}/visibility", {"visibility": word}))
        self.tally.count("publications")
        self.read(file)

    def remove(self, file):
        self.files.remove(file)
        self.settle(lambda: self.client.api("DELETE", f"/pins/{file.pin}", expected=(204, 404)))
        self.tally.count("removals")

    def remove_pins(self, name):
        for pin in self.client.api("GET", f"/pins?name={name}").json()["items"]:
            self.client.api("DELETE", f"/pins/{pin['id']}", expected=(204, 404))

    def pin_again(self, file):
        """A second pin, private and taken away again, changes nothing for the first."""
        name = f"again-{self.number}"
        wish = {"cid": file.root, "name": name, "visibility": "private"}
        try:
            self.client.job("POST", "/pins", wish)
            self.read(file)
        finally:
            self.settle(lambda: self.remove_pins(name))
        self.tally.count("second pins")

    def walk(self, file):
        if self.client.job("POST", f"/dags/{file.root}/walk", None)["missing"]:
            raise Wrong(f"blocks of {file.root} are missing")
        self.tally.count("walks")

    # Names

    def publish(self, file):
        if not file.is_public or "" not in file.parts:
            return
        label = f"soak-{self.number}"
        if self.name is None:
            made = self.client.api("POST", "/names", {"label": label}, expected=(201, 409))
            known = made if made.status == 201 else self.client.api("GET", f"/names/{label}")
            self.name = known.json()["name"]
        self.settle(
            lambda: self.client.api("POST", f"/names/{label}/publish", {"target": f"/ipfs/{file.root}"}))
        self.target = file
        self.tally.count("names published")
        self.resolve()

    def resolve(self):
        if self.target not in self.files:
            return
        answer = self.client.request("GET", f"/ipns/{self.name}")
        self.expect(f"names {self.name}", self.target, answer, self.target.bytes(""))

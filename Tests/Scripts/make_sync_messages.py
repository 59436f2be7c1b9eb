"""Writes messages.json: messages of the sync protocol in both forms, from docs/formats/sync.md alone."""
import base64, hashlib, json, struct

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

class Id:
    def __init__(self, n): self.n = n
    def cbor(self): return self.n.to_bytes(16, "big")
    def text(self): return "".join(CROCKFORD[self.n >> 5 * i & 31] for i in range(25, -1, -1))

class Cid:
    def __init__(self, codec, content): self.b = bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(content).digest()
    def cbor(self): return self.b
    def text(self): return "b" + base64.b32encode(self.b).decode().lower().rstrip("=")

class Bytes:
    def __init__(self, b): self.b = b
    def cbor(self): return self.b
    def text(self): return base64.b64encode(self.b).decode()

class Long:
    """A number that is text in JSON."""
    def __init__(self, n): self.n = n
    def cbor(self): return self.n
    def text(self): return str(self.n)

def head(major, n):
    for limit, code, form in ((24, None, None), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I"), (1 << 64, 27, ">Q")):
        if n < limit:
            return bytes([major << 5 | n]) if code is None else bytes([major << 5 | code]) + struct.pack(form, n)

def cbor(v):
    if hasattr(v, "cbor"): v = v.cbor()
    if v is True: return b"\xf5"
    if isinstance(v, int): return head(0, v) if v >= 0 else head(1, -1 - v)
    if isinstance(v, bytes): return head(2, len(v)) + v
    if isinstance(v, str): return head(3, len(v.encode())) + v.encode()
    if isinstance(v, list): return head(4, len(v)) + b"".join(map(cbor, v))
    keys = sorted(v, key=lambda k: (len(k.encode()), k.encode()))
    return head(5, len(v)) + b"".join(cbor(k) + cbor(v[k]) for k in keys)

def plain(v):
    if hasattr(v, "text"): return v.text()
    if isinstance(v, list): return [plain(x) for x in v]
    if isinstance(v, dict): return {k: plain(x) for k, x in v.items()}
    return v

def text(v): return json.dumps(plain(v), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

RAW, PB = 0x55, 0x70
a, b, c = Cid(RAW, b"a"), Cid(RAW, b"b"), Cid(PB, b"c")
file = {"nid": Id(1), "kind": "file", "parent": Id(2), "name": "Käse \"1\".md", "rev": Long(2**63 - 1), "crev": Long(3),
        "root": c, "size": Long(5), "mtime_ns": Long(-1), "mode": 0o644}
folder = {"nid": Id(2), "kind": "dir", "parent": Id(2**128 - 1), "name": "d", "rev": Long(1), "crev": Long(1), "mtime_ns": Long(0)}
link = {"nid": Id(3), "kind": "symlink", "parent": Id(2), "name": "l", "rev": Long(4), "crev": Long(4), "size": Long(2),
        "mtime_ns": Long(-2**63), "target": ".."}
edit = {"base": c, "splices": [[1, 2, [[a, 1], [b, 2097152]]], [70, 0, []]]}
info = {"ns": "X", "name": "recipes", "role": "owner", "root": Id(1), "epoch": Long(7), "head": Long(9), "nodes": Long(3),
        "used_bytes": Long(5), "visibility": "public", "policy": {"merge": "lines"}}
device = {"device_id": "laptop-1", "name": "Küche", "platform": "linux", "nfd_fs": True, "features": ["cbor", "gzip"],
          "last_seen_ms": Long(2**53 + 1), "revoked": True}
lease = {"nid": Id(1), "device": "laptop-1", "device_name": "Küche", "mode": "exclusive", "expires_ms": Long(8), "own": True}
figures = {name: Long(0) for name in (
    "commits", "journal_entries", "conflicts", "conflict_copies", "needed_blocks", "stored_blocks", "stored_bytes", "duplicate_blocks", "duplicate_bytes",
    "retrieved_blocks", "retrieved_bytes", "entries", "wake_ups", "waits", "catalog_writes_waiting", "cache_hits", "cache_misses",
    "cache_used", "cache_capacity")}
conflict = {"id": Id(20), "nid": Id(1), "reason": "stale", "name": "f", "base_crev": Long(3), "current_crev": Long(4), "root": a,
            "size": Long(1), "device": "laptop-1", "server_ts_ms": Long(6), "resolution": "both"}
messages = {
    "commit-request": {"base_epoch": Long(7), "cursor": "1.7.8", "atomic": True, "ops": [
        {"op_id": Id(10), "op": "put", "nid": Id(1), "parent": Id(2), "name": "f", "size": Long(2), "mtime_ns": Long(1), "inline": Bytes(b"hi")},
        {"op_id": Id(11), "op": "put", "nid": Id(1), "parent": Id(2), "name": "f", "base_crev": Long(5), "root": c, "size": Long(9),
         "mtime_ns": Long(1), "mode": 0o755, "edit": edit},
        {"op_id": Id(12), "op": "link", "nid": Id(3), "parent": Id(2), "name": "l", "size": Long(0), "mtime_ns": Long(0), "target": "../x"},
        {"op_id": Id(13), "op": "mkdir", "nid": Id(4), "parent": Id(2), "name": "d", "mtime_ns": Long(0)},
        {"op_id": Id(14), "op": "move", "nid": Id(4), "parent": Id(5), "name": "e", "base_rev": Long(6)},
        {"op_id": Id(15), "op": "delete", "nid": Id(4), "base_rev": Long(6), "children_rev": Long(8), "force_delete_token": "T"},
        {"op_id": Id(16), "op": "meta", "nid": Id(4), "mtime_ns": Long(-5), "mode": 0},
        {"op_id": Id(17), "op": "restore", "nid": Id(4), "parent": Id(2), "name": "d"}]},
    "commit-answer": {"head": Long(9), "results": [
        {"st": "ok", "node": file}, {"st": "need", "blocks": [a, b]},
        {"st": "conflict", "reason": "stale", "current": folder}, {"st": "conflict", "reason": "parent_missing"},
        {"st": "error", "code": "bad_path", "message": "no"},
        {"st": "error", "code": "mass_delete_blocked", "removals": Long(151), "token": "T",
         "message": "151 files and directories would be removed; a person has to agree"}],
        "advanced_cursor": {"epoch": Long(7), "jid": Long(9), "cursor": "1.7.9"}},
    "list-request": {"cursor": "1.7.9", "limit": 1000, "inline": True, "edits": True, "inflight": True},
    "list-answer": {"entries": [
        {**file, "inline": Bytes(b"hello"), "device": "laptop"}, {**folder, "restored": True}, {**link, "deleted": True},
        {**file, "edit": edit, "blocks": [Bytes(b"a"), Bytes(b"b")]}],
        "epoch": Long(7), "jid": Long(9), "cursor": "1.7.9", "more": True, "merge": "lines", "unknown_device": True,
        "inflight": [
            {"nid": Id(1), "parent": Id(2), "name": "disk.img", "by": "laptop-1", "by_name": "Küche", "size": Long(2**33),
             "root": c, "leaves": 10, "arrived": Bytes(b"\x81\x02"), "expires_s": 600},
            {"nid": Id(3), "parent": Id(2), "name": "f", "size": Long(5), "root": c, "leaves": 0, "arrived": Bytes(b""),
             "expires_s": 0}]},
    "snapshot-request": {"nid": Id(2), "page": "p"},
    "snapshot-page": {"entries": [folder], "epoch": Long(-7), "jid": Long(0), "cursor": "c", "next": "n"},
    "block-list": {"cids": [a, c]},
    "leaves-request": {"root": c, "base": a},
    "leaf-edit": edit,
    "wait-request": {"cursors": [{"ns": "recipes", "epoch": Long(7), "jid": Long(9), "inflight": Long(2**56)},
                                 {"ns": "notes", "epoch": Long(7), "jid": Long(0)}], "timeout_s": 30},
    "wait-answer": {"changed": ["recipes"], "inflight": [{"ns": "recipes", "mark": Long(2**56 + 1)}]},
    "namespace-info": info,
    "namespace-request": {"name": "recipes", "visibility": "public"},
    "problem": {"error": {"code": "unavailable", "message": "later", "retry_after_ms": 2000}},
    "device-info": device,
    "device-request": {"device_id": "laptop-1", "name": "Küche", "platform": "linux", "ci_fs": True, "features": []},
    "device-list": {"devices": [device]},
    "sync-report": {
        "namespaces": [{
            "namespace": info, "unsettled_ms": Long(250), "leases": [lease], "open_conflicts": Long(2),
            "devices": [{"device_id": "laptop-1", "name": "Küche", "jid": Long(7), "behind": Long(2), "last_seen_ms": Long(5)}]}],
        "node": {**figures, "commits": Long(4), "stored_bytes": Long(2**40), "cache_capacity": Long(65536)}},
    "revision-page": {"revisions": [{"op": "content", "entry": {**file, "device": "laptop-1", "device_name": "Küche"},
                                     "server_ts_ms": Long(6)}], "next": Long(3)},
    "restore-file": {"nid": Id(1), "crev": Long(3)},
    "restore-tree": {"as_of": "41", "path": "soups"},
    "restore-answer": {"head": Long(9), "entries": 2},
    "conflict-list": {"conflicts": [conflict]},
    "conflict-resolution": {"keep": "theirs"},
    "lease-request": {"nid": Id(1), "ttl_s": 600, "mode": "exclusive"},
    "lease-list": {"leases": [lease]},
}
if __name__ == "__main__":
    out = {name: {"cbor": cbor(m).hex(), "json": text(m)} for name, m in messages.items()}
    print(json.dumps(out, indent=1, ensure_ascii=False))

#!/usr/bin/env bash
# How far from a static file server is the gateway? nginx with sendfile on files of the same sizes, in the same run, on
# loopback, asked by the same clients, in turns.
#
# usage: bench/http.sh [--quick] [--nacre BINARY] [--dir DIR] [--json FILE] [--rounds N] [--seconds N] [ROW…]
#   --quick  a file of 64 MiB, a directory of 20,000 entries, 1,000 idle connections, one round of 2 s
#   ROW      only these: small medium large car readers deep idle many tls h2
# Prints a table of figures, what each should reach, and whether it does. Ends with 1 if one does not.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
nacre=$here/.build/release/nacre
work=$here/bench/.work json= large=1024 entries=1000000 idle=10000 rounds=5 seconds=4 wanted=()
while [ $# -gt 0 ]; do
    case $1 in
        --quick) large=64 entries=20000 idle=1000 rounds=1 seconds=2; shift ;;
        --nacre) nacre=$2; shift 2 ;;
        --dir) work=$2; shift 2 ;;
        --json) json=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        -*) sed -n '5,7s/^# //p' "$0" >&2; exit 2 ;;
        *) wanted+=("$1"); shift ;;
    esac
done
for tool in wrk nginx curl python3 openssl h2load; do
    command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || {
        echo "$tool is missing: scripts/install-packages.sh http-bench" >&2; exit 1
    }
done
PATH=$PATH:/usr/sbin
mkdir -p "$work"
work=$(mktemp -d "$work/http.XXXXXX")
nginx_pid= nacre_pid=
stop() { # PID: asks it to end and waits until it has
    [ -n "$1" ] || return 0
    kill -TERM "$1" 2>/dev/null || true
    for _ in $(seq 200); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.05; done
    kill -KILL "$1" 2>/dev/null || true
}
finish() { stop "$nginx_pid"; stop "$nacre_pid"; rm -rf "$work"; }
trap finish EXIT

rows=() missed=0
note() { printf '%s\n' "$*" >&2; }
is_wanted() { [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $1 "* ]]; }
calculate() { awk "BEGIN { printf \"%.4g\", $1 }"; }
median() { printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"; }
# row WORK RELATION REACH FIGURE DETAIL
row() {
    local ok=missed
    if awk "BEGIN { exit !($4 $2 $3) }"; then ok=ok; else missed=1; fi
    rows+=("$1|$2 $3|$4|$ok|$5")
    note "$(printf '%-58s %-9s %8s  %-6s %s' "$1" "$2 $3" "$4" "$ok" "$5")"
}
memory() { # FIELD PID, in MiB
    awk -v field="$1:" '$1 == field { printf "%.1f", $2 / 1024 }' "/proc/$2/status"
}

# --- what is served -------------------------------------------------------------------------------------------

note "inputs: 1 KiB, 256 KiB, $large MiB; a directory of $entries entries 10 levels deep, in $work"
mkdir -p "$work/files" "$work/nginx"
python3 - "$work" "$large" <<'PYTHON'
import random, sys
work, large = sys.argv[1], int(sys.argv[2])
source = random.Random(3)
for name, size in (("small", 1024), ("medium", 256 * 1024)):
    open(f"{work}/files/{name}", "wb").write(source.randbytes(size))
with open(f"{work}/files/large", "wb") as file:
    for _ in range(large):
        file.write(source.randbytes(1 << 20))
PYTHON
data=$work/data
add() { "$nacre" --data "$data" add -Q "$@" 2>/dev/null; }
small=$(add "$work/files/small") medium=$(add "$work/files/medium") large_root=$(add "$work/files/large")
if is_wanted deep; then
    python3 - "$work" "$entries" <<'PYTHON'
import os, sys
# Files of no bytes are one block, so that the directory is all there is to it.
path = sys.argv[1] + "/tree/" + "/".join(f"level{n}" for n in range(10))
os.makedirs(path)
for number in range(int(sys.argv[2])):
    os.close(os.open(f"{path}/entry-{number:07d}.txt", os.O_CREAT | os.O_WRONLY))
with open(f"{path}/entry-{int(sys.argv[2]) // 2:07d}.txt", "w") as file:
    file.write("found\n")
PYTHON
    tree=$(add "$work/tree")
    rm -rf "$work/tree"
fi

# --- who serves it ---------------------------------------------------------------------------------------------

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
start_nginx() {
    nginx_port=$(free_port) nginx_tls_port=$(free_port)
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/key.pem" \
        -out "$work/certificate.pem" -days 2 -subj /CN=localhost 2>/dev/null
    cat >"$work/nginx/conf" <<CONF
worker_processes 2;
worker_rlimit_nofile 65536;
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/errors;
events { worker_connections 20000; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    open_file_cache max=100;
    client_body_temp_path $work/nginx/1; proxy_temp_path $work/nginx/2; fastcgi_temp_path $work/nginx/3;
    uwsgi_temp_path $work/nginx/4; scgi_temp_path $work/nginx/5;
    server { listen 127.0.0.1:$nginx_port; root $work/files; }
    server {
        listen 127.0.0.1:$nginx_tls_port ssl http2;
        ssl_certificate $work/certificate.pem; ssl_certificate_key $work/key.pem;
        root $work/files;
    }
}
CONF
    chmod 755 "$work" "$work/files"
    nginx -p "$work/nginx" -c "$work/nginx/conf" -g "user $(id -un);" &
    nginx_pid=$!
    nginx_url=http://127.0.0.1:$nginx_port
    for _ in $(seq 100); do curl -so /dev/null "$nginx_url/small" && return; sleep 0.05; done
    note "nginx does not answer: $(cat "$work/nginx/errors")"; exit 1
}
# Sets $started to the seconds from the start of the process to its first answer.
start_nacre() {
    local begin port
    begin=$(date +%s.%N)
    NACRE_LOG_LEVEL=warning "$nacre" --data "$data" serve --listen 127.0.0.1:0 2>"$work/nacre.log" &
    nacre_pid=$!
    for _ in $(seq 2000); do
        port=$(sed -nE 's|.*https?://127\.0\.0\.1:([0-9]+).*|\1|p' "$data/LOCK" 2>/dev/null | head -1)
        if [ -n "$port" ] && grep -q "$nacre_pid" "$data/LOCK" && curl -skfo /dev/null "$scheme://127.0.0.1:$port/health/live"
        then
            started=$(calculate "$(date +%s.%N) - $begin")
            nacre_url=$scheme://127.0.0.1:$port
            return
        fi
        sleep 0.005
    done
    note "nacre does not answer: $(cat "$work/nacre.log")"; exit 1
}
scheme=http
restart_nacre() { stop "$nacre_pid"; start_nacre; }

# --- idle ------------------------------------------------------------------------------------------------------

start_nginx
starts=()
for _ in 1 2 3; do restart_nacre; starts+=("$started"); done
if is_wanted idle; then
    row "start to ready: seconds" "<=" 0.5 "$(median "${starts[@]}")" "median of ${#starts[@]}"
    sleep 1
    row "idle: MiB resident" "<=" 64 "$(memory VmRSS "$nacre_pid")" "anonymous $(memory RssAnon "$nacre_pid")"
fi
cmp <(curl -sf "$nacre_url/ipfs/$small") "$work/files/small"
cmp <(curl -sf "$nacre_url/ipfs/$medium") "$work/files/medium"

# --- requests a second -----------------------------------------------------------------------------------------

# requests URL: requests a second of wrk, or nothing if one answer was not right
requests() {
    local out
    out=$(wrk -t2 -c32 -d"${seconds}s" "$1")
    if grep -qE 'Non-2xx|Socket errors' <<<"$out"; then note "$out"; exit 1; fi
    awk '/^Requests\/sec/ { print $2 }' <<<"$out"
}
# compare NAME REACH NGINX-URL OUR-URL
compare() {
    local name=$1 reach=$2 theirs=() ours=() ratios=() a b
    requests "$4" >/dev/null
    for _ in $(seq "$rounds"); do
        a=$(requests "$3"); b=$(requests "$4")
        theirs+=("$a"); ours+=("$b"); ratios+=("$(calculate "$b / $a")")
    done
    row "$name" ">=" "$reach" "$(median "${ratios[@]}")" "nginx $(median "${theirs[@]}")/s, ours $(median "${ours[@]}")/s"
}
if is_wanted small; then
    compare "GET of 1 KiB by CID, 32 connections: requests/s of nginx" 0.35 "$nginx_url/small" "$nacre_url/ipfs/$small"
fi
if is_wanted medium; then
    compare "GET of 256 KiB, 32 connections: bytes/s of nginx" 0.7 "$nginx_url/medium" "$nacre_url/ipfs/$medium"
fi

# --- large bodies ----------------------------------------------------------------------------------------------

speed() { curl -sf -o /dev/null -w '%{speed_download}' "$1"; }
# bodies NAME REACH OUR-URL
bodies() {
    local name=$1 reach=$2 theirs=() ours=() ratios=() a b first
    cat "$work/files/large" >/dev/null
    first=$(speed "$3")
    speed "$nginx_url/large" >/dev/null
    for _ in $(seq "$rounds") 1 2; do
        a=$(speed "$nginx_url/large"); b=$(speed "$3")
        theirs+=("$a"); ours+=("$b"); ratios+=("$(calculate "$b / $a")")
    done
    row "$name" ">=" "$reach" "$(median "${ratios[@]}")" \
        "nginx $(calculate "$(median "${theirs[@]}") / 1048576") MiB/s, ours $(calculate "$(median "${ours[@]}") / 1048576"), the first time $(calculate "$first / 1048576")"
}
if is_wanted large; then
    restart_nacre
    bodies "GET of $large MiB: bytes/s of nginx" 0.9 "$nacre_url/ipfs/$large_root"
    cmp <(curl -sf "$nacre_url/ipfs/$large_root") "$work/files/large"
fi
if is_wanted car; then
    restart_nacre
    bodies "CAR of $large MiB: bytes/s of nginx" 0.8 "$nacre_url/ipfs/$large_root?format=car"
    curl -sf "$nacre_url/ipfs/$large_root?format=car" >"$work/large.car"
    "$nacre" car verify "$work/large.car" >/dev/null || { note "the CAR is damaged"; exit 1; }
    rm "$work/large.car"
fi
if is_wanted readers; then
    restart_nacre
    readers=()
    for reader in $(seq 64); do
        target=$nacre_url/ipfs/$large_root
        [ $((reader % 4)) -ne 0 ] || target="$target?format=car"
        curl -s --limit-rate 2M -o /dev/null --max-time 12 "$target" & readers+=($!)
    done
    sleep 10
    peak=$(memory VmHWM "$nacre_pid")
    for reader in "${readers[@]}"; do wait "$reader" || true; done
    row "64 slow readers of $large MiB: MiB resident at most" "<=" 128 "$peak" "16 of them of CARs"
fi

# --- deep paths ------------------------------------------------------------------------------------------------

if is_wanted deep; then
    restart_nacre
    middle=$(printf '%07d' $((entries / 2)))
    deep=/ipfs/$tree/$(printf 'level%s/' 0 1 2 3 4 5 6 7 8 9)entry-
    [ "$(curl -sf "$nacre_url$deep$middle.txt")" = found ] || { note "the entry is not found"; exit 1; }
    # The port is another one now.
    restart_nacre
    curl -sfo /dev/null "$nacre_url/health/live"
    times=()
    # Every time another entry: none of them was looked up before.
    for number in $(seq 20); do
        entry=$(printf '%07d' $((entries * number / 23)))
        times+=("$(curl -sf -o /dev/null -w '%{time_pretransfer} %{time_starttransfer}' "$nacre_url$deep$entry.txt" |
            awk '{ printf "%.3f", ($2 - $1) * 1000 }')")
    done
    row "first byte 10 directories deep in $entries entries: ms" "<=" 5 "$(median "${times[@]}")" \
        "the first ${times[0]}, the slowest $(printf '%s\n' "${times[@]}" | sort -g | tail -1)"
fi

# --- many connections ------------------------------------------------------------------------------------------

if is_wanted many; then
    stop "$nacre_pid"
    ulimit -n 65536 2>/dev/null || true
    start_nacre
    resident=$(python3 - "${nacre_url##*:}" "$nacre_pid" "/ipfs/$small" "$idle" <<'PYTHON'
import resource, socket, sys, time
port, pid, path, count = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
open_ones = []
for number in range(count):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(request)
    answer = b""
    while len(answer) < 1024:
        part = connection.recv(65536)
        if not part:
            sys.exit(f"connection {number} was closed: {answer[:200]}")
        answer += part
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    open_ones.append(connection)
time.sleep(1)
status = open(f"/proc/{pid}/status").read()
print(int(status.split("VmRSS:")[1].split()[0]) / 1024)
PYTHON
    )
    row "$idle idle connections: MiB resident" "<=" 256 "$(calculate "$resident")" "each has had an answer"
fi

# --- TLS and HTTP/2 --------------------------------------------------------------------------------------------

# requests_h2 URL: requests a second over HTTP/2, one at a time on each of 32 connections
requests_h2() {
    local out
    out=$(h2load -c32 -m1 -t2 -D "$seconds" "$1")
    if ! grep -q ' 0 failed, 0 errored' <<<"$out"; then note "$out"; exit 1; fi
    sed -nE 's|^finished in .*, ([0-9.]+) req/s.*|\1|p' <<<"$out"
}
# slow_readers NAME VERSION: what 64 slow readers of the large file cost
slow_readers() {
    local name=$1 version=$2 readers=() peak
    restart_nacre
    for _ in $(seq 64); do
        curl -sk "$version" --limit-rate 2M -o /dev/null --max-time 12 "$nacre_url/ipfs/$large_root" & readers+=($!)
    done
    sleep 10
    peak=$(memory VmHWM "$nacre_pid")
    for reader in "${readers[@]}"; do wait "$reader" || true; done
    row "$name" "<=" 192 "$peak" "all of the same file"
}
if is_wanted tls || is_wanted h2; then
    scheme=https
    export NACRE_TLS_CERTIFICATE=$work/certificate.pem NACRE_TLS_KEY=$work/key.pem
    restart_nacre
    tls_url=https://127.0.0.1:$nginx_tls_port
fi
if is_wanted tls; then
    compare "TLS: GET of 1 KiB, 32 connections: requests/s of nginx" 0.35 "$tls_url/small" "$nacre_url/ipfs/$small"
    compare "TLS: GET of 256 KiB, 32 connections: bytes/s of nginx" 0.5 "$tls_url/medium" "$nacre_url/ipfs/$medium"
    slow_readers "TLS: 64 slow readers of $large MiB: MiB resident at most" --http1.1
fi
if is_wanted h2; then
    restart_nacre
    requests() { requests_h2 "$1"; }
    compare "HTTP/2: GET of 1 KiB, 32 connections: requests/s of nginx" 0.1 "$tls_url/small" "$nacre_url/ipfs/$small"
    compare "HTTP/2: GET of 256 KiB, 32 connections: bytes/s of nginx" 0.3 "$tls_url/medium" "$nacre_url/ipfs/$medium"
    slow_readers "HTTP/2: 64 slow readers of $large MiB: MiB resident at most" --http2
fi

# --- the table -------------------------------------------------------------------------------------------------

processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
commit=$(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)
echo "machine: $processor, $(nproc) processors, $(uname -sr); commit $commit; $(nginx -v 2>&1 | sed 's/.*: //'), 2 workers;" \
    "load $(cut -d' ' -f1 /proc/loadavg)"
printf '%-58s %-9s %8s  %-6s %s\n' work reach figure '' ''
for line in "${rows[@]}"; do
    IFS='|' read -r work_done reach figure ok detail <<<"$line"
    printf '%-58s %-9s %8s  %-6s %s\n' "$work_done" "$reach" "$figure" "$ok" "$detail"
done
if [ -n "$json" ]; then
    printf '%s\n' "${rows[@]}" | python3 -c '
import json, sys
keys = ("work", "reach", "figure", "ok", "detail")
rows = [dict(zip(keys, line.rstrip("\n").split("|"))) for line in sys.stdin]
print(json.dumps({"machine": sys.argv[1], "commit": sys.argv[2], "rows": rows}, indent=1))
' "$processor" "$commit" >"$json"
fi
exit $missed

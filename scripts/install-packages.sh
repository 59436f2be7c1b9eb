#!/usr/bin/env bash
# Installs the Debian packages of the named groups, unless they are all there. Groups: build, test, bench,
# http-bench, sync-bench.
set -euo pipefail

declare -A groups=(
    [build]="pkg-config librocksdb-dev libsqlite3-dev libpq-dev libgcrypt20-dev zlib1g-dev libzstd-dev"
    [test]="postgresql-15 python3 procps tar unzip openssl libssl-dev curl nginx-light prometheus nghttp2-client"
    [bench]="libssl-dev openssl restic borgbackup casync git-annex time"
    [sync-bench]="rsync syncthing unison python3"
    [http-bench]="nginx-light wrk curl python3 time openssl nghttp2-client"
)

missing=()
for group in "$@"; do
    for package in ${groups[$group]}; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "nacre: these packages are missing and there is no apt-get to install them: ${missing[*]}" >&2
    exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
    sudo=(sudo)
fi
echo "installing Debian packages: ${missing[*]}"
# Of these packages the programs are wanted, never the services: nothing may listen because tests were run.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
    "${sudo[@]}" chmod 755 "$policy"
    trap '"${sudo[@]}" rm -f "$policy"' EXIT
fi
install() {
    "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq \
            --no-install-recommends "${missing[@]}" >/dev/null
}
# Another apt run at the same time can make one fail halfway: once more is enough then.
install || { sleep 5; install; }

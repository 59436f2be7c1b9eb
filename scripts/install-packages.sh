#!/usr/bin/env bash
# Installs the Debian packages of the named groups, unless they are all there. Groups: build, test, bench.
set -euo pipefail

declare -A groups=(
    [build]="pkg-config librocksdb-dev libsqlite3-dev libpq-dev libgcrypt20-dev"
    [test]="postgresql-15 python3 procps tar openssl libssl-dev curl"
    [bench]="libssl-dev openssl restic borgbackup casync git-annex time"
    [http-bench]="nginx-light wrk curl python3 time"
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
install() {
    "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq \
            --no-install-recommends "${missing[@]}" >/dev/null
}
# Another apt run at the same time can make one fail halfway: once more is enough then.
install || { sleep 5; install; }

#!/usr/bin/env bash
# Installs the binary with completions and man page, or removes them.
# usage: install.sh NACRE PREFIX | install.sh --remove PREFIX
set -euo pipefail
source=$1
prefix=$2
here=$(cd "$(dirname "$0")" && pwd)

binary=$prefix/bin/nacre
bash_completion=$prefix/share/bash-completion/completions/nacre
zsh_completion=$prefix/share/zsh/site-functions/_nacre
fish_completion=$prefix/share/fish/vendor_completions.d/nacre.fish
man_page=$prefix/share/man/man1/nacre.1

if [ "$source" = --remove ]; then
    rm -f "$binary" "$bash_completion" "$zsh_completion" "$fish_completion" "$man_page"
    echo "removed nacre from $prefix; data directories are untouched"
    exit 0
fi

install -D -m 755 "$source" "$binary"
for shell in bash zsh fish; do
    target=${shell}_completion
    mkdir -p "$(dirname "${!target}")"
    "$source" --generate-completion-script "$shell" >"${!target}"
    chmod 644 "${!target}"
done
mkdir -p "$(dirname "$man_page")"
"$source" --experimental-dump-help | python3 "$here/man-page.py" >"$man_page"
chmod 644 "$man_page"
echo "installed $binary, completions for bash, zsh and fish, and $man_page"

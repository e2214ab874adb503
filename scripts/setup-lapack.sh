#!/usr/bin/env bash
# Makes sure that the system has OpenBLAS, for the crate autojit-lapack. Does nothing if it has.
set -euo pipefail

# Links into a folder of its own: a linker that runs as root may replace /dev/null by its output.
links() {
    local folder status=0
    folder=$(mktemp -d)
    printf 'int main(void){return 0;}' | "${CC:-cc}" -x c - -lopenblas -o "$folder/program" 2>"$folder/messages" || status=$?
    rm -rf "$folder"
    return "$status"
}

if links; then
    exit 0
fi
root=
if [ "$(id -u)" != 0 ]; then
    root="sudo -n"
fi
if command -v apt-get >/dev/null && $root true 2>/dev/null; then
    echo "installing libopenblas-dev"
    $root apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq libopenblas-dev
    exit 0
fi
echo "OpenBLAS is missing: install libopenblas-dev (Debian, Ubuntu), openblas-devel (Fedora) or openblas (Homebrew)" >&2
exit 1

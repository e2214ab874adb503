#!/usr/bin/env bash
# Gets libtorch for the feature `torch` (CPU, x86-64 Linux): about 540 MB to download, 490 MB on disk.
#
#   scripts/setup-torch.sh
#
# Takes the libraries and headers out of the official Python packages, whose hashes are checked, puts them into a
# cache outside of the clone (AUTOJIT_CACHE, else autojit in the user's cache folder), and tells cargo where they
# are in .cargo/torch.toml. After that `cargo test --features torch` needs no environment variable. Running it
# again downloads nothing. Needs Python 3 with pip, and a C++ compiler for the build that follows.
#
# Another libtorch 2.13, such as one for GPUs, is used instead if the variable LIBTORCH names its folder.
set -euo pipefail
cd "$(dirname "$0")/.."

TORCH=2.13.0
MARK="$TORCH+autojit1" # torch-sys reads the version before the plus sign
PYTHON=${PYTHON:-python3}
CACHE=${AUTOJIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/autojit}
PREFIX="$CACHE/libtorch-$TORCH"

fail() {
    printf 'setup-torch.sh: %s\n' "$*" >&2
    exit 1
}

download() {
    [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
        fail "only x86-64 Linux is known here; elsewhere install libtorch $TORCH and set LIBTORCH to its folder"
    command -v "$PYTHON" >/dev/null || fail "$PYTHON is missing; install Python 3, or name it in PYTHON"
    "$PYTHON" -m pip --version >/dev/null 2>&1 || fail "pip is missing; install it, as python3-pip on Debian"
    mkdir -p "$CACHE"
    # Unpacked beside its place and moved there when whole, so that an interrupted run leaves nothing wrong.
    work=$(mktemp -d -p "$CACHE" setup-torch.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    cat >"$work/requirements.txt" <<'REQUIREMENTS'
torch==2.13.0 --hash=sha256:60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7
nvidia-cuda-runtime==13.0.96 --hash=sha256:7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
nvidia-cuda-cupti==13.0.85 --hash=sha256:4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8
REQUIREMENTS
    echo "libtorch $TORCH: downloading about 540 MB into $CACHE"
    "$PYTHON" -m pip download --no-cache-dir --no-deps --only-binary=:all: --require-hashes \
        --disable-pip-version-check --implementation cp --python-version 3.11 --abi cp311 --abi none \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux_2_17_x86_64 \
        --platform manylinux2014_x86_64 -d "$work/wheels" -r "$work/requirements.txt" ||
        fail "the download failed, or what came has another hash (see above); nothing was installed"
    echo "libtorch $TORCH: unpacking"
    "$PYTHON" - "$work/wheels" "$work/libtorch" <<'UNPACK'
import glob, os, shutil, sys, zipfile

wheels, prefix = sys.argv[1:]
libraries = {
    "torch": ("torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1"),
    "nvidia_cuda_runtime": ("/libcudart.so.13",),
    "nvidia_cuda_cupti": ("/libcupti.so.13",),
}
for package, names in libraries.items():
    with zipfile.ZipFile(glob.glob(f"{wheels}/{package}-*.whl")[0]) as wheel:
        for entry in wheel.namelist():
            if entry.endswith("/"):
                continue
            if entry.endswith(names):
                target = os.path.join(prefix, "lib", os.path.basename(entry))
            elif entry.startswith("torch/include/"):
                target = os.path.join(prefix, entry[len("torch/"):])
            else:
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with wheel.open(entry) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
# The package's own libtorch.so also wants the library for GPUs.
with open(os.path.join(prefix, "lib", "libtorch.so"), "w") as file:
    file.write("INPUT ( -ltorch_cpu )\n")
for name in ("libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13"):
    if not os.path.exists(os.path.join(prefix, "lib", name)):
        sys.exit(f"{name} is not in the packages")
UNPACK
    echo "$MARK" >"$work/libtorch/build-version"
    rm -rf "$PREFIX"
    mv "$work/libtorch" "$PREFIX"
}

if [ "$(cat "$PREFIX/build-version" 2>/dev/null)" = "$MARK" ]; then
    echo "libtorch $TORCH is there: $PREFIX"
else
    download
    echo "libtorch $TORCH is installed: $PREFIX"
fi

settings=$(printf '# Written by scripts/setup-torch.sh.\n[env]\nLIBTORCH = { value = "%s", relative = false }\n' "$PREFIX")
# Left alone if it says so already: cargo builds torch-sys anew when the place changes.
if [ "$(cat .cargo/torch.toml 2>/dev/null)" != "$settings" ]; then
    printf '%s\n' "$settings" >.cargo/torch.toml
fi

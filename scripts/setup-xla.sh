#!/usr/bin/env bash
# Gets XLA for the feature `xla` (CPU, x86-64 Linux): about 300 MB to download, 940 MB on disk.
#
#   scripts/setup-xla.sh
#
# The crate `xla` wants an XLA_EXTENSION_DIR with XLA's headers and libraries, and libclang for its bindings. Both
# come out of official Python packages, whose hashes are checked: XLA is a part of TensorFlow's CPU package. They are
# put into a cache outside of the clone (AUTOJIT_CACHE, else autojit in the user's cache folder), and .cargo/xla.toml
# tells cargo where they are. After that `cargo test --features xla` needs no environment variable. Running it again
# downloads nothing. Needs Python 3 with pip, and a C++ compiler for the build that follows.
#
# Another XLA of the same version is used instead if the variable XLA_EXTENSION_DIR names its folder, and another
# libclang if LIBCLANG_PATH does.
set -euo pipefail
cd "$(dirname "$0")/.."

TENSORFLOW=2.21.0
MARK="tensorflow-cpu $TENSORFLOW, libclang 18.1.1, autojit 2"
PYTHON=${PYTHON:-python3}
CACHE=${AUTOJIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/autojit}
PREFIX="$CACHE/xla-$TENSORFLOW"

fail() {
    printf 'setup-xla.sh: %s\n' "$*" >&2
    exit 1
}

# Writes a header in the folder of headers: from standard input.
header() {
    mkdir -p "$(dirname "$include/$1")"
    cat >"$include/$1"
}

# The crate's C++ names a few things that the package has no headers of (LLVM's), or no code of (plugins for GPUs).
# These stand in for them; what the crate does with them is a conversion to text and errors. They are hidden, as the
# library has functions of the same names: it would call those of a program that shows its own.
stand_ins() {
    header mlir/IR/BuiltinOps.h <<'HEADER'
#pragma once
// XLA's headers pass a module by value to functions that are never called here: the size of one pointer will do.
namespace mlir __attribute__((visibility("hidden"))) {
class Operation;
class ModuleOp {
 public:
  ModuleOp() = default;
 private:
  Operation *state_ = nullptr;
};
}  // namespace mlir
HEADER
    header mlir/IR/MLIRContext.h <<'HEADER'
#pragma once
namespace mlir __attribute__((visibility("hidden"))) {
struct MLIRContext {};  // never handed to the library
}
HEADER
    header mlir/IR/OwningOpRef.h <<'HEADER'
#pragma once
#include "mlir/IR/BuiltinOps.h"
HEADER
    header llvm/Support/raw_ostream.h <<'HEADER'
#pragma once
#include <string>
namespace llvm __attribute__((visibility("hidden"))) {
struct raw_string_ostream {
  explicit raw_string_ostream(std::string &s) : out(s) {}
  void flush() {}
  std::string &out;
};
}  // namespace llvm
HEADER
    header xla/hlo/translate/stablehlo.h <<'HEADER'
#pragma once
// What XLA's own header is used for, by the function of the library that gives a string.
#include <memory>
#include <string>
#include <utility>
#include "absl/status/statusor.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/MLIRContext.h"
#include "xla/hlo/ir/hlo_module.h"
#include "xla/service/hlo.pb.h"
namespace xla {
absl::StatusOr<std::string> ConvertHloToStablehlo(const HloModule &, bool emit_bytecode);
struct __attribute__((visibility("hidden"))) StablehloText {
  std::string text;
  void print(llvm::raw_string_ostream &os) { os.out += text; }
};
__attribute__((visibility("hidden"))) inline absl::StatusOr<std::unique_ptr<StablehloText>>
ConvertHloToStablehlo(mlir::MLIRContext &, HloModuleProto *p) {
  auto config = HloModule::CreateModuleConfigFromProto(*p, {});
  if (!config.ok()) return config.status();
  auto module = HloModule::CreateFromProto(*p, *config);
  if (!module.ok()) return module.status();
  auto text = ConvertHloToStablehlo(**module, false);
  if (!text.ok()) return text.status();
  return std::make_unique<StablehloText>(StablehloText{*std::move(text)});
}
}  // namespace xla
HEADER
    header xla/pjrt/pjrt_api.h <<'HEADER'
#pragma once
// The package for CPUs has no registry of plugins: to load one is an error instead of a failure to link.
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "xla/pjrt/c/pjrt_c_api.h"
namespace pjrt __attribute__((visibility("hidden"))) {
inline absl::Status NoPlugins() { return absl::UnimplementedError("this build of XLA takes no plugins"); }
inline absl::StatusOr<const PJRT_Api *> PjrtApi(absl::string_view) { return NoPlugins(); }
inline absl::StatusOr<const PJRT_Api *> LoadPjrtPlugin(absl::string_view, absl::string_view) { return NoPlugins(); }
inline absl::StatusOr<bool> IsPjrtPluginInitialized(absl::string_view) { return NoPlugins(); }
inline absl::Status InitializePjrtPlugin(absl::string_view) { return NoPlugins(); }
}  // namespace pjrt
HEADER
}

download() {
    [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
        fail "only x86-64 Linux is known here; elsewhere set XLA_EXTENSION_DIR to the folder of an XLA"
    command -v "$PYTHON" >/dev/null || fail "$PYTHON is missing; install Python 3, or name it in PYTHON"
    "$PYTHON" -m pip --version >/dev/null 2>&1 || fail "pip is missing; install it, as python3-pip on Debian"
    mkdir -p "$CACHE"
    # Unpacked beside its place and moved there when whole, so that an interrupted run leaves nothing wrong.
    work=$(mktemp -d -p "$CACHE" setup-xla.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    cat >"$work/requirements.txt" <<'REQUIREMENTS'
tensorflow-cpu==2.21.0 --hash=sha256:2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c
libclang==18.1.1 --hash=sha256:c533091d8a3bbf7460a00cb6c1a71da93bffe148f172c7d03b1c31fbf8aa2a0b
REQUIREMENTS
    echo "XLA: downloading about 300 MB into $CACHE"
    "$PYTHON" -m pip download --no-cache-dir --no-deps --only-binary=:all: --require-hashes \
        --disable-pip-version-check --implementation cp --python-version 3.11 --abi cp311 --abi none \
        --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
        --platform manylinux2010_x86_64 -d "$work/wheels" -r "$work/requirements.txt" ||
        fail "the download failed, or what came has another hash (see above); nothing was installed"
    echo "XLA: unpacking"
    "$PYTHON" - "$work/wheels" "$work/xla" <<'UNPACK'
import glob, os, shutil, sys, zipfile

wheels, prefix = sys.argv[1:]
headers = "tensorflow/include/"
# From the folder of a header in the package to the one from which it is included.
folders = {headers + name + "/": name + "/"
           for name in ("absl", "google", "tsl", "xla", "Eigen", "unsupported", "ml_dtypes")}
folders[headers + "external/highwayhash/highwayhash/"] = "highwayhash/"
folders[headers + "external/farmhash_archive/src/"] = ""
folders[headers + "external/com_github_grpc_grpc/include/"] = ""
libraries = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")

def put(wheel, entry, path):
    target = os.path.join(prefix, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with wheel.open(entry) as source, open(target, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)

with zipfile.ZipFile(glob.glob(f"{wheels}/tensorflow_cpu-*.whl")[0]) as wheel:
    for entry in wheel.namelist():
        if entry.endswith("/"):
            continue
        if entry.startswith("tensorflow/lib") and os.path.basename(entry) in libraries:
            put(wheel, entry, f"lib/{os.path.basename(entry)}")
            continue
        for folder, place in folders.items():
            if entry.startswith(folder):
                put(wheel, entry, f"include/{place}{entry[len(folder):]}")
                break
with zipfile.ZipFile(glob.glob(f"{wheels}/libclang-*.whl")[0]) as wheel:
    for entry in wheel.namelist():
        if entry.endswith("/libclang.so"):
            put(wheel, entry, "libclang/libclang.so")
for path in ("lib/libtensorflow_cc.so.2", "lib/libtensorflow_framework.so.2", "libclang/libclang.so"):
    if not os.path.exists(os.path.join(prefix, path)):
        sys.exit(f"{path} is not in the packages")
UNPACK
    include="$work/xla/include"
    stand_ins
    # What the crate links with is a script for the linker, which names the two libraries.
    echo 'INPUT(libtensorflow_cc.so.2 libtensorflow_framework.so.2)' >"$work/xla/lib/libxla_extension.so"
    echo "$MARK" >"$work/xla/build-version"
    rm -rf "$PREFIX"
    mv "$work/xla" "$PREFIX"
}

if [ "$(cat "$PREFIX/build-version" 2>/dev/null)" = "$MARK" ]; then
    echo "XLA is there: $PREFIX"
else
    download
    echo "XLA is installed: $PREFIX"
fi

# libclang comes without the compiler's own headers, such as stddef.h.
compiler=$(${CC:-cc} -print-file-name=include) || fail "a C compiler is missing; install one, or name it in CC"
settings=$(
    cat <<SETTINGS
# Written by scripts/setup-xla.sh.
[env]
XLA_EXTENSION_DIR = { value = "$PREFIX", relative = false }
LIBCLANG_PATH = { value = "$PREFIX/libclang", relative = false }
BINDGEN_EXTRA_CLANG_ARGS = "-I$compiler"
# Without this TensorFlow's libraries say on standard error that they are loaded.
TF_ENABLE_ONEDNN_OPTS = "0"
SETTINGS
)
# Left alone if it says so already: cargo builds the crate anew when something changes.
if [ "$(cat .cargo/xla.toml 2>/dev/null)" != "$settings" ]; then
    printf '%s\n' "$settings" >.cargo/xla.toml
fi

"""The version of the package, which is that of its distribution."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("autojit")
except PackageNotFoundError:  # imported from a source tree
    __version__ = "0.1.0"

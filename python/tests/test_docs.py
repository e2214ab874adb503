"""The README's blocks, the examples of docstrings, and the stubs."""

import doctest
import importlib
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import autojit

FOLDER = pathlib.Path(__file__).parent.parent
BLOCKS = re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n", 1)[0])
def test_blocks_of_the_readme_run(block):
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


def test_there_are_blocks():
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize(
    "module",
    [
        "autojit",
        "autojit._api",
        "autojit._contract",
        "autojit._control",
        "autojit._inspection",
        "autojit._pools",
        "autojit.lazy",
    ],
)
def test_examples_of_docstrings(module):
    module = importlib.import_module(module)
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.attempted and not results.failed


def test_stubs_are_those_of_the_table():
    subprocess.run([sys.executable, FOLDER / "stubs.py", "--check"], check=True)


def test_stubs_have_every_name():
    stub = (FOLDER / "autojit" / "__init__.pyi").read_text()
    for name in autojit.__all__:
        assert re.search(rf"\b{name}\b", stub), name


def test_the_package_is_typed():
    assert (pathlib.Path(autojit.__file__).parent / "py.typed").exists()
    assert np.__version__ >= "2"

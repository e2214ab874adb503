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
PAGES = ["python/README.md", "README.md", "docs/coming_from.md"]


def blocks(page):
    return re.findall(r"```python\n(.*?)```", (FOLDER.parent / page).read_text(), re.DOTALL)


BLOCKS = [(page, block) for page in PAGES for block in blocks(page)]


@pytest.mark.parametrize(
    "page, block", BLOCKS, ids=[f"{page}: {block.split(chr(10), 1)[0]}" for page, block in BLOCKS]
)
def test_blocks_of_pages_run(page, block):
    exec(compile(block, page, "exec"), {"__name__": "page"})


def test_there_are_blocks():
    assert all(blocks(page) for page in PAGES)
    assert len(BLOCKS) >= 10


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
    stub = (FOLDER / "package" / "autojit" / "__init__.pyi").read_text()
    for name in autojit.__all__:
        assert re.search(rf"\b{name}\b", stub), name


def test_the_package_is_typed():
    assert (pathlib.Path(autojit.__file__).parent / "py.typed").exists()
    assert np.__version__ >= "2"

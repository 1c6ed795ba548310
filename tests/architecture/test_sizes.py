"""Sizes: a file of src holds 400 lines at the most, a function 50 without its docstring."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_tree import SRC, expect_none, read_modules, write_modules

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
WRITTEN_BY_HAND = {".py", ".sql", ".html", ".css", ".js"}


def find_long_files(src: Path) -> list[str]:
    lengths = {
        path.relative_to(src): len(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(src.rglob("*"))
        if path.suffix in WRITTEN_BY_HAND
    }
    return [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > FILE_LINES_MAX]


def find_long_functions(src: Path) -> list[str]:
    return [
        f"{module.path.relative_to(src)}:{function.lineno} {function.name}: {lines} lines"
        for module in read_modules(src).values()
        for function, lines in _functions(module.tree)
        if lines > FUNCTION_LINES_MAX
    ]


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, _lines(node) - (_lines(node.body[0]) if ast.get_docstring(node) is not None else 0)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_is_too_long() -> None:
    expect_none(find_long_files(SRC))


def test_no_function_is_too_long() -> None:
    expect_none(find_long_functions(SRC))


def test_long_file_is_caught(tmp_path: Path) -> None:
    write_modules(tmp_path, {"order.py": "x = 1\n" * 400, "storage/load.sql": "-- a line\n" * 401})
    assert find_long_files(tmp_path) == ["shipledger/storage/load.sql: 401 lines"]


def test_long_function_is_caught(tmp_path: Path) -> None:
    docstring = '    """' + "Told at length.\n" * 20 + '    """\n'
    files = {
        "order.py": "def just_right():\n" + docstring + "    x = 1\n" * 49,
        "event.py": "class Event:\n    async def too_long(self):\n" + "        x = 1\n" * 50,
    }
    assert find_long_functions(write_modules(tmp_path, files)) == ["shipledger/event.py:2 too_long: 51 lines"]

"""The modules under a src directory and what each imports, read without running them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SRC = REPOSITORY / "src"
PACKAGE = "shipledger"


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


def read_modules(src: Path) -> dict[str, Module]:
    modules = {}
    for path in sorted((src / PACKAGE).rglob("*.py")):
        parts = path.relative_to(src).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))
    return modules


def read_imports(module: Module, modules: dict[str, Module]) -> set[str]:
    """Dotted names of the modules imported anywhere in a module: at its top, in a function, or lazily by a string."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(_from_import(node, module, modules))
        else:
            found.update(_lazy_import(node))
    return found


def _from_import(node: ast.ImportFrom, module: Module, modules: dict[str, Module]) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        parts = module.name.split(".")
        here = parts[: len(parts) - node.level + module.is_package]
        base = ".".join([*here, base] if base else here)
    for alias in node.names:
        submodule = f"{base}.{alias.name}"
        # Of a package that has no such file (yet), the name may still tell the room: `from shipledger import cli`.
        yield submodule if submodule in modules or base == PACKAGE else base


def _lazy_import(node: ast.AST) -> Iterator[str]:
    """`import_module("shipledger.cli.serve")`, and names of the form "shipledger.cli.serve:command"."""
    match node:
        case ast.Call(
            func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield name
        case ast.Constant(value=str(text)) if match := re.fullmatch(rf"({PACKAGE}(?:\.\w+)*):\w+", text):
            yield match[1]


def expect_none(offenders: list[str]) -> None:
    """Pass when nothing was found, and else list all of it, which a comparison would cut short."""
    assert not offenders, "\n".join(["", *offenders])


def write_modules(src: Path, files: dict[str, str]) -> Path:
    """A small source of which a test knows what is wrong."""
    for name, text in files.items():
        path = src / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return src

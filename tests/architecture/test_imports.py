"""The floors of the house: imports point down only, and web processes never load a model's libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
#: From the top floor to the ground.
FLOORS = ("evalsite", "analysis", "ratings", "chat", "modelhub")
HEAVY = ("torch", "transformers", "safetensors", "tokenizers")
#: Where models are made and run; nothing else may import their libraries when it is itself imported.
HEAVY_ALLOWED = tuple(
    f"modelhub/{name}/"
    for name in ("serving", "polyencoder", "parlai", "training", "agents", "benchmarks", "safety")
)


def sources() -> list[Path]:
    return [
        path
        for floor in FLOORS
        for path in sorted((PROJECT / floor).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def imported(nodes: Iterator[ast.AST]) -> Iterator[tuple[int, str]]:
    """Line and name of every module that these statements import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def at_module_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Statements that run on import: not inside functions, nor for type checkers alone."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def upward_imports(name: str, source: str) -> list[str]:
    """Imports of a higher floor by this file."""
    higher = FLOORS[: FLOORS.index(name.partition("/")[0])]
    return [
        f"{name}:{line} imports {module}"
        for line, module in imported(ast.walk(ast.parse(source)))
        if module.partition(".")[0] in higher
    ]


def heavy_imports(name: str, source: str) -> list[str]:
    """Imports of a model's libraries when this file is imported."""
    return [
        f"{name}:{line} imports {module}"
        for line, module in imported(at_module_level(ast.parse(source)))
        if module.partition(".")[0] in HEAVY
    ]


def test_imports_point_down_only() -> None:
    found = [
        problem
        for path in sources()
        for problem in upward_imports(path.relative_to(PROJECT).as_posix(), path.read_text())
    ]
    assert not found, "\n".join(found)


def test_model_libraries_are_imported_where_models_run() -> None:
    names = ((path.relative_to(PROJECT).as_posix(), path) for path in sources())
    found = [
        problem
        for name, path in names
        if not name.startswith(HEAVY_ALLOWED)
        for problem in heavy_imports(name, path.read_text())
    ]
    assert not found, "\n".join(found)


def test_a_web_process_loads_no_model_library() -> None:
    program = f"import sys, evalsite.asgi; sys.exit(', '.join(m for m in {HEAVY} if m in sys.modules) or 0)"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, f"importing evalsite.asgi loads {ended.stderr}"


@pytest.mark.parametrize("source", ["import ratings.axes", "def f():\n    from evalsite import health"])
def test_an_upward_import_would_be_found(source: str) -> None:
    assert upward_imports("chat/turns.py", source)


def test_a_heavy_import_would_be_found() -> None:
    assert heavy_imports("chat/turns.py", "try:\n    import torch.nn\nexcept ImportError:\n    pass")
    assert not heavy_imports("chat/turns.py", "def train():\n    import torch")

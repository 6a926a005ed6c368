"""Rules that a reader should be able to trust without looking: sizes, unsafe calls, documented settings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
APPS = ("evalsite", "analysis", "ratings", "chat", "modelhub")
FOLDERS = {*APPS, "bench", "bin", "deploy", "docs", "tests", ".ci"}
#: Beside the folders above, not part of the project: git's own, and what .gitignore names.
IGNORED = {".git", ".venv", "data", "__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"}
LONGEST_FUNCTION_LINES = 60
LONGEST_FILE_LINES = 400
LARGEST_FILE_BYTES = 8_000_000

UNSAFE_PYTHON = {
    "mark_safe": "escape in templates",
    "SafeString": "escape in templates",
    "pickle.load": "weights are safetensors",
    "pickle.loads": "weights are safetensors",
    "torch.load": "weights are safetensors",
}
#: Where a reader for weights alone reads what others pickled; a test gives it code that must not run.
READS_PICKLES = {"modelhub/parlai/checkpoint.py": "torch.load"}
UNSAFE_SCRIPT = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write(?:ln)?|eval\(|new Function)|\.on[a-z]+\s*="
)
UNSAFE_TEMPLATE = re.compile(
    r"""\son[a-z]+\s*=\s*["'{]|\sstyle\s*=|<style\b|javascript:|\|\s*safe\b|{%\s*autoescape\s+off"""
    r"""|<script(?![^>]*\bsrc=)""",
    re.IGNORECASE,
)


def project_files(*suffixes: str, under: tuple[str, ...] = tuple(FOLDERS)) -> Iterator[Path]:
    for folder in under:
        for path in sorted((PROJECT / folder).rglob("*")):
            kept = path.is_file() and "__pycache__" not in path.parts
            if kept and (not suffixes or path.suffix in suffixes):
                yield path


def named(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def test_a_folder_of_an_app_that_is_called_data_is_looked_at() -> None:
    assert "analysis/exports/data/schema.py" in map(named, project_files(".py"))


# --- Size -------------------------------------------------------------------------------------------------


def long_functions(name: str, source: str) -> list[str]:
    return [
        f"{name}:{node.lineno} {node.name} has {length} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION_LINES
    ]


def test_no_function_is_over_sixty_lines() -> None:
    found = [
        problem for path in project_files(".py") for problem in long_functions(named(path), path.read_text())
    ]
    assert not found, "\n".join(found)


def test_a_long_function_would_be_found() -> None:
    body = "    pass\n"
    assert not long_functions("x.py", "def f():\n" + body * 59)
    assert long_functions("x.py", "def f():\n" + body * 60)


def test_no_file_of_an_app_is_over_four_hundred_lines() -> None:
    found = {named(path): len(path.read_text().splitlines()) for path in project_files(".py", under=APPS)}
    assert not {name: lines for name, lines in found.items() if lines > LONGEST_FILE_LINES}


def test_no_file_is_over_eight_megabytes() -> None:
    found = {named(path): path.stat().st_size for path in project_files()}
    assert not {name: size for name, size in found.items() if size > LARGEST_FILE_BYTES}


def test_top_level_folders_are_the_known_ones() -> None:
    found = {path.name for path in PROJECT.iterdir() if path.is_dir()} - IGNORED
    assert found <= FOLDERS


# --- Safety -----------------------------------------------------------------------------------------------


def unsafe_calls(name: str, source: str) -> list[str]:
    """Names and attributes that no file may use, wherever they stand."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Name):
            text = ast.unparse(node)
            found += [
                f"{name}:{node.lineno} {text}: {why}"
                for bad, why in UNSAFE_PYTHON.items()
                if text == bad and READS_PICKLES.get(name) != bad
            ]
        elif isinstance(node, ast.ImportFrom):
            whole = [f"{node.module}.{alias.name}" for alias in node.names] + [
                alias.name for alias in node.names
            ]
            found += [
                f"{name}:{node.lineno} {bad}: {why}" for bad, why in UNSAFE_PYTHON.items() if bad in whole
            ]
    return found


def matches(pattern: re.Pattern[str], name: str, text: str) -> list[str]:
    lines = enumerate(text.splitlines(), 1)
    return [f"{name}:{number} {line.strip()[:80]}" for number, line in lines if pattern.search(line)]


def without_json(template: str) -> str:
    """The template without data blocks, which browsers do not run."""
    return re.sub(r'<script[^>]*type="application/json"', "<data", template)


def test_no_unsafe_call_in_python() -> None:
    found = [
        problem
        for path in project_files(".py", under=APPS)
        for problem in unsafe_calls(named(path), path.read_text())
    ]
    assert not found, "\n".join(found)


def test_what_others_pickled_is_read_for_weights_alone() -> None:
    for name, call in READS_PICKLES.items():
        nodes = ast.walk(ast.parse((PROJECT / name).read_text()))
        calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == call]
        assert calls and all("weights_only=True" in map(ast.unparse, node.keywords) for node in calls)


def test_scripts_never_write_html() -> None:
    scripts = (path for path in project_files(".js", ".mjs", under=APPS))
    found = [problem for path in scripts for problem in matches(UNSAFE_SCRIPT, named(path), path.read_text())]
    assert not found, "\n".join(found)


def test_templates_have_no_inline_script_or_style() -> None:
    found = [
        problem
        for path in project_files(".html", under=APPS)
        for problem in matches(UNSAFE_TEMPLATE, named(path), without_json(path.read_text()))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    ["from django.utils.safestring import mark_safe", "import torch; torch.load(x)", "pickle.loads(b'')"],
)
def test_an_unsafe_call_would_be_found(source: str) -> None:
    assert unsafe_calls("x.py", source)


@pytest.mark.parametrize(
    "line", ["a.innerHTML = b", "node.insertAdjacentHTML('x', y)", "button.onclick = go"]
)
def test_an_unsafe_script_would_be_found(line: str) -> None:
    assert matches(UNSAFE_SCRIPT, "x.js", line)


@pytest.mark.parametrize(
    "line", ['<p onclick="go()">', '<p style="color: red">', "<script>go()</script>", "{{ text|safe }}"]
)
def test_an_unsafe_template_would_be_found(line: str) -> None:
    assert matches(UNSAFE_TEMPLATE, "x.html", line)


# --- Settings ---------------------------------------------------------------------------------------------


def read_variables(source: str) -> set[str]:
    """Environment variables that a Python file reads: ``env("X")``, ``env.int("X")``, ``os.environ...``."""
    reads = re.compile(
        r"""\benv(?:\.\w+)?\(\s*["']([A-Z][A-Z0-9_]+)["']"""
        r"""|environ(?:\.get\(|\.setdefault\(|\[)\s*["']([A-Z][A-Z0-9_]+)["']"""
        r"""|["']([A-Z][A-Z0-9_]+)["'] (?:not )?in (?:os\.environ|env\.ENVIRON)"""
        r"""|^VARIABLE = ["']([A-Z][A-Z0-9_]+)["']""",
        re.MULTILINE,
    )
    return {name for groups in reads.findall(source) for name in groups if name}


def documented() -> set[str]:
    return set(
        re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", (PROJECT / "docs" / "settings.md").read_text(), re.MULTILINE)
    )


READ_BY_TESTS_ALONE = {"COLLOQUY_PICTURES", "COLLOQUY_REFERENCE", "COLLOQUY_REQUIRE_SERVICES"}


def variables_in_use() -> set[str]:
    python = (PROJECT / "manage.py", *project_files(".py", under=(*APPS, "bin")))
    shell = (path for path in project_files("", under=("bin",)) if path.suffix == "")
    found = {name for path in python for name in read_variables(path.read_text())}
    for path in shell:
        found |= set(re.findall(r"\bCOLLOQUY_[A-Z_]+", path.read_text()))
    return found - {"DJANGO_SETTINGS_MODULE"}


def test_every_variable_that_is_read_is_documented() -> None:
    assert not variables_in_use() - documented()


def test_every_documented_variable_is_read() -> None:
    assert not documented() - variables_in_use() - READ_BY_TESTS_ALONE


def test_a_read_variable_would_be_found() -> None:
    source = (
        'env.int("A_LIMIT_S", default=3); "B_URL" in os.environ; os.environ.get("C_KEY"); env(\n    "D_X")'
    )
    assert read_variables(source) == {"A_LIMIT_S", "B_URL", "C_KEY", "D_X"}

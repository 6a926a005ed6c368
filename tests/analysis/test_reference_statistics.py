"""The comparison with R and Python tools: it passes, it finds what is wrong, and it knows no figure of the folder."""

from __future__ import annotations

import csv
import importlib.util
import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "conformance" / "reference_statistics.py"


@pytest.fixture(scope="module")
def folder(reference: Path) -> Path:
    path = reference / "vectors" / "statistics" / "public"
    if not path.is_dir():
        pytest.skip(f"no statistical reference values at {path}; set COLLOQUY_REFERENCE")
    return path


@pytest.fixture(scope="module")
def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("reference_statistics", SCRIPT)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules["reference_statistics"] = module  # where its dataclasses look for their annotations
    specification.loader.exec_module(module)
    return module


def rewritten(path: Path, change: Callable[[list[dict[str, str]]], None]) -> None:
    """Change a file's rows in place."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_all_quantities_are_those_of_the_other_tools(folder: Path, script: ModuleType, capsys) -> None:
    assert script.main([str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "cells wilson_lo" in printed and "0 quantities wrong" in printed and "WRONG" not in printed


#: A value of each file: its column, how much it is spoilt, and what is to be named.
SPOILT = {
    "expected_R_cells.csv": ("wilson_lo", 2e-9, "cells wilson_lo"),
    "expected_R_pairs_ols_cluster.csv": ("cr2_p_bh", 2e-9, "pairs, least squares: cr2_p_bh"),
    "expected_R_lmer_means.csv": ("emmean", 2e-5, "mixed model, means: emmean"),
    "expected_R_lmer_pairs.csv": ("se", 2e-3, "mixed model, pairs: se"),
    "expected_R_lmer_varcomp.csv": ("var_worker", 2e-5, "mixed model, var_worker"),
    "expected_R_mcb.csv": ("mcb_lo", 7e-3, "best: mcb_lo"),
    "expected_R_bt_noties.csv": ("se_cluster", 2e-6, "Bradley-Terry: se_cluster"),
    "expected_R_bt_position.csv": ("est", 2e-6, "Bradley-Terry, position: est"),
    "expected_R_davidson.csv": ("se", 2e-6, "Davidson: se"),
}


def test_one_value_of_each_file_that_is_off_is_found(
    folder: Path, script: ModuleType, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    for name, (column, by, _) in SPOILT.items():

        def spoil(rows: list[dict[str, str]], column: str = column, by: float = by) -> None:
            rows[0][column] = str(float(rows[0][column]) + by)

        rewritten(copy / name, spoil)
    wrong = [each.name for each in script.compare(copy) if not each.right]
    assert wrong == [quantity for _, _, quantity in SPOILT.values()]


def test_a_wrong_alpha_and_a_missing_file_are_found(folder: Path, script: ModuleType, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    expected = json.loads((copy / "expected_python.json").read_text())
    expected["agreement"]["alpha_ordinal_own"] += 2e-9
    (copy / "expected_python.json").write_text(json.dumps(expected))
    (copy / "expected_R_mcb.csv").unlink()
    wrong = [each.name for each in script.compare(copy) if not each.right]
    assert wrong[0].startswith("with_the_best: not compared, FileNotFoundError")
    assert wrong[1:] == ["agreement: alpha_ordinal", "overlap: alpha_ordinal"]


def test_other_names_and_another_order_give_the_same(
    folder: Path, script: ModuleType, tmp_path: Path, capsys
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))

    def renamed(rows: list[dict[str, str]]) -> None:
        for row in rows:
            for column in {"model", "model_a", "model_b", "term"} & row.keys():
                special = row[column] in ("log_nu", "position_a")
                row[column] = row[column] if special else f"m {row[column]}"
            if "contrast" in row:
                row["contrast"] = " - ".join(f"m {name}" for name in row["contrast"].split(" - "))
            row |= {"axis": f"axis {row['axis']}"} if "axis" in row else {}
        random.Random(3).shuffle(rows)

    for path in copy.glob("*.csv"):
        rewritten(path, renamed)
    expected = json.loads((copy / "expected_python.json").read_text())
    errors = expected["davidson_cluster_se"]
    expected["davidson_cluster_se"] = {k if k == "log_nu" else f"m {k}": v for k, v in errors.items()}
    (copy / "expected_python.json").write_text(json.dumps(expected))
    assert script.main([str(copy)]) == 0, capsys.readouterr().out


def test_a_folder_without_ratings_is_refused(script: ModuleType, tmp_path: Path, capsys) -> None:
    assert script.main([str(tmp_path)]) == 2
    assert "a folder with ratings.csv and expectations" in capsys.readouterr().err

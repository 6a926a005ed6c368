"""The linear model, against the probabilities that the package itself gave, and how its weights are made."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from modelhub.errors import CheckpointError, SafetyClassifierError
from modelhub.safety import linear, packaged
from modelhub.safety.linear import LinearModel

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shipped() -> LinearModel:
    return LinearModel.load()


#: By predict_prob of alt-profanity-check 1.9.1 itself, on scikit-learn 1.9.1.
PACKAGE_GAVE = {
    "": 0.036375752016469504,
    "a": 0.036375752016469504,
    "Good morning, how are you?": 0.03055811634442775,
    "You are an idiot.": 0.9999987305385645,
    "you you YOU are stupid, stupid, stupid!": 0.9999818254267551,
    "What a damn nice day_trip2 to the sea": 0.28215256868364125,
    "xqzzt wvvbk": 0.036375752016469504,
    "naïve café owners écrasez l'infâme 日本語 текст": 0.014075072879536113,
    "I don't hate it; it's hell to park there, though.": 0.9827641762351311,
    "shut up " * 40: 0.9817052118650846,
    "İstanbul is a beautiful city, you fool": 0.7281337801203434,
    "he's a f***ing liar": 0.996305702136917,
}


def test_probabilities_are_the_packages_own(shipped: LinearModel) -> None:
    found = shipped.probabilities(list(PACKAGE_GAVE))
    assert found == pytest.approx(np.array(list(PACKAGE_GAVE.values())), abs=1e-6)


def test_words_that_it_never_saw_count_nothing(shipped: LinearModel) -> None:
    with_unknown, without = shipped.probabilities(["you qqxyz idiot qqxyz", "You idiot!"])
    assert with_unknown == without


def test_no_text_gives_no_probability(shipped: LinearModel) -> None:
    assert shipped.probabilities([]).shape == (0,)


def test_a_saved_model_answers_the_same(shipped: LinearModel, tmp_path: Path) -> None:
    shipped.save(tmp_path)
    again = LinearModel.load(tmp_path)
    assert again.vocabulary == shipped.vocabulary
    assert again.probabilities(list(PACKAGE_GAVE)) == pytest.approx(shipped.probabilities(list(PACKAGE_GAVE)))


def test_words_of_another_build_are_refused(shipped: LinearModel, tmp_path: Path) -> None:
    shipped.save(tmp_path)
    (tmp_path / linear.VOCABULARY).write_text('["you", "idiot"]')
    with pytest.raises(CheckpointError, match=r"for 2 words and \d machines"):
        LinearModel.load(tmp_path)


@pytest.mark.parametrize("text", ["{}", "[1, 2]", "no json"])
def test_a_vocabulary_that_is_no_list_of_words_is_refused(
    shipped: LinearModel, tmp_path: Path, text: str
) -> None:
    shipped.save(tmp_path)
    (tmp_path / linear.VOCABULARY).write_text(text)
    with pytest.raises(CheckpointError, match=r"vocabulary\.json"):
        LinearModel.load(tmp_path)


# --- How the weights are made ---------------------------------------------------------------------------------


def test_nothing_here_imports_the_package_or_what_reads_it() -> None:
    reader = PROJECT / "modelhub" / "safety" / "packaged_reader.py"
    for path in [*(PROJECT / "modelhub").rglob("*.py"), *PROJECT.glob("requirements*.txt")]:
        text = path.read_text()
        assert path == reader or "import joblib" not in text
        assert "import profanity_check" not in text and "import sklearn" not in text
        if path.suffix == ".txt":
            assert "profanity" not in text and "scikit" not in text
        elif path.name != "packaged.py":
            names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
            assert not [node for node in names if "packaged_reader" in ast.unparse(node)]


@pytest.mark.parametrize("options", [[], ["-I"], ["-S"]])
def test_the_reader_refuses_to_run_without_isolation(options: list[str], tmp_path: Path) -> None:
    reader = PROJECT / "modelhub" / "safety" / "packaged_reader.py"
    command = [sys.executable, *options, str(reader), str(tmp_path), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode and "run with python -I -S" in ended.stderr


#: In place of what reads pickled files, and may do anything: it tells what it can see.
CURIOUS = """
import json, os, sys
from pathlib import Path
def seen(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True
Path("seen.json").write_text(json.dumps({
    "environment": sorted(set(os.environ) - {"LC_CTYPE"}), "folder": os.getcwd(),
    "packages": [name for name in ("django", "torch", "modelhub") if seen(name)],
}))
"""


def test_what_is_read_finds_nothing_of_ours(tmp_path: Path, monkeypatch) -> None:
    packages, plain = tmp_path / "packages", tmp_path / "plain"
    packages.mkdir()
    plain.mkdir()
    (packages / "joblib.py").write_text(CURIOUS)
    monkeypatch.setenv("SECRET_KEY", "hidden")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    with pytest.raises(SafetyClassifierError, match="numpy"):
        packaged.read_isolated(packages, plain)
    assert (plain / "seen.json").read_text() == (
        f'{{"environment": [], "folder": "{plain}", "packages": []}}'
    )


class Runs:
    """Pickled, it makes a folder when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_pickled_arrays_from_the_reader_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", idf=np.array([Runs(tmp_path / "ran")], dtype=object))
    (tmp_path / "words.json").write_text('["a"]')
    with pytest.raises(SafetyClassifierError, match="no plain numbers"):
        packaged.from_plain(tmp_path)
    assert not (tmp_path / "ran").exists()


def tiny(coefficient: float) -> dict[str, np.ndarray]:
    one = np.array([1.0])
    return {
        "idf": one,
        "coefficients": np.array([[coefficient]]),
        "intercepts": one,
        "slopes": -one,
        "offsets": one,
    }


def test_coefficients_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", **tiny(np.nan))
    (tmp_path / "words.json").write_text('["ab"]')
    with pytest.raises(SafetyClassifierError, match="not all finite"):
        packaged.from_plain(tmp_path)


def test_a_model_that_answers_otherwise_than_the_package_is_refused() -> None:
    model = LinearModel(["idiot"], tiny(2.0))
    given = model.probabilities(packaged.CHECKS)
    packaged.refuse_other_probabilities(model, given.tolist())
    with pytest.raises(SafetyClassifierError, match=r"differs from the package by 1\.0e-05"):
        packaged.refuse_other_probabilities(model, (given + 1e-5).tolist())

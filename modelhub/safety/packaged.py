"""Make the linear model's weights from the package that carries them, once, at build time.

    python -m modelhub.safety.packaged [OUT]

alt-profanity-check keeps its model as two pickled files and reads them when it is imported: importing it runs whatever
code these files hold. A site must not depend on that, so it never imports the package. Here the package, pinned by its
hash, is installed into a folder that is thrown away; a process without our environment, packages or working directory
reads the files and writes plain numbers and words; these are checked, and kept as safetensors and JSON. The result is
written only if linear.py gives the probabilities that the package itself gave.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from modelhub.errors import SafetyClassifierError
from modelhub.safety.linear import SHIPPED, LinearModel

PACKAGE, VERSION = "alt-profanity-check", "1.9.1"
WHEEL_SHA256 = "cccb8ce072306bac21188670777a25cfb1de978aa8c7a93c8e4a43c03b3945c3"
#: What its files need to be read, as it declares them, and the numpy that this project has.
COMPANIONS = ("scikit-learn==1.9.1", "joblib==1.6.0", "numpy==2.4.6")
SOURCE, LICENCE = "source.json", "LICENSE"
TOLERANCE = 1e-6
READ_LIMIT_S = 120
#: The package itself answers these, and so must linear.py: words known and unknown, none, many, other scripts.
CHECKS = (
    "",
    "a",
    "Good morning, how are you?",
    "You are an idiot.",
    "you you YOU are stupid, stupid, stupid!",
    "What a damn nice day_trip2 to the sea",
    "xqzzt wvvbk",
    "naïve café owners écrasez l'infâme 日本語 текст",
    "I don't hate it; it's hell to park there, though.",
    "shut up " * 40,
)


def build(out: Path = SHIPPED) -> LinearModel:
    """Install, read, check and write to ``out``; needs a package index, and nothing else of the network.

    Raises SafetyClassifierError.
    """
    with tempfile.TemporaryDirectory() as place:
        packages, plain = Path(place, "packages"), Path(place, "plain")
        plain.mkdir()
        install(packages)
        read_isolated(packages, plain)
        model = from_plain(plain)
        out.mkdir(parents=True, exist_ok=True)
        model.save(out)
        refuse_other_probabilities(LinearModel.load(out), json.loads((plain / "checks.json").read_text()))
        shutil.copyfile(_licence(packages), out / LICENCE)
    (out / SOURCE).write_text(json.dumps(_source(model), indent=2) + "\n")
    return model


def install(packages: Path) -> None:
    """The package by its hash, then what its files need, into a folder of their own."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--only-binary", ":all:", "--no-compile", "--target", str(packages)]
    pinned = packages.with_name("pinned.txt")
    pinned.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n")
    _run([*pip, "--no-deps", "--require-hashes", "-r", str(pinned)])
    _run([*pip, *COMPANIONS])


def read_isolated(packages: Path, plain: Path) -> None:
    """Let a process that sees nothing of ours read the files and write numbers and words to ``plain``."""
    reader = Path(__file__).with_name("packaged_reader.py")
    command = [sys.executable, "-I", "-S", str(reader), str(packages), str(plain)]
    _run(command, env={}, cwd=plain, input=json.dumps(CHECKS), timeout=READ_LIMIT_S)


def from_plain(plain: Path) -> LinearModel:
    """The model from what the other process wrote; nothing of it is trusted to be more than numbers and words."""
    try:
        with np.load(plain / "arrays.npz", allow_pickle=False) as stored:
            tensors = {name: np.asarray(stored[name], dtype=np.float64) for name in stored.files}
        words = json.loads((plain / "words.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, BadZipFile) as error:
        raise SafetyClassifierError(f"the reading process wrote no plain numbers ({error}).") from error
    if not all(np.isfinite(found).all() for found in tensors.values()):
        raise SafetyClassifierError("the package's coefficients are not all finite; pin another version.")
    return LinearModel(words, tensors)


def refuse_other_probabilities(model: LinearModel, given: list[float]) -> None:
    """``given`` are the package's own for CHECKS."""
    worst = float(np.abs(model.probabilities(CHECKS) - np.array(given)).max())
    if not worst <= TOLERANCE:
        raise SafetyClassifierError(
            f"linear.py differs from the package by {worst:.1e}, more than {TOLERANCE:.0e}: its equations changed."
        )


def _licence(packages: Path) -> Path:
    folder = f"{PACKAGE.replace('-', '_')}-{VERSION}.dist-info"
    return packages / folder / "licenses" / "LICENSE"


def _source(model: LinearModel) -> dict[str, object]:
    return {
        "package": PACKAGE,
        "version": VERSION,
        "licence": "MIT",
        "wheel_sha256": WHEEL_SHA256,
        "words": len(model.vocabulary),
        "machines": int(model.tensors["intercepts"].size),
    }


def _run(command: list[str], **options: object) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    except subprocess.CalledProcessError as error:
        raise SafetyClassifierError(
            f"{' '.join(command[:4])} failed: {error.stderr.strip()[-600:]}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SafetyClassifierError(f"the package's files were not read within {READ_LIMIT_S} s.") from error


if __name__ == "__main__":
    build(*map(Path, sys.argv[1:2]))

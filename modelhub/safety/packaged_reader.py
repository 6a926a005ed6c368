"""Run by ``packaged`` in a process of its own, never imported: what it reads runs code when it is read.

    python -I -S packaged_reader.py PACKAGES OUT

reads the two files of alt-profanity-check below PACKAGES and writes plain numbers and words to OUT: ``arrays.npz``,
``words.json``, and ``checks.json`` with the probabilities that the package's own objects give to the texts that
stand, a JSON list, on the standard input.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

#: What linear.py computes; other options would need other equations.
EXPECTED = {
    "lowercase": True,
    "token_pattern": r"(?u)\b\w\w+\b",
    "ngram_range": (1, 1),
    "strip_accents": None,
    "binary": False,
    "norm": "l2",
    "use_idf": True,
    "sublinear_tf": False,
}


def main(packages: Path, out: Path) -> None:
    if not (sys.flags.isolated and sys.flags.no_site):
        raise SystemExit(
            "run with python -I -S: what is read here may run code, which must find nothing of ours."
        )
    sys.path.insert(0, str(packages))
    import joblib
    import numpy

    data = packages / "profanity_check" / "data"
    vectorizer, model = (joblib.load(data / f"{name}.joblib") for name in ("vectorizer", "model"))
    refuse_other_options(vectorizer, model)
    numpy.savez(out / "arrays.npz", allow_pickle=False, **arrays(vectorizer, model, numpy))
    places = {word: int(place) for word, place in vectorizer.vocabulary_.items()}
    (out / "words.json").write_text(json.dumps(sorted(places, key=places.__getitem__)), encoding="utf-8")
    texts = json.load(sys.stdin)
    given = model.predict_proba(vectorizer.transform(texts))[:, 1].tolist()
    (out / "checks.json").write_text(json.dumps(given), encoding="utf-8")


def refuse_other_options(vectorizer: Any, model: Any) -> None:
    found = {name: getattr(vectorizer, name) for name in EXPECTED}
    if found != EXPECTED or model.method != "sigmoid" or model.classes_.tolist() != [0, 1]:
        raise SystemExit(f"the package's model has other options than linear.py computes: {found}")


def arrays(vectorizer: Any, model: Any, numpy: Any) -> dict[str, Any]:
    """By the names of linear.py: V words, K machines."""
    machines = [part.estimator for part in model.calibrated_classifiers_]
    curves = [part.calibrators[0] for part in model.calibrated_classifiers_]
    return {
        "idf": vectorizer.idf_,
        "coefficients": numpy.stack([machine.coef_[0] for machine in machines], axis=1),
        "intercepts": numpy.array([machine.intercept_[0] for machine in machines]),
        "slopes": numpy.array([curve.a_ for curve in curves]),
        "offsets": numpy.array([curve.b_ for curve in curves]),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

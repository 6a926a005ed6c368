"""What every test of the analysis starts from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.analysis.rated_studies import RatedStudy, make_study


@pytest.fixture
def rated_study(db: None) -> Callable[..., RatedStudy]:
    """Makes a study with arms for the named models (the paper's eight by default) and no talks."""
    return make_study

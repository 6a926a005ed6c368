"""One running site for all tests of this folder: starting it is what costs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.site import studies
from tests.site.running import Site, running_site


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The starter study with its eight models, and a few small studies with scripted ones.

    The eight have names that no person would say, so that a scan for them means something.
    """
    with running_site(tmp_path_factory.mktemp("site")) as running:
        studies.add_to(running)
        running.write(
            "UPDATE modelhub_registeredmodel SET slug = 'zq-canary-' || id, name = 'Zq Canary ' || id"
        )
        yield running


@pytest.fixture(autouse=True)
def no_tracebacks(site: Site) -> Iterator[None]:
    """Nothing that a test does may make a process of the site log a traceback."""
    before = len(site.logs())
    yield
    assert "Traceback" not in site.logs()[before:], site.logs()[before:]

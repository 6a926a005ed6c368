"""Static files with hashed names, compressed once; missing names fail loudly."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Warning
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage; ES modules that import each other get hashed names too."""

    support_js_module_import_aggregation = True

    def _post_process(self, paths: Any, adjustable_paths: Any, hashed_files: Any) -> Iterator[Any]:
        """Look for names to replace in our own files alone: plotly's 5 MB hold none and take seconds."""
        own = [path for path in adjustable_paths if path != PlotlyFinder.name]
        for name, hashed, processed, changed in super()._post_process(paths, own, hashed_files):
            yield name, hashed, processed, changed and name in own


class PlotlyFinder(BaseFinder):
    """``plotly/plotly.min.js`` out of the installed package, and nothing else of its folder."""

    name = "plotly/plotly.min.js"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        found = importlib.util.find_spec("plotly")
        folder = Path(found.origin).parent / "package_data" if found and found.origin else None
        self.storage = PlotlyStorage(folder) if folder else None

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return (
            []
            if self.storage
            else [Warning("plotly is not installed; the report has no plot.", id="evalsite.W001")]
        )

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        found = self.storage.path(path) if self.storage and path == self.name else None
        if find_all:
            return [found] if found else []
        return found or []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        return [(self.name, self.storage)] if self.storage else []


class PlotlyStorage(FileSystemStorage):
    """The package's data folder under the prefix ``plotly/``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(location=str(folder))

    def path(self, name: str) -> str:
        return super().path(name.removeprefix("plotly/"))

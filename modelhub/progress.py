"""Progress that a person can see in a terminal."""

from __future__ import annotations

from collections.abc import Callable

from tqdm import tqdm

#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


class Bars:
    """One progress bar at a time, with units a second and the time left."""

    def __init__(self, unit: str = "examples") -> None:
        self._bar: tqdm | None = None
        self._what = ""
        self._unit = unit

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def show(self, what: str, done: int, total: int | None) -> None:
        """``total`` is None while nobody knows it."""
        if self._bar is None or self._what != what:
            self._close()
            self._what = what
            # What was done before does not count in the speed.
            self._bar = tqdm(
                desc=what,
                total=total,
                initial=done,
                unit=self._unit,
                unit_scale=self._unit == "B",
                dynamic_ncols=True,
            )
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

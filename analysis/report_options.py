"""What a reader may choose of a study's report, as values and as a page's address carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from analysis.errors import UnknownChoice
from analysis.reading.ratings_frame import Population
from analysis.statistics.interval_methods import IntervalOptions, Method
from analysis.statistics.means import LEVEL
from ratings.axes import Axis

LEVELS = (0.9, 0.95, 0.99)
SHOWN, HIDDEN = "on", "off"


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Whose ratings, how intervals are made, and what is shown beside them.

    ``main`` is the axis that the answer is about; ``with_excluded`` counts the talks of excluded workers too;
    ``with_paper`` shows the paper's figures.
    """

    population: Population
    method: Method = Method.WILSON_CR2
    level: float = LEVEL
    main: str = Axis.OVERALL.value
    with_excluded: bool = False
    with_paper: bool = True

    @property
    def intervals(self) -> IntervalOptions:
        return IntervalOptions(method=self.method, level=self.level)

    @property
    def query(self) -> str:
        """For an address: the population always, and else what is not as by default."""
        plain = ReportOptions(self.population).pairs()
        given = {name: value for name, value in self.pairs().items() if value != plain[name]}
        return urlencode({"population": self.population.value, **given})

    def pairs(self) -> dict[str, str]:
        """Every choice by its name in addresses."""
        return {
            "population": self.population.value,
            "method": self.method.value,
            "level": f"{100 * self.level:g}",
            "axis": self.main,
            "excluded": SHOWN if self.with_excluded else HIDDEN,
            "paper": SHOWN if self.with_paper else HIDDEN,
        }

    def of(self, population: Population) -> ReportOptions:
        return replace(self, population=population)

    @property
    def turned(self) -> ReportOptions:
        """With the paper's figures put away, or brought back."""
        return replace(self, with_paper=not self.with_paper)


def parsed(given: Mapping[str, str], population: Population) -> ReportOptions:
    """From an address' query; ``population`` is what is taken where none is asked for. Raises UnknownChoice."""
    choices = ReportOptions(population).pairs()
    choices |= {name: value for name in choices if (value := given.get(name, ""))}
    return ReportOptions(
        population=Population(_known("population", choices, list(Population))),
        method=Method(_known("method", choices, list(Method))),
        level=float(_known("level", choices, [f"{100 * level:g}" for level in LEVELS])) / 100,
        main=_known("axis", choices, Axis.values),
        with_excluded=_known("excluded", choices, [SHOWN, HIDDEN]) == SHOWN,
        with_paper=_known("paper", choices, [SHOWN, HIDDEN]) == SHOWN,
    )


def _known(name: str, choices: Mapping[str, str], known: list[str]) -> str:
    if choices[name] not in known:
        raise UnknownChoice(f"{name} is {choices[name]!r}; known: {', '.join(known)}")
    return choices[name]

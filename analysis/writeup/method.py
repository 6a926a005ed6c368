"""How the figures are made, for a reader who is no statistician, and what to read on it."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.inference import Analysis
from analysis.statistics.interval_methods import Method
from analysis.writeup.document import Section
from analysis.writeup.wording import level_text

CLUSTERED = (
    "One worker rates several talks, and some workers are kinder than others. So ratings are not counted as if "
    "each came from another person: the variance is estimated from whole workers (the cluster-robust estimate "
    "CR2, with Satterthwaite's degrees of freedom)."
)
INTERVALS = {
    Method.WILSON_CR2: (
        f"{CLUSTERED} From it follows how many independent ratings a mean is worth, and Wilson's formula turns "
        "that into limits that never leave the scale."
    ),
    Method.CR2_T: f"{CLUSTERED} Student's t makes limits of it, which can leave the scale.",
    Method.T: (
        "These intervals count every rating as if it came from another worker, as many papers do. Where workers rate "
        "several talks, and some are kinder than others, they are too narrow."
    ),
    Method.BOOTSTRAP: (
        "One worker rates several talks, and some workers are kinder than others. So whole workers are drawn again and "
        "again from those who took part, each with all of their ratings; the interval holds the means of that share of "
        "the draws, without any formula. With few workers it is a little too narrow."
    ),
}
PAPER = (
    "Smith, Williamson, Shuster, Weston and Boureau (2020), Can You Put it All Together: Evaluating Conversational "
    "Agents' Ability to Blend Skills. ACL."
)
OF_INTERVALS = {
    Method.WILSON_CR2: (
        "Wilson (1927), Probable inference, the law of succession, and statistical inference. JASA 22.",
    ),
    Method.T: ("Student (1908), The probable error of a mean. Biometrika 6.",),
    Method.CR2_T: (),
    Method.BOOTSTRAP: (
        "Efron (1979), Bootstrap methods: another look at the jackknife. Annals of Statistics 7.",
    ),
}
SOURCES = (
    "Bell and McCaffrey (2002), Bias reduction in standard errors for linear regression with multi-stage samples. "
    "Survey Methodology 28.",
    "Pustejovsky and Tipton (2018), Small-sample methods for cluster-robust variance estimation and hypothesis testing "
    "in fixed effects models. JBES 36.",
    "Patterson and Thompson (1971), Recovery of inter-block information when block sizes are unequal. Biometrika 58.",
    "Hsu (1984), Constrained simultaneous confidence intervals for multiple comparisons with the best. Annals of "
    "Statistics 12.",
    "Kramer (1956), Extension of multiple range tests to group means with unequal numbers of replications. Biometrics "
    "12.",
    "Holm (1979), A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6.",
    "Robinson (1991), That BLUP is a good thing: the estimation of random effects. Statistical Science 6.",
)


def method_section(analysis: Analysis) -> Section:
    """In the order of the questions that readers ask."""
    paper = [PAPER] if analysis.table.compared else []
    return Section(
        name="method",
        title="How these numbers are made",
        words=tuple(_words(analysis)),
        sources=(*paper, *OF_INTERVALS[analysis.options.method], *SOURCES),
    )


def _words(analysis: Analysis) -> Iterator[str]:
    level = level_text(analysis.options.level)
    hold = "ought to" if analysis.options.method is Method.T else "would"
    yield (
        "Each mean is the plain average of the ratings of complete talks. Its interval says how sure it is: if "
        f"the study were held again and again with other workers, {level} of such intervals {hold} hold the "
        "true mean."
    )
    yield INTERVALS[analysis.options.method]
    yield (
        "Bold is the paper's way to mark what is near the best. It tests nothing: of eight equally good models it "
        "leaves a given one plain about a quarter of the time. Which model can be the best is therefore asked in "
        f"another way, which keeps the true best in {level} of studies, however many models there are."
    )
    yield (
        "Differences are taken from a model that knows who rated what, so that a kind worker's ratings of two "
        "models are compared with each other. Many pairs are compared at once, and one of them will look "
        "different by chance; p-values and limits are widened for that. A difference that is not shown is not "
        "shown to be absent: the talks may be too few to see it."
    )
    yield (
        "How many talks are needed is reckoned from the spread of these ratings, and is as sure as that is. Nothing is "
        "filled in, and people's and simulated ratings are never mixed."
    )

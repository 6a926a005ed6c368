"""How long the safety classifier takes for 1,000 utterances, and how it comes to its two parts.

    .venv/bin/python bench/safety.py [--one-thread]

The utterances are of the starter corpus, as long as people write in talks; loading is measured apart.
"""

from __future__ import annotations

import random

from plain import clock, interleaved, open_project, parser, table

options = parser(__doc__.splitlines()[0])
options.add_argument("--utterances", type=int, default=1000)
options.add_argument("--rounds", type=int, default=5)
arguments = options.parse_args()
open_project(arguments.one_thread)

from modelhub.datasets.layout import STARTER  # noqa: E402
from modelhub.dialogue import Skill  # noqa: E402
from modelhub.polyencoder.base import base_folder  # noqa: E402
from modelhub.safety.classifier import classifier  # noqa: E402
from modelhub.safety.linear import LinearModel  # noqa: E402
from modelhub.safety.sentences import SentenceEncoder  # noqa: E402
from modelhub.training.tasks import utterances  # noqa: E402

texts, _ = utterances(list(Skill), STARTER, "train")
texts = random.Random(1).sample(texts, arguments.utterances)
begun = clock.now()
found = classifier()
loaded_ms = (clock.now() - begun) * 1000
linear, sentences = LinearModel.load(), SentenceEncoder(base_folder())
timed = interleaved(
    {
        "both": lambda: found.unsafe_probabilities(texts),
        "the linear model": lambda: linear.probabilities(texts),
        "sentence embeddings": lambda: sentences.embed(texts),
        "both, one utterance at a time": lambda: [found.unsafe_probabilities([text]) for text in texts],
    },
    arguments.rounds,
)
words = sum(len(text.split()) for text in texts) / len(texts)
table(
    f"{len(texts)} utterances of {words:.1f} words; loading once took {loaded_ms:.0f} ms",
    ["what", "ms", "utterances a second"],
    [[name, f"{each.ms:.0f}", f"{1000 * len(texts) / each.ms:.0f}"] for name, each in timed.items()],
)

"""Templates of studies: what a new study starts with."""

from __future__ import annotations

from dataclasses import dataclass

CONSENT = """\
You are invited to take part in a research study about computer programs that hold conversations. Please read \
this page and decide whether you want to take part.

What you will do. You chat in English with a partner that is a computer program. Before each conversation you \
are shown a short character to play. After at least six messages of yours you answer four questions about your \
partner. One conversation takes about five minutes. You may have up to ten, and you may stop after any of them.

What to mind. The program can say things that are wrong, odd or upsetting. You can report such a reply with one \
click and go on, or leave at any time. Please write nothing that tells who you or others are, such as names, \
addresses or phone numbers.

What is kept. We store what you write, your answers and the times, under a random number. With each message we \
also store how you typed it: how many keys you pressed, how often you deleted, pasted or left the page, and how long \
you took, but never what you deleted. We ask for no name and no e-mail address. The conversations and answers may be \
published as research data.

Taking part once. To see whether somebody takes part under several numbers, we put a random mark (a cookie) into \
your browser, which ends after 90 days. For at most {trace_days} days we keep a coded form of this mark and of the \
network that you come from. We store neither the mark itself nor your address.

Your choice. Taking part is voluntary. You can leave at any time from every page; a conversation that you have \
not finished is then marked as withdrawn and does not count."""

#: What a study with attention items adds: nobody is tested without having been told.
ATTENTION_CONSENT = """

One question more. Some of the pages with questions hold one more, which asks you to choose a certain number. It \
shows that questions are read. A wrong number by itself ends nothing and takes nothing from you."""


@dataclass(frozen=True, slots=True)
class StudyTemplate:
    """The numbers and words of a kind of study. ``target`` is conversations an arm.

    In the consent text ``{trace_days}`` stands for ACCOUNT_TRACE_DAYS.
    """

    title: str
    consent_text: str
    target: int
    conversations_per_worker: int
    min_turns: int
    max_turns: int
    max_words: int
    contexts: int


#: Table 7 of Smith et al. 2020 (section 4.5): at least 100 conversations a model, at most 10 a worker over all
#: models, messages of at most 30 words. BST conversations have 11.2 utterances on average, so six of the worker.
TEMPLATES: dict[str, StudyTemplate] = {
    "table7": StudyTemplate(
        title="Conversations with a chat partner",
        consent_text=CONSENT,
        target=100,
        conversations_per_worker=10,
        min_turns=6,
        max_turns=12,
        max_words=30,
        contexts=200,
    ),
}

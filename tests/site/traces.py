"""Finding traces of a model in what a browser received, whatever they were wrapped in."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

#: Words of ours that tell about a model. They are looked for outside what people and partners said.
TELLING = re.compile(
    r"(?<![\w-])(convai2|wow|ed|bst|mt|empathetic|wizard|retrieval|random[ _-]?skill|two[ _-]?stage|skills?|scripted|"
    r"single[ _-]?skills?|poly[ _-]?encoder|evidence|candidates?|scores?|arms?|revisions?|celery|torch|minilm|"
    r"safetensors|weights?|waited_ms|queued_ms|generated_ms|held_ms|due_at|reply_floor|latency|engine|queue)(?![\w-])",
    re.IGNORECASE,
)


@dataclass
class Received:
    """Everything that came, in order: where from, and the text. Give it to a Visitor as its watch."""

    items: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, source: str, text: str) -> None:
        self.items.append((source, text))

    def frames(self) -> list[dict[str, object]]:
        return [json.loads(text) for source, text in self.items if source == "frame"]


def disguises(value: str) -> Iterator[str]:
    """A value as it is, quoted, in hex, in base64 at any alignment, and hashed."""
    raw = value.encode()
    yield from {
        value,
        quote(value),
        quote(value, safe=""),
        html.escape(value),
        json.dumps(value)[1:-1],
        raw.hex(),
    }
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for lead in range(3):
            # The first and last characters also hold bits of what stands beside the value.
            yield encode(b"\0" * lead + raw).decode().rstrip("=")[lead and lead + 1 : -1]
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, raw).digest()
        yield from (digest.hex(), base64.b64encode(digest).decode().rstrip("="))
    if value.isdigit():
        yield f"{int(value):x}"


def found(canaries: Iterable[str], received: Received) -> list[str]:
    """Where any disguise of any canary occurs, whatever its case."""
    looked_for = {form.lower(): canary for canary in canaries for form in disguises(canary)}
    return [
        f"{canary} as {form} in {source}: {_around(text, form)}"
        for source, text in received.items
        for form, canary in looked_for.items()
        if form in text.lower()
    ]


def telling_words(received: Received, said: Iterable[str]) -> list[str]:
    """Where words of ours stand outside what was said: longer texts are taken away first."""
    texts = sorted({form for text in said if text for form in written(text)}, key=len, reverse=True)
    hits = []
    for source, text in received.items:
        for known in texts:
            text = text.replace(known, "·")
        hits += [f"{match[0]} in {source}: {_around(text, match[0])}" for match in TELLING.finditer(text)]
    return hits


def written(text: str) -> set[str]:
    """A text as pages, JSON frames and JSON in pages write it."""
    plain = json.dumps(text)[1:-1]
    in_page = plain.replace("<", "\\u003C").replace(">", "\\u003E").replace("&", "\\u0026")
    return {text, html.escape(text), plain, in_page, json.dumps(text, ensure_ascii=False)[1:-1]}


def _around(text: str, part: str) -> str:
    at = text.lower().find(part.lower())
    return " ".join(text[max(0, at - 60) : at + len(part) + 60].split())

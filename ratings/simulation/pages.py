"""Pages as a browser without a screen sees them: a tree of elements, and forms that can be filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import Element, SubElement

_VOID = "area base br col embed hr img input link meta source track wbr"
VOID = frozenset(_VOID.split())


class _Builder(HTMLParser):
    """Builds a tree; a missing end tag closes with its parent."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("page")
        self.path = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = SubElement(self.path[-1], tag, {name: value or "" for name, value in attrs})
        if tag not in VOID:
            self.path.append(element)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.path) - 1, 0, -1):
            if self.path[depth].tag == tag:
                del self.path[depth:]
                return

    def handle_data(self, data: str) -> None:
        parent = self.path[-1]
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + data
        else:
            parent.text = (parent.text or "") + data


@dataclass(frozen=True)
class Form:
    """A form: where it goes and what it would send if nothing were filled in."""

    action: str
    method: str
    fields: Mapping[str, str]
    #: Names of boxes and radio buttons with the values they offer.
    choices: Mapping[str, tuple[str, ...]]
    #: Those names that stand in a group with a legend, in the page's order, with its words.
    questions: Mapping[str, str] = field(default_factory=dict)


class Page:
    """An answered page: its address, status and tree."""

    def __init__(self, url: str, status: int, html: str) -> None:
        self.url = url
        self.status = status
        self.html = html
        builder = _Builder()
        builder.feed(html)
        self.root = builder.root

    @property
    def address(self) -> str:
        """The URL without its query, which may hold a token."""
        return self.url.partition("?")[0]

    @property
    def heading(self) -> str:
        return next((words(element) for element in self.root.iter("h1")), "")

    def with_class(self, name: str) -> Iterator[Element]:
        """Elements that have the class."""
        return (e for e in self.root.iter() if name in e.get("class", "").split())

    def with_id(self, name: str) -> Element | None:
        return next((e for e in self.root.iter() if e.get("id") == name), None)

    def json(self, name: str) -> Any:
        """The data of a ``json_script`` element."""
        element = self.with_id(name)
        return json.loads("".join(element.itertext())) if element is not None else {}

    def forms(self) -> list[Form]:
        return [_form(element) for element in self.root.iter("form")]

    def form_to(self, ending: str) -> Form | None:
        """The form whose action ends so; an empty action means the page's own path."""
        return next(
            (f for f in self.forms() if (f.action or self.address).partition("?")[0].endswith(ending)), None
        )


def words(element: Element) -> str:
    """The element's text with single spaces."""
    return " ".join("".join(element.itertext()).split())


def _form(element: Element) -> Form:
    fields: dict[str, str] = {}
    choices: dict[str, tuple[str, ...]] = {}
    for control in element.iter():
        name = control.get("name")
        if not name:
            continue
        if control.tag == "input" and control.get("type") in ("radio", "checkbox"):
            choices[name] = (*choices.get(name, ()), control.get("value", "on"))
        elif control.tag == "input" and control.get("type") not in ("submit", "button"):
            fields[name] = control.get("value", "")
        elif control.tag == "textarea":
            fields[name] = control.text or ""
    method = element.get("method", "get").lower()
    return Form(element.get("action", ""), method, fields, choices, _questions(element))


def _questions(form: Element) -> dict[str, str]:
    return {
        control.get("name", ""): words(legend)
        for group in form.iter("fieldset")
        for legend in group.iter("legend")
        for control in group.iter("input")
        if control.get("name")
    }

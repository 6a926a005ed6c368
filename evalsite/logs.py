"""Log lines: one a state change, with ids as fields, never a person's text or a secret.

Loggers are the standard library's: ``logger.info("message stored", extra={"talk": ..., "position": ...})``. A line
gets its time, level, logger and the request's id, and is written by ``LOG_FORMAT`` as a line to read or as JSON.

Errors are written with their class and where they came from. What they say is left out unless they are ours: a
database quotes the row that it refuses, and an agent may quote the person whom it could not answer.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import structlog
from structlog.types import EventDict

from evalsite.redaction import SHOWN, is_secret, without_secrets

#: Packages whose errors say what may be read.
OURS = ("evalsite", "analysis", "ratings", "chat", "modelhub")
#: What a field may be; a request or a row would be written out whole.
SIMPLE = (str, int, float, bool, type(None))
#: Fields that logging itself makes.
OF_LOGGING = frozenset({"timestamp", "level", "logger", "request_id"})
#: Shorter sentences of an error stand in too many others to be looked for.
SHORTEST_QUOTE = 3
MOST_FRAMES = 30

Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def config(form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING. Libraries speak of what is wrong alone: at lower levels some write what people sent."""
    libraries = level if level in ("ERROR", "CRITICAL") else "WARNING"
    #: They come with handlers of their own, which write past this.
    retaken = ("django", "django.server", "uvicorn", "uvicorn.error", "uvicorn.access", "celery")
    through_root = {"handlers": [], "propagate": True, "level": libraries}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"site": {"()": "evalsite.logs.SiteFormatter", "form": form}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "site"}},
        "root": {"handlers": ["stderr"], "level": libraries},
        "loggers": {name: through_root for name in retaken} | {name: {"level": level} for name in OURS},
    }


class SiteFormatter(structlog.stdlib.ProcessorFormatter):
    """Writes records as ``line`` or as ``json``."""

    def __init__(self, form: str) -> None:
        render = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else as_line
        super().__init__(
            processors=[self.remove_processors_meta, render],
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.stdlib.ExtraAdder(),
                simple_fields,
                structlog.contextvars.merge_contextvars,
                errors_without_words,
                fields_without_secrets,
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        if record.args:
            record = logging.makeLogRecord(record.__dict__)  # other handlers get it as it was
            record.args = arguments_without_words(record)
        return super().format(record)


# --- What is left out -----------------------------------------------------------------------------------------------


def arguments_without_words(record: logging.LogRecord) -> Any:
    """A message's arguments with the class of an error in its place."""
    if record.name == "celery.app.trace" and isinstance(record.args, Mapping):
        kept = {name: record.args.get(name) for name in ("hostname", "id", "name", "description", "runtime")}
        return dict.fromkeys(record.args, SHOWN) | kept
    if isinstance(record.args, tuple):
        return tuple(_without_words(argument) for argument in record.args)
    return record.args


def _without_words(argument: object) -> object:
    if isinstance(argument, BaseException) and not is_ours(argument):
        return type(argument).__name__
    return argument


def is_ours(error: BaseException) -> bool:
    """Whether the error is of our making: its class is, and the line that raised it. An agent of others may raise
    our AgentFailed with words that are not ours.
    """
    return _is_ours(type(error).__module__) and _is_ours(_raised_in(error.__traceback__))


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS


def _raised_in(trace: TracebackType | None) -> str:
    """The module of the line that raised; our own where nothing was raised yet."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_globals.get("__name__", "") if trace is not None else __name__


def simple_fields(logger: Any, name: str, event: EventDict) -> EventDict:
    """Ids as text; what is no plain value is dropped. Of a request, about which Django speaks late, its id stays."""
    for formatted in ("message", "asctime"):  # left by another handler's formatter
        event.pop(formatted, None)
    if isinstance(request_id := getattr(event.get("request"), "id", None), str):
        event["request_id"] = request_id
    for key in [key for key in event if key not in ("_record", "exc_info")]:
        value = event[key]
        if type(value).__module__ in ("uuid", "pathlib", "decimal", "datetime"):
            event[key] = str(value)
        elif not isinstance(value, SIMPLE):
            del event[key]
    return event


def errors_without_words(logger: Any, name: str, event: EventDict) -> EventDict:
    """An error's chain as classes and frames; what foreign ones say is taken out of the line too."""
    raised = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if not isinstance(raised, tuple) or raised[1] is None:
        return event
    chain = list(_chain(raised[1]))
    for error in chain:
        if not is_ours(error):
            event["event"] = _without_quotes(event["event"], error)
    event["traceback"] = [_told(error) for error in chain]
    return event


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it came from, and so on; a chain that bites its tail ends there."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _without_quotes(line: str, error: BaseException) -> str:
    for quoted in (repr(error), str(error)):
        if len(quoted) >= SHORTEST_QUOTE:
            line = line.replace(quoted, type(error).__name__)
    return line


def _told(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    told: dict[str, Any] = {"class": f"{type(error).__module__}.{type(error).__qualname__}"}
    if is_ours(error):
        told["says"] = without_secrets(str(error))
    return told | {"frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


def fields_without_secrets(logger: Any, name: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if key in OF_LOGGING:
            continue
        if is_secret(key):
            event[key] = SHOWN
        elif isinstance(value, str):
            event[key] = without_secrets(value)
    return event


# --- How it is written ----------------------------------------------------------------------------------------------


def as_line(logger: Any, name: str, event: EventDict) -> str:
    """``time LEVEL logger event key=value ...``, with an error's frames on lines of their own."""
    errors = event.pop("traceback", [])
    time, level, where = (event.pop(key, "") for key in ("timestamp", "level", "logger"))
    words = [time, f"{level.upper():<7}", where, _on_one_line(str(event.pop("event")))]
    words += [f"{key}={_quoted(value)}" for key, value in event.items()]
    return "\n".join([" ".join(words), *_error_lines(errors)])


def _error_lines(errors: list[Mapping[str, Any]]) -> Iterator[str]:
    """The last error first, each with the line that raised it at its end."""
    for place, error in enumerate(errors):
        says = f": {_on_one_line(error['says'])}" if "says" in error else ""
        yield f"    {'from' if place else 'Traceback'} {error['class']}{says}"
        yield from (f"        {frame}" for frame in error["frames"])


def _on_one_line(text: str) -> str:
    """Nobody who chooses a path or a header writes a line of their own."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in text)


def _quoted(value: object) -> str:
    text = _on_one_line(str(value))
    return f'"{text}"' if " " in text or not text else text


# --- What nobody caught ---------------------------------------------------------------------------------------------


def catch_uncaught() -> None:
    """Log what ends a thread or the process, instead of Python's own report, which says what errors say."""
    threading.excepthook = _thread_ended
    sys.excepthook = _process_ended


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit:
        return
    name = args.thread.name if args.thread else ""
    raised = (args.exc_type, args.exc_value, args.exc_traceback)
    logging.getLogger(__name__).critical("a thread ended", exc_info=raised, extra={"thread_name": name})  # type: ignore[arg-type]


def _process_ended(*raised: Any) -> None:
    if issubclass(raised[0], KeyboardInterrupt):
        sys.__excepthook__(*raised)
        return
    logging.getLogger(__name__).critical("the process ended", exc_info=raised)

"""What a browser may send."""

import json

import pytest

from chat import frames
from chat.errors import FrameRefused
from chat.models import Report
from chat.typing_dynamics import TypingDynamics

TYPED = {
    "keystrokes": 19,
    "deletions": 2,
    "pastes": 0,
    "pasted_characters": 0,
    "first_key_ms": 2400,
    "typed_ms": 6100,
    "focus_losses": 0,
}


def say_typed(typing: object) -> str:
    return json.dumps({"type": "say", "client_id": "a", "text": "hi", "typing": typing})


BAD = {
    "not json": ("hello", "bad_json"),
    "nothing": ("", "bad_json"),
    "cut off": ('{"type": "say"', "bad_json"),
    "two objects": ('{"type":"finish"}{"type":"finish"}', "bad_json"),
    "a list": ("[]", "bad_json"),
    "a word": ('"say"', "bad_json"),
    "null": ("null", "bad_json"),
    "not a number": ('{"type": "resume", "after": NaN}', "bad_json"),
    "deep": ("[" * 8000 + "]" * 8000, "bad_json"),
    "deep object": ('{"a":' * 2500 + "1" + "}" * 2500, "bad_json"),
    "endless number": ('{"type": "resume", "after": ' + "9" * 6000 + "}", "bad_json"),
    "no type": ("{}", "unknown_type"),
    "unknown type": ('{"type": "shout"}', "unknown_type"),
    "a server's type": ('{"type": "message"}', "unknown_type"),
    "type is a list": ('{"type": ["say"]}', "unknown_type"),
    "missing field": ('{"type": "say", "client_id": "a"}', "bad_field"),
    "unknown field": ('{"type": "say", "client_id": "a", "text": "hi", "model": "x"}', "bad_field"),
    "fields where none belong": ('{"type": "finish", "now": true}', "bad_field"),
    "text is a number": ('{"type": "say", "client_id": "a", "text": 7}', "bad_field"),
    "text is null": ('{"type": "say", "client_id": "a", "text": null}', "bad_field"),
    "text with a NUL": ('{"type": "say", "client_id": "a", "text": "a\\u0000b"}', "bad_field"),
    "text with half a letter": ('{"type": "say", "client_id": "a", "text": "\\ud83d"}', "bad_field"),
    "empty client id": ('{"type": "say", "client_id": "", "text": "hi"}', "bad_field"),
    "long client id": (json.dumps({"type": "say", "client_id": "a" * 65, "text": "hi"}), "bad_field"),
    "odd client id": ('{"type": "say", "client_id": "a b", "text": "hi"}', "bad_field"),
    "client id with a line end": ('{"type": "say", "client_id": "a\\n", "text": "hi"}', "bad_field"),
    "after is true": ('{"type": "resume", "after": true}', "bad_field"),
    "after is text": ('{"type": "resume", "after": "3"}', "bad_field"),
    "after is a fraction": ('{"type": "resume", "after": 1.5}', "bad_field"),
    "after is negative": ('{"type": "resume", "after": -1}', "bad_field"),
    "after is huge": ('{"type": "resume", "after": 32768}', "bad_field"),
    "position zero": ('{"type": "report", "position": 0, "reason": "other"}', "bad_field"),
    "unknown reason": ('{"type": "report", "position": 2, "reason": "boring"}', "bad_field"),
    "reason is a list": ('{"type": "report", "position": 2, "reason": ["other"]}', "bad_field"),
    "typing is null": (say_typed(None), "bad_field"),
    "typing is a list": (say_typed(list(TYPED.values())), "bad_field"),
    "typing says too little": (say_typed({"keystrokes": 1}), "bad_field"),
    "typing says what was deleted": (say_typed(TYPED | {"deleted": "hello"}), "bad_field"),
    "keystrokes are text": (say_typed(TYPED | {"keystrokes": "19"}), "bad_field"),
    "keystrokes are true": (say_typed(TYPED | {"keystrokes": True}), "bad_field"),
    "keystrokes are a fraction": (say_typed(TYPED | {"keystrokes": 1.5}), "bad_field"),
    "keystrokes are negative": (say_typed(TYPED | {"keystrokes": -1}), "bad_field"),
    "keystrokes are too many": (say_typed(TYPED | {"keystrokes": 32768}), "bad_field"),
    "typing took more than a day": (say_typed(TYPED | {"typed_ms": 86_400_001}), "bad_field"),
    "typing where none belongs": (json.dumps({"type": "finish", "typing": TYPED}), "bad_field"),
}


@pytest.mark.parametrize(("text", "code"), BAD.values(), ids=BAD)
def test_each_malformed_frame_is_refused_with_its_code(text, code):
    with pytest.raises(FrameRefused) as refused:
        frames.parse(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"type": "say", "client_id": "a-1_B", "text": "hi"}', frames.Say("a-1_B", "hi")),
        (say_typed(TYPED), frames.Say("a", "hi", TypingDynamics(19, 2, 0, 0, 2400, 6100, 0))),
        ('{"type": "typing"}', frames.StillTyping()),
        ('{"type": "finish"}', frames.Finish()),
        ('{"type": "report", "position": 2, "reason": "harmful"}', frames.ReportReply(2, "harmful")),
        ('{"type": "resume", "after": 0}', frames.Resume(0)),
    ],
)
def test_each_kind_of_frame_is_understood(text, frame):
    assert frames.parse(text) == frame


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize("value", [0, 32767])
def test_counts_and_times_are_taken_up_to_what_their_columns_hold(name, value):
    said = frames.parse(say_typed(TYPED | {name: value}))
    assert getattr(said.typing, name) == value


def test_a_refusal_says_which_fields_a_frame_may_have():
    with pytest.raises(FrameRefused, match="exactly: client_id, text, perhaps typing"):
        frames.parse('{"type": "say", "client_id": "a"}')


def test_a_refusal_names_the_message_that_it_is_about():
    with pytest.raises(FrameRefused) as refused:
        frames.parse('{"type": "say", "client_id": "a1", "text": 7}')
    assert refused.value.client_id == "a1"


def test_reasons_are_those_that_are_stored():
    assert list(frames.REASONS) == Report.Reason.values

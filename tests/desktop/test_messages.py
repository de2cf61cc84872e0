from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import DeviceError, MediaError
from core.types import Message
from desktop import messages

CORE = Path(__file__).resolve().parents[2] / "core"
CODE = re.compile(r"[a-z]+(_[a-z]+)+")


def calls(name: str) -> Iterator[ast.Call]:
    """Every call of something called `name` in the core."""
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                found = called.attr if isinstance(called, ast.Attribute) else None
                if (found or getattr(called, "id", None)) == name:
                    yield node


def codes_of_messages() -> set[str]:
    """Codes given as literals to `Message`, or to the functions that make messages of them."""
    found = set()
    for name in ("Message", "_tell", "_give_up", "_message"):
        for call in calls(name):
            if call.args and isinstance(call.args[0], ast.Constant):
                value = call.args[0].value
                if isinstance(value, str) and CODE.fullmatch(value):
                    found.add(value)
    return found


def codes_of_the_terminal() -> set[str]:
    from core.commands import sentences

    return set(sentences._SENTENCES)


def codes_of_notes() -> set[str]:
    """String literals in whatever is called `notes` in the pipeline."""
    found = set()
    for path in (CORE / "pipeline").rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "notes" in line:
                found |= set(re.findall(r'"([a-z]+_[a-z_]+)"', line))
    return found


def test_there_is_a_sentence_for_every_code_of_the_core() -> None:
    codes = codes_of_messages() | codes_of_the_terminal()
    assert {"falling_behind", "device_lost"} <= codes
    assert not codes - set(messages.MESSAGES)


def test_there_is_a_sentence_for_every_note_on_a_turn() -> None:
    from core.dialogue.export import wording

    codes = codes_of_notes() | set(wording._NOTES)
    assert "text_language_unknown" in codes
    assert not codes - set(messages.NOTES)


def test_there_is_a_sentence_for_every_reason_of_a_device() -> None:
    text = (CORE / "models" / "device.py").read_text(encoding="utf-8")
    codes = set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", text.split("Codes:")[1].split('"""')[0]))
    assert "no_cuda_device" in codes
    assert not codes - set(messages.REASONS)


def test_the_values_of_the_core_are_the_values_of_the_sentences() -> None:
    """A sentence may not ask for a value that the terminal's sentence for the code never shows."""
    from core.commands import sentences

    for code, text in sentences._SENTENCES.items():
        asked = set(re.findall(r"\{([a-z]+)\}", messages.MESSAGES[code].text))
        shown = set(re.findall(r"\{([a-z]+)\}", text))
        assert asked <= shown | {"name"}, code


def test_values_are_put_into_the_sentence() -> None:
    text = messages.sentence(Message("device_lost", {"name": "USB Audio"}))
    assert "USB Audio" in text


def test_a_missing_value_or_an_unknown_code_still_says_something() -> None:
    assert "…" in messages.sentence(Message("device_lost"))
    assert messages.sentence(Message("brand_new", {"a": "b"})) == "brand_new a: b"


@pytest.mark.parametrize("error", [MediaError("x.wav is empty.", "Record again."), OSError("bad")])
def test_every_error_becomes_a_sentence(error: Exception) -> None:
    assert str(error) in messages.error_sentence(error)


def test_an_error_names_its_remedy() -> None:
    error = DeviceError("There is no microphone.", "Plug one in.")
    assert messages.error_sentence(error) == "There is no microphone. Plug one in."

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from core.errors import CorpusError
from training.data.corpora.manifest import read

from .recordings import manifest, write_table, write_wav


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A folder with a recording."""
    write_wav(tmp_path / "a.wav", 2.0)
    return tmp_path


def jsonl(folder: Path, *rows: object) -> Path:
    path = folder / "manifest.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_semicolon_file_of_a_korean_spreadsheet_is_read(audio: Path) -> None:
    rows = [
        ["path", "text", "emotion", "start", "arousal"],
        ["a.wav", "아, 네; 좋아", "기쁨", "0,5", "-0,25"],
    ]
    write_table(audio / "manifest.csv", rows, delimiter=";", encoding="cp949")
    (example,) = read(audio).examples
    assert (example.text, example.labels) == ("아, 네; 좋아", ("happy",))
    assert (example.start, example.arousal) == (0.5, -0.25)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_encodings_of_spreadsheets_are_found_and_told(
    tmp_path: Path, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [["text", "label"], ["안녕하세요", "놀람"]]
    write_table(tmp_path / "manifest.csv", rows, encoding=encoding)
    with caplog.at_level(logging.INFO):
        assert read(tmp_path).examples[0].text == "안녕하세요"
    assert (f"read as {encoding}" in caplog.text) == (encoding != "utf-8-sig")


def test_an_encoding_can_be_given(tmp_path: Path) -> None:
    path = write_table(tmp_path / "m.csv", [["text", "label"], ["Żółw", "sad"]], encoding="cp1250")
    assert read(path, encoding="cp1250").examples[0].text == "Żółw"
    with pytest.raises(CorpusError, match="no encoding 'klingon'"):
        read(path, encoding="klingon")
    with pytest.raises(CorpusError, match="not text in ascii"):
        read(path, encoding="ascii")


def test_a_spreadsheets_hint_at_its_delimiter_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("sep=;\ntext;label\nhi;sad\n", encoding="utf-8")
    (example,) = read(tmp_path / "m.csv").examples
    assert example.source.endswith("m.csv:3")


def test_a_tab_separated_file_is_read(tmp_path: Path) -> None:
    write_table(tmp_path / "m.tsv", [["text", "label"], ["a, b; c", "sad"]], delimiter="\t")
    assert read(tmp_path / "m.tsv").examples[0].text == "a, b; c"


def test_json_lines_hold_numbers_and_lists(audio: Path) -> None:
    jsonl(
        audio,
        {"path": "a.wav", "labels": ["happy", "sad"], "start": 0, "end": 1.5, "turn": 2},
        {"text": "hm\u2028so", "labels": "neutral", "path": None, "speaker": 7},
    )
    first, second = read(audio, strict=True).examples
    assert second.text == "hm\u2028so"  # a line of text may hold a line separator
    assert (first.labels, first.start, first.end) == (("happy", "sad"), 0.0, 1.5)
    assert (second.audio, second.speaker) == (None, "manifest/7")


def test_lines_that_are_no_json_object_are_reported(tmp_path: Path) -> None:
    good, odd = {"text": "a", "labels": "sad"}, {"text": "a", "labels": {"sad": 1}}
    path = jsonl(tmp_path, good, "{torn", "[1]", "", "[" * 9999, odd)
    reading = read(path)
    assert len(reading.examples) == 1
    assert [p.source for p in reading.problems] == [f"{path}:{line}" for line in (2, 3, 5, 6)]
    assert reading.problems[3].reason == "the labels are neither a text nor a list"
    with pytest.raises(CorpusError, match=r"line 2: the line is not valid JSON"):
        read(path, strict=True)


def test_the_manifest_of_a_folder_is_found(audio: Path) -> None:
    with pytest.raises(CorpusError, match="has no manifest"):
        read(audio)
    only = write_table(audio / "mine.csv", [["path", "label"], ["a.wav", "sad"]])
    assert read(audio).examples[0].source.startswith(str(only))
    write_table(audio / "other.csv", [["path", "label"], ["a.wav", "sad"]])
    with pytest.raises(CorpusError, match=r"several manifests: mine\.csv, other\.csv"):
        read(audio)
    manifest(audio, ["a.wav", "happy"])
    assert read(audio).examples[0].labels == ("happy",)
    with pytest.raises(CorpusError, match="known kind"):
        read(audio / "a.wav")
    with pytest.raises(CorpusError, match="There is no"):
        read(audio / "nowhere")


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_manifest_is_refused(tmp_path: Path, content: str) -> None:
    for name in ("m.csv", "m.jsonl"):
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(CorpusError, match="is empty"):
            read(tmp_path / name)

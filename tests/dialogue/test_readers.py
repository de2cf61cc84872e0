from __future__ import annotations

from pathlib import Path

import pytest

from core.dialogue.readers.speakers import split_speaker
from core.dialogue.readers.transcripts import find_transcript, read_transcript
from core.dialogue.recording import Annotation
from core.errors import TranscriptFileError

SRT = """1
00:00:01,000 --> 00:00:02,500
[A] 안녕하세요

2
00:00:03,000 --> 00:00:04,000
B: <i>Hello</i>
there

3
00:00:05,000 --> 00:00:06,000
Well, he said: no way
"""

VTT = """WEBVTT - a title

STYLE
::cue { color: red }

NOTE a comment

intro
00:01.000 --> 00:02.500 align:start
<v 민수>안녕하세요 &amp; hello</v>

00:00:03.000 --> 00:00:04.000
<v.loud Mary Ann><c.happy>Hi</c> there
"""


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_srt_names_speakers_in_brackets_or_before_a_colon(tmp_path: Path) -> None:
    annotations = read_transcript(write(tmp_path / "a.srt", SRT)).annotations
    assert annotations == (
        Annotation(1.0, 2.5, "안녕하세요", "A"),
        Annotation(3.0, 4.0, "Hello there", "B"),
        Annotation(5.0, 6.0, "Well, he said: no way", None),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.srt", SRT.replace("\n", "\r\n"), encoding)
    assert read_transcript(path).annotations[0].text == "안녕하세요"


def test_vtt_names_speakers_in_voice_tags(tmp_path: Path) -> None:
    annotations = read_transcript(write(tmp_path / "a.vtt", VTT)).annotations
    assert annotations == (
        Annotation(1.0, 2.5, "안녕하세요 & hello", "민수"),
        Annotation(3.0, 4.0, "Hi there", "Mary Ann"),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[A] yes", ("A", "yes")),
        ("[화자 1]: 네", ("화자 1", "네")),
        ("MARY: yes", ("MARY", "yes")),
        ("[music] la la", (None, "[music] la la")),
        ("10:30 it began", (None, "10:30 it began")),
        ("I told him this: never", (None, "I told him this: never")),
        ("see http://example.org", (None, "see http://example.org")),
        ("plain", (None, "plain")),
        ("[A]", ("A", "")),
    ],
)
def test_a_speaker_is_told_from_the_words(text: str, expected: tuple[str | None, str]) -> None:
    assert split_speaker(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        'start,end,speaker,text\n1.0,2.5,A,안녕\n3,4,B,"hi, there"\n',
        "Speaker;Text;Start (s);End (s)\nA;안녕;1.0;2.5\nB;hi, there;3;4\n",
        "begin_time\tEND\twho\tutterance\n0:01\t0:02.5\tA\t안녕\n0:00:03\t0:04\tB\thi, there\n",
        "화자|시작|끝|대사\nA|1,0|2,5|안녕\nB|3|4|hi, there\n",
        'start_ms,end_ms,speaker,text\n1000,2500,A,안녕\n3000,4000,B,"hi, there"\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949"])
def test_tables_are_read_whatever_their_dialect(tmp_path: Path, text: str, encoding: str) -> None:
    annotations = read_transcript(write(tmp_path / "a.csv", text, encoding)).annotations
    assert annotations == (
        Annotation(1.0, 2.5, "안녕", "A"),
        Annotation(3.0, 4.0, "hi, there", "B"),
    )


def test_a_table_needs_no_speakers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'start,end,text\n1,2,"two\nlines"\n')
    assert read_transcript(path).annotations == (Annotation(1.0, 2.0, "two lines", None),)


def test_oddities_are_kept_and_reported(tmp_path: Path) -> None:
    text = (
        "start,end,speaker,text\n"
        "5,6,A,second\n"
        "1,4,A,first\n"
        "3,4.5,A,overlapping\n"
        "3,5,B,another speaker may\n"
        "7,7,A,no length\n"
        "9,8,A,backwards\n"
        "10,11,A,\n"
    )
    result = read_transcript(write(tmp_path / "a.csv", text))
    assert [a.text for a in result.annotations] == [
        "first",
        "overlapping",
        "another speaker may",
        "second",
    ]
    assert {m.code: m.values["count"] for m in result.messages} == {
        "transcript_lines_skipped": "3",
        "transcript_out_of_order": "1",
        "transcript_overlaps": "1",
    }


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.srt", b"", "no line with a text"),
        ("a.srt", b"1\n00:00:01,000 --> 00:00:zz,000\nhello\n", "line 2"),
        ("a.vtt", b"WEBVTT\n\n00:01.000 --> soon\nhello\n", "line 3"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"a,b,c\n1,2,3\n", "line 1"),
        ("a.csv", b"start,end,text\n1,2,ok\nnow,2,bad\n", "line 3"),
        ("a.csv", bytes(range(256)) * 20, "not a text file"),
        ("a.TextGrid", b"nonsense", "TextGrid"),
        ("a.TextGrid", b"", "TextGrid"),
        ("a.TextGrid", bytes(range(128, 256)) * 20, "TextGrid"),
        ("a.docx", b"PK", "no transcript known"),
    ],
)
def test_a_bad_transcript_is_named_with_its_line(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TranscriptFileError, match=expected) as caught:
        read_transcript(path)
    assert str(path) in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["missing.srt", "missing.TextGrid", "missing.csv"])
def test_a_missing_transcript_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(TranscriptFileError, match="missing"):
        read_transcript(tmp_path / name)


def test_a_folder_is_no_transcript(tmp_path: Path) -> None:
    (tmp_path / "a.srt").mkdir()
    with pytest.raises(TranscriptFileError, match="folder"):
        read_transcript(tmp_path / "a.srt")


def test_a_transcript_is_found_beside_its_recording(tmp_path: Path) -> None:
    media = write(tmp_path / "회의.wav", "")
    assert find_transcript(media) is None
    grid = write(tmp_path / "회의.TextGrid", "")
    write(tmp_path / "other.srt", "")
    assert find_transcript(media) == grid
    subtitles = write(tmp_path / "회의.SRT", "")
    assert find_transcript(media) == subtitles


def test_a_textgrid_of_words_below_utterances_gives_the_utterances(tmp_path: Path) -> None:
    from praatio import textgrid

    grid = textgrid.Textgrid(0, 5)
    for name, entries in (
        ("A", [(0.5, 2.0, "나는 괜찮아"), (3.0, 4.0, 'say "it"')]),
        ("A - words", [(0.5, 1.0, "나는"), (1.0, 2.0, "괜찮아")]),
        ("A - phones", [(0.5, 1.0, "n")]),
    ):
        grid.addTier(textgrid.IntervalTier(name, entries, 0, 5))
    for number, style in enumerate(("long_textgrid", "short_textgrid")):
        path = tmp_path / f"{number}.TextGrid"
        grid.save(str(path), format=style, includeBlankSpaces=True)
        assert read_transcript(path).annotations == (
            Annotation(0.5, 2.0, "나는 괜찮아", "A"),
            Annotation(3.0, 4.0, 'say "it"', "A"),
        )

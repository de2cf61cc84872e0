from __future__ import annotations

import io
import json
import random
import re
import shutil
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from rich.console import Console

from core.audio.io import read_audio
from core.batch import models
from core.commands import analyze, demo
from core.commands.live_table import LiveTable, PipedConsole, turn_line
from core.commands.output_names import output_path, output_stems
from core.commands.progress import clock, progress_text
from core.commands.sentences import sentence
from core.dialogue.readers.transcripts import find_transcript, read_transcript
from core.dialogue.wav import to_pcm
from core.errors import ConfigError
from core.pipeline.events import Event, Progress, TurnUpdated
from core.pipeline.offline import analyze_file
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, Message, Turn
from tests.dialogue.test_export import FIELDS
from tests.fakes import FakeAnalyzer, FakeContext, silence, tone
from tests.pipeline.conftest import no_leaked_threads

__all__ = ["no_leaked_threads"]


@pytest.fixture(autouse=True)
def fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "open_analyzer", lambda *named: FakeAnalyzer())
    monkeypatch.setattr(demo, "open_analyzer", lambda model, personal=None: FakeAnalyzer())


def write_wav(path: Path, seconds: float = 2.0, channels: int = 1) -> Path:
    rows = np.stack([tone(seconds)] * channels)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(to_pcm(rows))
    return path


def write_srt(path: Path, *texts: str) -> Path:
    cues = (f"{i + 1}\n00:00:0{i},100 --> 00:00:0{i},900\n{text}\n" for i, text in enumerate(texts))
    path.write_text("\n".join(cues), encoding="utf-8")
    return path


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(*arguments: object) -> int:
    return analyze.main([str(argument) for argument in arguments])


def results(folder: Path) -> list[Path]:
    """What was written for people; the state of the batch lies hidden beside it."""
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    media = sample_dialogue()
    if not media.is_file():
        pytest.skip("the sample dialogue is not there")
    return media


def test_the_sample_becomes_every_format(sample: Path, tmp_path: Path) -> None:
    formats = "jsonl,csv,srt,vtt,textgrid,html"
    assert run(sample, "--out", tmp_path / "o", "--formats", formats) == 0
    names = {path.name for path in results(tmp_path / "o")}
    stem = sample.stem
    assert names == {f"{stem}{s}" for s in (".jsonl", ".csv", ".srt", ".vtt", ".TextGrid", ".html")}
    turns = rows(tmp_path / "o" / f"{stem}.jsonl")
    assert len(turns) > 5
    assert all(set(turn) >= FIELDS for turn in turns)
    assert len({turn["speaker"] for turn in turns}) == 2
    assert re.search("[가-힣]", json.dumps(turns, ensure_ascii=False))


def test_speech_is_found_where_there_is_no_transcript(sample: Path, tmp_path: Path) -> None:
    media = shutil.copy(sample, tmp_path / f"alone{sample.suffix}")
    assert run(media, "--out", tmp_path / "o", "--whisper", "none", "--formats", "jsonl") == 0
    turns = rows(tmp_path / "o" / "alone.jsonl")
    assert len(turns) > 5
    assert all(turn["text"] == "" and turn["modalities"] == ["speech"] for turn in turns)
    starts = [turn["start"] for turn in turns]
    assert starts == sorted(starts)  # type: ignore[type-var]


def test_two_channels_are_two_speakers(sample: Path, tmp_path: Path) -> None:
    heard = read_audio(sample)[0, : 20 * SAMPLE_RATE]
    rows_by_channel = np.stack([heard, np.roll(heard, 10 * SAMPLE_RATE)])
    media = tmp_path / "call.wav"
    with wave.open(str(media), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(to_pcm(rows_by_channel))
    arguments = ("--out", tmp_path / "o", "--whisper", "none", "--formats", "jsonl")
    assert run(media, *arguments, "--channels", "both") == 0
    turns = rows(tmp_path / "o" / "call.jsonl")
    assert {turn["speaker"] for turn in turns} == {"A", "B"}
    assert run(media, *arguments) == 0
    assert {turn["speaker"] for turn in rows(tmp_path / "o" / "call.jsonl")} == {None}


def make_broken(folder: Path) -> list[Path]:
    """A file for every way in which media are broken."""
    good = write_wav(folder / "good.wav", 5.0).read_bytes()
    files = {
        "empty.mp3": b"",
        "random.wav": random.Random(1).randbytes(5000),
        "header.wav": good[:44],
        "cut.wav": good[:20],
        "text.mp4": "글자뿐인 파일".encode() * 10,
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "folder.wav").mkdir()
    video_only(folder / "silent.mp4")
    truncated_mp4(folder / "truncated.mp4", folder / "good.wav")
    names = [*files, "folder.wav", "silent.mp4", "truncated.mp4", "missing.flac"]
    return [folder / name for name in names]


def video_only(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def truncated_mp4(path: Path, wav: Path) -> None:
    with av.open(str(wav)) as source, av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE)
        for frame in source.decode(audio=0):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    path.write_bytes(path.read_bytes()[:-3000])


def test_bad_files_are_named_and_the_batch_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = make_broken(tmp_path)
    write_srt(tmp_path / "good.srt", "[A] 안녕", "[B] hello")
    out = tmp_path / "o"
    files = [*broken[:3], tmp_path / "good.wav", *broken[3:]]
    assert run(*files, "--out", out, "--formats", "jsonl") == 1
    complaints = capsys.readouterr().err.strip().splitlines()
    for path in broken:
        mine = [line for line in complaints if path.name in line]
        assert len(mine) == 1, (path.name, complaints)
        assert mine[0].endswith(".")
        assert "Error" not in mine[0]
        assert "Traceback" not in mine[0]
    assert [path.name for path in results(out)] == ["good.jsonl"]
    assert [row["text"] for row in rows(out / "good.jsonl")] == ["안녕", "hello"]


def test_a_summary_tells_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_srt(tmp_path / "a.srt", "hello")
    assert run(write_wav(tmp_path / "a.wav"), "--out", tmp_path / "o") == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert "1 turns in 0:02 of audio" in lines[-2]
    assert lines[-1].startswith("1 of 1 recordings, 0:02 of audio in")
    assert "times real time" in lines[-1]


def test_a_transcript_may_be_named(tmp_path: Path) -> None:
    media = write_wav(tmp_path / "a.wav")
    write_srt(tmp_path / "a.srt", "beside")
    given = write_srt(tmp_path / "other.srt", "[가영] 따로 준 대본")
    assert run(media, "--transcript", given, "--out", tmp_path / "o") == 0
    (row,) = rows(tmp_path / "o" / "a.jsonl")
    assert (row["speaker"], row["text"]) == ("가영", "따로 준 대본")


def test_a_named_transcript_that_is_broken_fails_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.srt"
    bad.write_text("1\n00:00:01,000 --> later\nhello\n")
    assert run(write_wav(tmp_path / "a.wav"), "--transcript", bad, "--out", tmp_path / "o") == 1
    assert "bad.srt, line 2" in capsys.readouterr().err


def test_a_file_beside_that_is_no_transcript_is_only_mentioned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    media = write_wav(tmp_path / "a.wav")
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    assert run(media, "--out", tmp_path / "o", "--whisper", "none") == 0
    assert "not used as its transcript" in capsys.readouterr().out


def test_one_transcript_for_several_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        run("a.wav", "b.wav", "--transcript", "t.srt", "--out", tmp_path)


def test_unknown_formats_are_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="docx"):
        run("a.wav", "--formats", "docx", "--out", tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_two_recordings_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write_wav(tmp_path / folder / "talk.wav")
        write_srt(tmp_path / folder / "talk.srt", f"from {folder}")
    files = [tmp_path / "x" / "talk.wav", tmp_path / "y" / "talk.wav"]
    assert run(*files, "--out", tmp_path / "o", "--formats", "jsonl") == 0
    texts = {p.name: rows(p)[0]["text"] for p in results(tmp_path / "o")}
    assert texts == {"talk.jsonl": "from x", "talk-2.jsonl": "from y"}


@pytest.mark.parametrize(
    ("files", "stems"),
    [
        (["a.wav", "b.wav"], ["a", "b"]),
        (["x/a.wav", "y/a.mp3", "z/A.wav"], ["a", "a-2", "A-3"]),
        (["x/a.wav", "y/a.wav", "a-2.wav"], ["a", "a-3", "a-2"]),
    ],
)
def test_output_names_are_distinct(files: list[str], stems: list[str]) -> None:
    assert output_stems([Path(file) for file in files]) == stems


def test_results_beside_the_recording_never_replace_its_transcript(tmp_path: Path) -> None:
    media = write_wav(tmp_path / "a.wav")
    srt = write_srt(tmp_path / "a.srt", "mine")
    before = srt.read_bytes()
    assert run(media, "--out", tmp_path, "--formats", "jsonl,srt") == 0
    assert srt.read_bytes() == before
    assert (tmp_path / "a.emoscope.srt").is_file()
    assert output_path(tmp_path, "a", "jsonl", media) == tmp_path / "a.jsonl"


def test_silence_gives_no_turn_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "quiet.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(to_pcm(silence(3.0)[None]))
    assert run(path, "--out", tmp_path / "o", "--whisper", "none", "--formats", "jsonl,html") == 0
    assert rows(tmp_path / "o" / "quiet.jsonl") == []
    assert "No speech was found" in capsys.readouterr().out
    assert "No speech was found" in (tmp_path / "o" / "quiet.html").read_text(encoding="utf-8")


def test_a_missing_whisper_is_one_line_and_the_file_is_analysed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [write_wav(tmp_path / "a.wav"), write_wav(tmp_path / "b.wav")]
    missing = tmp_path / "no-such-model"
    assert run(*files, "--out", tmp_path / "o", "--whisper", missing) == 0
    assert capsys.readouterr().out.count("speech alone") == 1


def test_the_report_is_in_the_language_asked_for(tmp_path: Path) -> None:
    media = write_wav(tmp_path / "a.wav")
    write_srt(tmp_path / "a.srt", "안녕")
    assert run(media, "--out", tmp_path / "o", "--language", "ko") == 0
    assert '<html lang="ko"' in (tmp_path / "o" / "a.html").read_text(encoding="utf-8")


def test_the_demo_plays_the_sample_and_writes_the_report(
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert demo.main(["--out", str(tmp_path / "report"), "--fast"]) == 0
    shown = capsys.readouterr().out
    turns = rows(tmp_path / "report" / f"{sample.stem}.jsonl")
    assert "no display" in shown
    for turn in turns:
        assert str(turn["text"]) in shown
    assert (tmp_path / "report" / f"{sample.stem}.html").is_file()


def test_the_live_table_shows_turns_on_a_terminal(sample: Path, tmp_path: Path) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, height=40)
    with LiveTable("Sample", console) as table:
        annotations = read_transcript(find_transcript(sample) or tmp_path).annotations
        analyze_file(sample, FakeAnalyzer(), None, table, annotations=annotations)
    shown = screen.getvalue()
    assert all(annotation.text.split()[0] in shown for annotation in annotations)
    assert "x real time" in shown


def test_the_live_table_shows_what_context_changes(sample: Path) -> None:
    annotations = read_transcript(find_transcript(sample) or Path()).annotations
    turns: list[Turn] = []

    def listen(event: Event) -> None:
        if isinstance(event, TurnUpdated):
            turns.append(event.turn)

    analyze_file(
        sample, FakeAnalyzer(), None, listen, annotations=annotations, context=FakeContext(own=0.2)
    )
    lines = {turn.index: turn_line(turn) for turn in turns}
    changed = 0
    for turn in turns:
        assert turn.emotion is not None
        assert turn.context is not None
        differs = turn.context.label != turn.emotion.label
        assert (f"→ {turn.context.label}" in lines[turn.index]) == differs
        assert ("in context" in lines[turn.index]) == differs
        changed += differs
    assert changed
    screen = io.StringIO()
    with LiveTable("S", Console(file=screen, force_terminal=True, width=90, height=40)) as table:
        for turn in turns:
            table(TurnUpdated(turn))
    assert "Emotion → in context" in screen.getvalue()


def test_a_reader_that_leaves_does_not_stop_the_analysis(sample: Path) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    table = LiveTable("Sample", PipedConsole(file=Closed()))
    annotations = read_transcript(find_transcript(sample) or Path()).annotations
    outcome = analyze_file(sample, FakeAnalyzer(), None, table, annotations=annotations)
    assert outcome.error is None
    assert len(outcome.recording.turns) == len(annotations)


def test_progress_is_told_in_words() -> None:
    told = progress_text(Progress(90 * SAMPLE_RATE, 240 * SAMPLE_RATE, 21.04))
    assert told == "1:30 of 4:00 (38 %), 21.0 times real time"
    assert clock(3725) == "1:02:05"


def test_every_message_has_a_sentence() -> None:
    told = sentence(Message("media_short", {"name": "a", "decoded": "1.0", "stated": "9.0"}))
    assert "1.0 s" in told
    assert "9.0 s" in told
    assert sentence(Message("something_new", {"a": "b"})) == "Something new: a b."
    assert "?" in sentence(Message("media_short"))

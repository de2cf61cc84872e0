from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import CorpusError, MediaError
from core.types import SAMPLE_RATE
from tests.training.sounds import voice, write_float_wav, write_wav
from training.data import loading
from training.data.example import Example
from training.data.loading import AudioLoader, FileDigests, usable

PCM = 2 / 32768


def example(path: Path | None, **values: object) -> Example:
    return Example("corpus", str(values.pop("id", "u1")), path, **values)  # type: ignore[arg-type]


def aged(path: Path, seconds: float = 60) -> Path:
    """Let a file look as if it had been written some time ago."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - int(seconds * 1e9)))
    return path


def test_a_cut_is_exactly_that_stretch_of_the_recording(tmp_path: Path) -> None:
    sound = voice(3)
    path = write_wav(tmp_path / "a.wav", sound)
    loader = AudioLoader()
    cut = loader.samples(example(path, start=0.5, end=1.25))
    assert cut.dtype == np.float32
    np.testing.assert_allclose(cut, sound[8000:20000], atol=PCM)
    np.testing.assert_allclose(loader.samples(example(path)), sound, atol=PCM)


def test_sides_of_a_dialogue_are_told_apart_and_mixed_when_no_side_is_named(tmp_path: Path) -> None:
    left, right = voice(1, 1), voice(1, 2)
    path = write_wav(tmp_path / "a.wav", left, right)
    loader = AudioLoader()
    np.testing.assert_allclose(loader.samples(example(path, channel=0)), left, atol=PCM)
    np.testing.assert_allclose(loader.samples(example(path, channel=1)), right, atol=PCM)
    np.testing.assert_allclose(loader.samples(example(path)), (left + right) / 2, atol=PCM)


def test_any_rate_becomes_sixteen_kilohertz(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", voice(2)[:16000], rate=8000)
    assert len(AudioLoader().samples(example(path))) == 2 * SAMPLE_RATE


def test_what_is_returned_may_be_changed_by_the_caller(tmp_path: Path) -> None:
    loader = AudioLoader()
    it = example(write_wav(tmp_path / "a.wav", voice(1)))
    first = loader.samples(it)
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(loader.samples(it), kept)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"channel": 1}, "no channel 1"),
        ({"channel": 2}, "no channel 2"),
        ({"start": 0.5, "end": 2.0}, "ends at 1.00 s"),
        ({"start": 0.8, "end": 0.8}, "from 0.80 s to 0.80 s"),
        ({"start": -0.5, "end": 0.8}, "from -0.50 s"),
        ({"start": 1.5}, "from 1.50 s to 1.00 s"),
        ({"start": 0.5, "end": 0.52}, "0.020 s of audio"),
    ],
)
def test_cuts_that_make_no_sense_name_file_and_utterance(
    tmp_path: Path, values: dict[str, object], told: str
) -> None:
    path = write_wav(tmp_path / "dialog.wav", voice(1))
    with pytest.raises(MediaError, match=told) as caught:
        AudioLoader().samples(example(path, **values))
    assert "dialog.wav" in str(caught.value)


def test_annotators_may_round_the_end_up(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", voice(1))
    assert len(AudioLoader().samples(example(path, start=0.5, end=1.1))) == 8000


def test_files_that_are_missing_cut_off_or_no_numbers_are_refused(tmp_path: Path) -> None:
    loader = AudioLoader()
    with pytest.raises(MediaError, match=r"absent\.wav does not exist"):
        loader.samples(example(tmp_path / "absent.wav"))
    whole = write_wav(tmp_path / "whole.wav", voice(2)).read_bytes()
    (tmp_path / "half.wav").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match=r"half\.wav"):
        loader.samples(example(tmp_path / "half.wav"))
    broken = voice(1)
    broken[100] = np.nan
    with pytest.raises(MediaError, match=r"nan\.wav holds samples that are no numbers"):
        loader.samples(example(write_float_wav(tmp_path / "nan.wav", broken)))
    with pytest.raises(MediaError, match="corpus/u1 has no recording"):
        loader.samples(example(None))


def count_decoding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    decoded: list[str] = []
    original = loading._decode

    def counted(path: Path, channel: int | None) -> object:
        decoded.append(path.name)
        return original(path, channel)

    monkeypatch.setattr(loading, "_decode", counted)
    return decoded


def test_utterances_of_one_recording_cost_one_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = count_decoding(monkeypatch)
    path = write_wav(tmp_path / "dialog.wav", voice(3))
    loader = AudioLoader()
    for start in (0.0, 1.0, 2.0):
        loader.samples(example(path, start=start, end=start + 1))
    assert decoded == ["dialog.wav"]


def test_no_more_audio_is_held_than_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = count_decoding(monkeypatch)
    paths = [write_wav(tmp_path / f"{n}.wav", voice(1, n)) for n in range(3)]
    loader = AudioLoader(capacity=2.5)
    for path in (*paths, paths[2], paths[1], paths[0]):
        loader.samples(example(path))
    assert decoded == ["0.wav", "1.wav", "2.wav", "0.wav"]


def test_length_comes_from_the_cut_or_the_header(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", voice(1.5))
    loader = AudioLoader()
    assert loader.seconds(example(path)) == pytest.approx(1.5)
    assert loader.seconds(example(path, start=0.5)) == pytest.approx(1.0)
    assert loader.seconds(example(tmp_path / "absent.wav", start=1.0, end=3.5)) == 2.5


def test_the_length_of_what_was_decoded_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_wav(tmp_path / "a.wav", voice(1.5))
    loader = AudioLoader()
    loader.samples(example(path))
    monkeypatch.setattr(loading, "probe", lambda _: pytest.fail("looked into the file again"))
    assert loader.seconds(example(path)) == pytest.approx(1.5)


def test_digests_depend_on_content_and_cut_but_not_on_the_name(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", voice(1, 1))
    same = write_wav(tmp_path / "elsewhere" / "b.wav", voice(1, 1))
    other = write_wav(tmp_path / "c.wav", voice(1, 2))
    loader = AudioLoader()
    asked = [
        example(path), example(path, start=0.1), example(path, end=0.1), example(path, channel=0),
        example(other),
    ]  # fmt: skip
    assert len({loader.digest(one) for one in asked}) == len(asked)
    assert loader.digest(example(path)) == loader.digest(example(same))


def test_a_file_is_read_again_only_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = aged(write_wav(tmp_path / "a.wav", voice(1, 1)))
    table = tmp_path / "audio.json"
    first = FileDigests(table)
    digest = first(path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    first.save()

    again = FileDigests(table)
    with monkeypatch.context() as patch:
        patch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read again"))
        assert again(path) == digest
    aged(write_wav(path, voice(1, 2)), seconds=30)  # as long as before, another time
    assert again(path) == hashlib.sha256(path.read_bytes()).hexdigest() != digest


def test_a_file_that_was_just_written_is_not_trusted_to_stay(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", voice(1, 1))
    stamp = path.stat()
    digests = FileDigests()
    before = digests(path)
    write_wav(path, voice(1, 2))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # within the clock's resolution
    assert digests(path) != before


def test_a_damaged_table_of_digests_costs_time_only(tmp_path: Path) -> None:
    table = tmp_path / "audio.json"
    path = aged(write_wav(tmp_path / "a.wav", voice(1)))
    for content in ("{", "[]", '{"x": 3}', '{"x": [1]}'):
        table.write_text(content)
        assert len(FileDigests(table)(path)) == 64


def test_rows_that_cannot_be_used_are_counted_or_fatal(tmp_path: Path) -> None:
    good = write_wav(tmp_path / "good.wav", voice(1))
    (tmp_path / "bad.wav").write_bytes(b"no sound at all")
    rows = [
        example(good, id="a", text="yes", source="table.csv:2"),
        example(tmp_path / "bad.wav", id="b", text="no", source="table.csv:3"),
        example(good, id="c", text="  ", source="table.csv:4"),
        example(good, id="d", text="yes", source="table.csv:5"),
    ]
    found = usable(rows, AudioLoader(), text=True)
    assert [row.id for row in found.examples] == ["a", "d"]
    assert found.rows == (0, 3)
    assert [problem.source for problem in found.problems] == ["table.csv:3", "table.csv:4"]
    assert "bad.wav" in found.problems[0].reason
    assert usable(rows, None, text=False).rows == (0, 1, 2, 3)
    with pytest.raises(CorpusError, match=r"table\.csv:3: .*bad\.wav"):
        usable(rows, AudioLoader(), text=True, strict=True)
    with pytest.raises(CorpusError, match=r"No example .* table\.csv:4"):
        usable(rows[2:3], None, text=True)

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from core.audio.io import read_audio
from core.audio.segmenter import Segmenter, SegmenterSettings, index_allocator
from core.audio.vad import SileroVad
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, FloatArray, Utterance, seconds
from tests.audio.voices import ScriptedVad, cut, quiet, scripted, voice


def finals(found: list[Utterance]) -> list[Utterance]:
    return [utterance for utterance in found if utterance.is_final]


def check_samples(found: list[Utterance], samples: FloatArray) -> None:
    """Every utterance carries exactly the samples its boundaries name; finals do not overlap."""
    for utterance in found:
        assert utterance.end - utterance.start == utterance.samples.size
        np.testing.assert_array_equal(utterance.samples, samples[utterance.start : utterance.end])
    for before, after in itertools.pairwise(finals(found)):
        assert before.end <= after.start


def test_two_sentences_become_two_utterances_with_exact_boundaries() -> None:
    samples = np.concatenate([quiet(1), voice(1), quiet(1), voice(0.7, 1), quiet(1)])
    found = cut(samples, scripted())
    first, second = finals(found)
    check_samples(found, samples)
    assert (first.index, second.index) == (0, 1)
    assert seconds(first.start) == pytest.approx(0.7, abs=0.04)  # pre-roll of 0.3 s
    assert seconds(first.end) == pytest.approx(2.1, abs=0.04)  # padding of 0.1 s
    assert seconds(second.start) == pytest.approx(2.7, abs=0.04)
    assert seconds(second.end) == pytest.approx(3.8, abs=0.04)


def test_an_onset_in_the_very_first_samples_is_kept() -> None:
    samples = np.concatenate([voice(1), quiet(1)])
    (utterance,) = finals(cut(samples, scripted()))
    assert utterance.start == 0


def test_a_soft_onset_that_the_detector_misses_lies_in_the_pre_roll() -> None:
    soft = voice(0.2, amplitude=0.03)  # below what the scripted detector takes for speech
    samples = np.concatenate([quiet(1), soft, voice(1, 1), quiet(1)])
    (utterance,) = finals(cut(samples, scripted()))
    assert utterance.start <= SAMPLE_RATE


def test_a_short_pause_does_not_end_an_utterance_and_a_long_one_does() -> None:
    for pause, count in ((0.2, 1), (0.45, 2)):
        samples = np.concatenate([quiet(0.5), voice(0.6), quiet(pause), voice(0.6, 1), quiet(1)])
        assert len(finals(cut(samples, scripted()))) == count


def test_the_pre_roll_never_takes_samples_of_the_utterance_before() -> None:
    settings = SegmenterSettings(pre_roll=0.5, hangover=0.1, padding=0.1)
    samples = np.concatenate([voice(0.6), quiet(0.2), voice(0.6, 1), quiet(1)])
    found = cut(samples, scripted(settings))
    first, second = finals(found)
    check_samples(found, samples)
    assert second.start == first.end


def test_a_click_is_no_utterance_and_takes_no_index() -> None:
    click = voice(0.06)
    samples = np.concatenate([quiet(1), click, quiet(1), voice(1, 1), quiet(1)])
    found = cut(samples, scripted())
    assert {utterance.index for utterance in found} == {0}
    assert seconds(finals(found)[0].start) > 1.7


def test_partials_grow_about_four_times_a_second_and_the_last_equals_the_final() -> None:
    samples = np.concatenate([quiet(1), voice(3), quiet(1)])
    found = cut(samples, scripted())
    *partials, final = found
    check_samples(found, samples)
    assert final.is_final
    assert not any(partial.is_final for partial in partials)
    assert {partial.index for partial in partials} == {final.index}
    assert [u.revision for u in found] == list(range(1, len(found) + 1))
    steps = np.diff([partial.end for partial in partials[:-1]])
    assert 3.5 < SAMPLE_RATE / steps.mean() < 4.5
    assert (partials[-1].start, partials[-1].end) == (final.start, final.end)


def test_partials_cost_no_copy_and_can_not_be_changed() -> None:
    found = cut(np.concatenate([quiet(1), voice(2), quiet(1)]), scripted())
    first, second = found[0], found[1]
    assert np.shares_memory(first.samples, second.samples)
    with pytest.raises(ValueError, match="read-only"):
        second.samples[0] = 1


def test_a_long_speech_is_cut_where_it_is_quietest_and_nothing_is_lost() -> None:
    loud, soft = voice(10), voice(0.3, 1, amplitude=0.07)
    samples = np.concatenate([loud, soft, voice(12, 2), quiet(1)])
    found = cut(samples, scripted())
    first, second = finals(found)
    check_samples(found, samples)
    assert 10.0 < seconds(first.end) < 10.3
    assert second.start == first.end
    assert (first.index, second.index) == (0, 1)
    assert seconds(second.end) == pytest.approx(22.4, abs=0.05)


def test_no_utterance_is_longer_than_the_maximum() -> None:
    samples = np.concatenate([voice(40), quiet(1)])
    found = cut(samples, scripted(SegmenterSettings(max_length=5.0)))
    check_samples(found, samples)
    assert all(utterance.duration <= 5.0 + seconds(WINDOW) for utterance in found)
    parts = finals(found)
    assert all(a.end == b.start for a, b in itertools.pairwise(parts))


def test_flush_yields_the_tail_without_the_padding_of_the_last_block() -> None:
    samples = np.concatenate([quiet(1), voice(1.01)])
    found = cut(samples, scripted())
    assert found[-1].is_final
    assert found[-1].end == samples.size
    assert scripted().flush() == ()


def test_two_channels_are_two_speakers_with_indices_of_their_own() -> None:
    left = np.concatenate([voice(1), quiet(2)])
    right = np.concatenate([quiet(0.5), voice(1, 1), quiet(1.5)])
    stereo = np.stack([left, right])
    next_index = index_allocator()
    segmenters = [
        Segmenter(SegmenterSettings(), ScriptedVad(), channel, next_index, name)
        for channel, name in enumerate(("A", "B"))
    ]
    found: list[Utterance] = []
    for start in range(0, stereo.shape[1] - WINDOW, WINDOW):
        block = AudioBlock(stereo[:, start : start + WINDOW], start)
        for segmenter in segmenters:
            found.extend(segmenter.push(block))
    ends = finals(found)
    assert [(u.speaker, u.channel, u.index) for u in ends] == [("A", 0, 0), ("B", 1, 1)]
    check_samples([u for u in found if u.channel == 0], left)
    check_samples([u for u in found if u.channel == 1], right)


def test_lost_samples_end_the_utterance_and_the_next_keeps_the_right_time() -> None:
    segmenter = scripted()
    speech = voice(2)
    found: list[Utterance] = []
    for start in range(0, SAMPLE_RATE, WINDOW):
        found.extend(segmenter.push(AudioBlock(speech[None, start : start + WINDOW], start)))
    found.clear()
    gap = 10 * SAMPLE_RATE
    for start in range(0, SAMPLE_RATE, WINDOW):
        found.extend(segmenter.push(AudioBlock(speech[None, start : start + WINDOW], gap + start)))
    found.extend(segmenter.flush())
    before, after = finals(found)
    assert before.end <= SAMPLE_RATE + WINDOW
    assert after.start == gap


def test_reset_begins_a_new_stream() -> None:
    segmenter = scripted()
    samples = np.concatenate([quiet(1), voice(1), quiet(1)])
    first = cut(samples, segmenter)
    segmenter.reset()
    second = cut(samples, segmenter)
    assert [(u.start, u.end) for u in first] == [(u.start, u.end) for u in second]


def pauses_of(found: list[Utterance]) -> list[Utterance]:
    return [utterance for utterance in found if utterance.paused]


def bursts(seed: int) -> FloatArray:
    """Speech and silence of random lengths, many of the silences shorter than a hangover."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(12):
        parts += [voice(float(rng.uniform(0.2, 1.2)), number), quiet(float(rng.uniform(0.03, 0.6)))]
    return np.concatenate(parts)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("hangover", "padding"), [(0.3, 0.1), (0.5, 0.1), (0.5, 0.128), (0.3, 0.0), (0.7, 0.25)]
)
def test_a_pause_covers_just_what_the_final_covers_unless_speech_resumes(
    seed: int, hangover: float, padding: float
) -> None:
    samples = np.concatenate([bursts(seed), quiet(1)])
    found = cut(samples, scripted(SegmenterSettings(hangover=hangover, padding=padding)))
    check_samples(found, samples)
    assert not any(utterance.paused for utterance in finals(found))
    ended = resumed = 0
    for paused in pauses_of(found):
        after = next(u for u in found if u.index == paused.index and u.revision > paused.revision)
        if after.is_final:
            ended += 1
            assert (after.start, after.end) == (paused.start, paused.end)
            np.testing.assert_array_equal(after.samples, paused.samples)
        else:
            resumed += 1
            assert after.end > paused.end
            assert np.abs(samples[paused.end : after.end]).max() > 0.05  # somebody spoke
    assert ended == len(finals(found)), "every utterance was handed out in its last pause"
    assert resumed, "or this test shows nothing"


def test_nothing_is_handed_out_in_silence_but_the_pause() -> None:
    """Whoever works on a partial can't begin with the pause."""
    silent = 0
    for seed in range(4):
        samples = np.concatenate([bursts(seed), quiet(1)])
        seen: set[int] = set()
        for partial in cut(samples, scripted()):
            if partial.index in seen and not partial.is_final and not partial.paused:
                assert np.abs(partial.samples[-WINDOW:]).max() > 0.05
            silent += partial.paused
            seen.add(partial.index)
    assert silent, "or this test shows nothing"


def test_a_pause_is_handed_out_once_however_long_it_is() -> None:
    settings = SegmenterSettings(hangover=2.0)
    samples = np.concatenate([voice(1), quiet(1.5), voice(1, 1), quiet(3)])
    found = cut(samples, scripted(settings))
    first, second = pauses_of(found)
    (final,) = finals(found)
    assert seconds(first.end) == pytest.approx(1.1, abs=0.04)
    assert (second.start, second.end) == (final.start, final.end)


def test_without_a_rest_of_the_hangover_there_is_no_pause() -> None:
    samples = np.concatenate([voice(1), quiet(1)])
    found = cut(samples, scripted(SegmenterSettings(hangover=0.1, padding=0.1)))
    assert not pauses_of(found)
    assert len(finals(found)) == 1


@pytest.mark.parametrize("silent", [0.05, 0.15, 0.25])
def test_a_source_that_ends_in_a_pause_has_the_final_of_that_pause(silent: float) -> None:
    """Also where the last block was padded: then its end is that of the source."""
    samples = np.concatenate([quiet(0.5), voice(1), quiet(silent)])[:-100]
    found = cut(samples, scripted())
    (final,) = finals(found)
    check_samples([final], samples)
    for paused in pauses_of(found):
        assert silent > 0.1
        assert (final.start, final.end) == (paused.start, paused.end)


def test_a_source_that_ends_within_the_padding_of_a_pause_has_a_shorter_final() -> None:
    whole = np.concatenate([voice(1), quiet(1)])
    segmenter = scripted()
    found: list[Utterance] = []
    start = 0
    while not pauses_of(found):
        found.extend(segmenter.push(AudioBlock(whole[None, start : start + WINDOW], start)))
        start += WINDOW
    (paused,) = pauses_of(found)
    (final,) = segmenter.flush(total=paused.end - 10)
    assert final.end == paused.end - 10
    assert final.start == paused.start


def test_a_cut_for_length_in_a_pause_makes_finals_that_no_pause_before_it_covers() -> None:
    settings = SegmenterSettings(max_length=4.0, hangover=0.6)
    samples = np.concatenate([voice(3), quiet(0.3), voice(1.5, 1), quiet(1)])
    found = cut(samples, scripted(settings))
    check_samples(found, samples)
    first, second = finals(found)
    assert first.end == second.start
    before = [u for u in pauses_of(found) if u.index == first.index]
    assert before
    assert all(u.end != first.end for u in before), "the cut lies in the pause, not behind it"
    (last,) = [u for u in pauses_of(found) if u.index == second.index]
    assert (last.start, last.end) == (second.start, second.end)


def test_a_cut_for_length_in_a_long_silence_leaves_no_utterance_of_silence() -> None:
    settings = SegmenterSettings(max_length=3.0, hangover=1.5)
    samples = np.concatenate([voice(2.0), quiet(4)])
    found = cut(samples, scripted(settings))
    check_samples(found, samples)
    (final,) = finals(found)
    assert seconds(final.end) == pytest.approx(2.1, abs=0.04)


def test_what_is_not_the_channels_own_pauses_it_as_silence_does() -> None:
    samples = voice(3)
    segmenter = scripted()
    found: list[Utterance] = []
    for start in range(0, samples.size - WINDOW, WINDOW):
        block = AudioBlock(samples[None, start : start + WINDOW], start)
        found.extend(segmenter.push(block, own=start < SAMPLE_RATE))
    (paused,) = pauses_of(found)
    (final,) = finals(found)
    assert (paused.start, paused.end) == (final.start, final.end)
    assert seconds(final.end) == pytest.approx(1.1, abs=0.05)


def test_each_of_two_channels_pauses_by_itself() -> None:
    left = np.concatenate([voice(1), quiet(0.2), voice(1, 2), quiet(1)])
    right = np.concatenate([quiet(0.8), voice(1, 1), quiet(1.4)])
    next_index = index_allocator()
    found: list[list[Utterance]] = [[], []]
    segmenters = [
        Segmenter(SegmenterSettings(), ScriptedVad(), c, next_index, "AB"[c]) for c in (0, 1)
    ]
    stereo = np.stack([left, right])
    for start in range(0, stereo.shape[1] - WINDOW, WINDOW):
        for channel in (0, 1):
            block = AudioBlock(stereo[:, start : start + WINDOW], start)
            found[channel].extend(segmenters[channel].push(block))
    assert [len(pauses_of(one)) for one in found] == [2, 1]
    for one in found:
        (final,) = finals(one)
        last = pauses_of(one)[-1]
        assert (last.index, last.start, last.end) == (final.index, final.start, final.end)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="threshold"):
        SegmenterSettings(threshold=1.5)
    with pytest.raises(ValueError, match="padding"):
        SegmenterSettings(padding=1.0)


def subtitles() -> list[tuple[float, float]]:
    """Return when each line of the bundled sample is spoken, in seconds."""
    text = sample_dialogue().with_suffix(".srt").read_text(encoding="utf-8")
    times = re.findall(r"(\d+):(\d+):(\d+),(\d+)", text)
    points = [int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000 for h, m, s, ms in times]
    return list(zip(points[::2], points[1::2], strict=True))


def test_of_real_lines_neither_the_first_nor_the_last_syllable_is_lost() -> None:
    found = cut(read_audio(sample_dialogue())[0], Segmenter(SegmenterSettings(), SileroVad()))
    spans = [(seconds(u.start), seconds(u.end)) for u in finals(found)]
    lines = subtitles()
    assert len(lines) > 10
    for begin, end in lines:
        covered = sum(max(0.0, min(end, b) - max(begin, a)) for a, b in spans)
        assert any(a <= begin + 0.02 < b for a, b in spans), f"the onset at {begin} s is lost"
        assert covered > 0.9 * (end - begin)

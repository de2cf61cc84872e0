from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from core.pipeline.events import AudioHeard
from core.types import (
    SAMPLE_RATE,
    WINDOW,
    AttentionKind,
    AttentionMap,
    AudioBlock,
    Axis,
    EmotionResult,
    FloatArray,
    Transcript,
    Turn,
    TurnStatus,
)
from desktop.bench.feed import SyntheticFeed
from desktop.item_models.emotion_timeline import JOIN_GAP, MOST_POINTS, EmotionTimeline
from desktop.item_models.sound_history import BANDS, SPECTROGRAM_WINDOWS, SoundHistory
from desktop.item_models.steady_label import MARGIN, PATIENCE, SteadyLabel
from desktop.item_models.turns import EVIDENCE_BYTES, TurnModel, TurnRole, describe
from desktop.time_view import TimeView

MADE = SyntheticFeed()._emotion(0, 1.0, ("word",), final=False)


def result(**probabilities: float) -> EmotionResult:
    """A result with these probabilities; the classes not named share the rest."""
    made = MADE
    rest = (1 - sum(probabilities.values())) / (len(made.labels) - len(probabilities))
    values = tuple(probabilities.get(label, rest) for label in made.labels)
    return replace(made, probabilities=values, doubts=())


def turn(
    index: int,
    start: float = 0.0,
    end: float = 1.0,
    status: TurnStatus = TurnStatus.FINAL,
    text: str = "",
    emotion: EmotionResult | None = None,
    speaker: str | None = None,
) -> Turn:
    transcript = Transcript(text) if text else None
    samples = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    return Turn(index, *samples, speaker, status, transcript, emotion)


def blocks(samples: FloatArray, speech: float = 0.0, start: int = 0) -> list[AudioHeard]:
    pieces = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, 1, WINDOW)
    return [
        AudioHeard(AudioBlock(piece, start + i * WINDOW), (speech,), (-20.0,), (0.0,))
        for i, piece in enumerate(pieces)
    ]


class TestTurns:
    def test_turns_are_ordered_by_start_whatever_order_they_come_in(self) -> None:
        model = TurnModel()
        for index, start in ((0, 5.0), (1, 1.0), (2, 9.0), (3, 1.0)):
            model.update(turn(index, start, start + 1))
        assert [t.index for t in model.turns()] == [1, 3, 0, 2]
        assert model.row_of(0) == 2
        assert model.row_of(77) is None

    def test_a_turn_that_turns_out_to_begin_elsewhere_moves_and_is_found(self) -> None:
        model = TurnModel()
        for index, start in ((0, 1.0), (1, 3.0), (2, 5.0)):
            model.update(turn(index, start, start + 1, TurnStatus.PARTIAL))
        model.update(turn(2, 2.0, 2.5))
        assert [t.index for t in model.turns()] == [0, 2, 1]
        assert [model.row_of(index) for index in (0, 1, 2)] == [0, 2, 1]
        model.discard(2)
        assert [model.row_of(index) for index in (0, 1, 2)] == [0, 1, None]

    def test_a_complete_turn_never_goes_back_to_a_partial_one(self) -> None:
        model = TurnModel()
        model.update(turn(0, text="all of it"))
        model.update(turn(0, status=TurnStatus.PARTIAL, text="all"))
        assert model.data(model.index(0, 0)) == "all of it"
        assert model.index(0, 0).data(TurnRole).status is TurnStatus.FINAL

    def test_only_the_changed_row_is_told(self) -> None:
        model = TurnModel()
        for index in range(3):
            model.update(turn(index, index, index + 1, TurnStatus.PARTIAL))
        rows: list[int] = []
        model.dataChanged.connect(lambda first, last: rows.extend((first.row(), last.row())))
        model.update(turn(1, 1, 2))
        assert rows == [1, 1]

    def test_search_goes_round_in_both_directions_and_ignores_case(self) -> None:
        model = TurnModel()
        for index, text in enumerate(("Hello", "진짜 놀랐어", "hello again")):
            model.update(turn(index, index, index + 0.5, text=text))
        assert model.find("HELLO", -1) == 0
        assert model.find("hello", 0) == 2
        assert model.find("hello", 2) == 0
        assert model.find("hello", 0, backwards=True) == 2
        assert model.find("놀랐", 0) == 1
        assert model.find("absent", 0) is None
        assert model.find("", 0) is None

    def test_a_turn_is_found_by_the_time_it_was_spoken(self) -> None:
        model = TurnModel()
        model.update(turn(0, 1.0, 2.0))
        model.update(turn(1, 4.0, 6.0))
        assert [model.row_at(t) for t in (0.5, 1.5, 3.0, 5.9, 7.0)] == [None, 0, None, 1, None]
        assert [t.index for t in model.turns_between(1.5, 4.5)] == [0, 1]

    def test_evidence_of_old_turns_is_given_up_and_the_newest_kept(self) -> None:
        model = TurnModel()
        weights = np.zeros((256, 256), np.float32)
        attention = AttentionMap("m", AttentionKind.FEATURE, weights, Axis("a"), Axis("b"))
        emotion = replace(result(happy=0.5), attentions=(attention,))
        count = EVIDENCE_BYTES // weights.nbytes + 20
        for index in range(count):
            model.update(turn(index, index, index + 1, emotion=emotion))
        kept = [bool(t.emotion and t.emotion.attentions) for t in model.turns()]
        assert kept[-1]
        assert not kept[0]
        assert sum(kept) * weights.nbytes <= EVIDENCE_BYTES

    def test_a_row_says_everything_to_a_screen_reader(self) -> None:
        spoken = turn(0, 61, 63, text="Really?", emotion=result(surprise=0.7), speaker="Mina")
        assert describe(spoken) == "1:01, Mina, Really?, surprise 0.70"


class TestSteadyLabel:
    def test_a_small_lead_does_not_move_the_word_and_a_clear_one_does(self) -> None:
        steady = SteadyLabel()
        assert steady.update(result(happy=0.5), complete=False) == ("happy",)
        close = result(happy=0.4, sad=0.4 + MARGIN / 2)
        assert steady.update(close, complete=False) == ("happy",)
        clear = result(happy=0.3, sad=0.3 + 2 * MARGIN)
        assert steady.update(clear, complete=False) == ("sad",)

    def test_a_small_lead_that_lasts_moves_it_too(self) -> None:
        steady = SteadyLabel()
        steady.update(result(happy=0.5), complete=False)
        close = result(happy=0.4, sad=0.4 + MARGIN / 2)
        shown = [steady.update(close, complete=False) for _ in range(PATIENCE)]
        assert shown == [("happy",)] * (PATIENCE - 1) + [("sad",)]

    def test_a_complete_result_is_taken_as_it_is(self) -> None:
        steady = SteadyLabel()
        steady.update(result(happy=0.5), complete=False)
        assert steady.update(result(happy=0.4, sad=0.41), complete=True) == ("sad",)


class TestTimeline:
    def test_curves_start_where_the_utterance_starts_and_grow(self) -> None:
        timeline = EmotionTimeline()
        for end in (1.5, 1.75, 2.0):
            timeline.update(turn(0, 1.0, end, TurnStatus.PARTIAL, emotion=result(sad=end / 4)))
        curves = timeline.curves(0, 10)
        assert curves.times.tolist() == [1.0, 1.5, 1.75, 2.0]
        column = timeline.labels.index("sad")
        assert curves.values[:, column].tolist() == pytest.approx([0.375, 0.375, 0.4375, 0.5])

    def test_the_fused_result_replaces_the_one_of_the_same_moment(self) -> None:
        timeline = EmotionTimeline()
        timeline.update(turn(0, 0, 1, TurnStatus.SPEECH, emotion=result(sad=0.5)))
        timeline.update(turn(0, 0, 1, emotion=result(happy=0.5)))
        curves = timeline.curves(0, 10)
        assert curves.times.tolist() == [0.0, 1.0]
        assert curves.values[-1, timeline.labels.index("happy")] == pytest.approx(0.5)

    def test_a_short_pause_is_bridged_and_a_long_one_is_a_gap(self) -> None:
        timeline = EmotionTimeline()
        starts = (0.0, 1.0 + JOIN_GAP / 2, 5.0)
        for index, start in enumerate(starts):
            timeline.update(turn(index, start, start + 1, emotion=result(sad=0.5)))
        assert timeline.curves(0, 10).connect.tolist() == [1, 1, 1, 0, 1, 0]

    def test_the_curves_of_two_people_are_not_joined(self) -> None:
        timeline = EmotionTimeline()
        for index, speaker in enumerate("ABB"):
            spoken = turn(index, index, index + 0.9, emotion=result(sad=0.5), speaker=speaker)
            timeline.update(spoken)
        assert timeline.curves(0, 10).connect.tolist() == [1, 0, 1, 1, 1, 0]

    def test_no_more_points_than_a_screen_shows_and_gaps_survive(self) -> None:
        timeline = EmotionTimeline()
        for index in range(2000):
            timeline.update(turn(index, index * 4, index * 4 + 1, emotion=result(sad=0.5)))
        curves = timeline.curves(0, 1e6)
        assert len(curves.times) <= MOST_POINTS
        assert not curves.connect.any()
        assert len(timeline.curves(400, 460).times) < 50


class TestSoundHistory:
    def test_the_envelope_lies_where_the_sound_was_whatever_the_width(self) -> None:
        sound = np.zeros(9 * SAMPLE_RATE, np.float32)
        sound[3 * SAMPLE_RATE : 5 * SAMPLE_RATE] = 0.5
        history = SoundHistory()
        history.append(blocks(sound))
        for columns in (100, 333, 700, 1000, 1777):
            loud = np.flatnonzero(history.envelope(0.0, 9.0, columns)[:, 1] > 0.4)
            assert loud[0] / columns * 9 == pytest.approx(3.0, abs=0.1)
            assert (loud[-1] + 1) / columns * 9 == pytest.approx(5.0, abs=0.1)

    def test_a_scrolling_envelope_only_moves(self) -> None:
        noise = np.random.default_rng(0).uniform(-1, 1, 20 * SAMPLE_RATE).astype(np.float32)
        history = SoundHistory()
        history.append(blocks(noise))
        width = 10 / 400
        before = history.envelope(2.0, 12.0, 400)
        after = history.envelope(2.0 + 7 * width, 12.0 + 7 * width, 400)
        assert np.array_equal(before[7:], after[:-7])

    def test_what_was_not_heard_is_flat(self) -> None:
        history = SoundHistory()
        history.append(blocks(np.full(SAMPLE_RATE, 0.5, np.float32)))
        envelope = history.envelope(-5.0, 5.0, 100)
        assert not envelope[:48].any()
        assert not envelope[62:].any()
        assert envelope[52:58, 1].min() > 0.4

    def test_two_channels_are_drawn_as_one_and_either_may_speak(self) -> None:
        history = SoundHistory()
        samples = np.stack([np.full(WINDOW, 0.8), np.zeros(WINDOW)]).astype(np.float32)
        event = AudioHeard(AudioBlock(samples, 0), (0.0, 0.9), (-3.0, -90.0), (0.0, 0.0))
        history.append([event])
        assert history.envelope(0, 0.032, 1)[0, 1] == pytest.approx(0.4, abs=0.02)
        assert history.is_speech()
        assert history.speech(0, 0.032, 4).min() > 127

    def test_a_tone_lights_its_own_band_at_the_right_edge(self) -> None:
        times = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
        history = SoundHistory()
        history.append(blocks(0.5 * np.sin(2 * np.pi * 1000 * times).astype(np.float32)))
        picture = history.spectrogram(history.seconds)
        assert picture.shape == (BANDS, SPECTROGRAM_WINDOWS)
        newest = picture[:, -1]
        assert newest.max() > 200
        assert 5 < BANDS - int(newest.argmax()) < BANDS - 5
        assert not picture[:, : SPECTROGRAM_WINDOWS - 70].any()

    def test_an_hour_takes_a_few_megabytes(self) -> None:
        history = SoundHistory()
        last = 3600 * SAMPLE_RATE // WINDOW
        history.append(blocks(np.zeros(WINDOW, np.float32), start=last * WINDOW))
        assert history._envelope.nbytes + history._speech.nbytes < 5e6


class TestTimeView:
    def test_following_shows_the_newest_seconds_of_each_plot(self) -> None:
        view = TimeView()
        view.now = 100.0
        assert view.stretch(20.0) == (80.0, 100.0)
        assert view.stretch(60.0) == (40.0, 100.0)

    def test_zooming_stays_inside_the_recording(self, qt: QApplication) -> None:
        view = TimeView()
        view.review(60.0)
        view.zoom(50.0, 80.0)
        assert view.stretch(0) == (30.0, 60.0)
        view.scale(0.0001, 45.0)
        first, last = view.stretch(0)
        assert last - first == pytest.approx(1.0)
        view.show_all()
        assert view.stretch(0) == (0.0, 60.0)
        assert not view.zoomed

    def test_a_zoom_survives_a_recording_that_grows_and_reveals_a_turn(self) -> None:
        view = TimeView()
        view.review(60.0)
        view.zoom(10.0, 20.0)
        view.review(90.0)
        assert view.stretch(0) == (10.0, 20.0)
        view.reveal(40.0, 44.0)
        assert view.stretch(0) == (34.0, 44.0)
        view.reveal(36.0, 40.0)
        assert view.stretch(0) == (34.0, 44.0)

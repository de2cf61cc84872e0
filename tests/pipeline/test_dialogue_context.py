"""The real dialogue model of a session, over tiny checkpoints."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import CheckpointError, ConfigError
from core.models.checkpoint import read_info
from core.models.context.checkpoint import load_dialogue_checkpoint
from core.models.context.inference import DialogueInference, TurnFeatures
from core.pipeline import dialogue_context
from core.pipeline.dialogue_context import ModelContext, load_context, shipped_context
from core.types import ContextScope, FloatArray, Modality, Turn, TurnStatus, Utterance
from tests.checkpoints import make_checkpoint, make_dialogue_checkpoint
from tests.fakes import FakeAnalyzer, tone

WINDOW = 6


@pytest.fixture(scope="module", params=["bilstm", "mglra"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dialogue") / request.param
    return make_dialogue_checkpoint(
        folder, architecture=request.param, window=WINDOW, temperature=1.7
    )


@pytest.fixture(scope="module")
def loaded(checkpoint: Path) -> ModelContext:
    context = load_context(checkpoint)
    context.warm_up()
    return context


@pytest.fixture
def context(loaded: ModelContext) -> ModelContext:
    loaded.reset()
    return loaded


@pytest.fixture(scope="module")
def inference(checkpoint: Path) -> DialogueInference:
    loaded = load_dialogue_checkpoint(checkpoint)
    return DialogueInference(loaded.model, loaded.info.temperature)


def a_turn(index: int, start: int | None = None, speaker: str | None = None) -> Turn:
    start = 1000 * index if start is None else start
    who = speaker or "AB"[index % 2]
    return Turn(index, start, start + 900, who, TurnStatus.FINAL)


def heard(index: int, *modalities: Modality) -> dict[Modality, FloatArray]:
    """The features of a turn, the same each time."""
    noise = np.random.default_rng(index)
    both = {m: noise.normal(size=16).astype(np.float32) for m in (Modality.SPEECH, Modality.TEXT)}
    return {m: v for m, v in both.items() if m in modalities or not modalities}


def taken(index: int, speaker: str | None = None, *modalities: Modality) -> TurnFeatures:
    features = {m.value: v for m, v in heard(index, *modalities).items()}
    return TurnFeatures(features, speaker or "AB"[index % 2])


def talk(context: ModelContext, turns: int) -> list[Turn]:
    """Add turns in order; return them as they were published."""
    return [context.add(a_turn(i), heard(i))[0] for i in range(turns)]


def test_a_turn_is_scored_as_the_last_of_its_window(
    context: ModelContext, inference: DialogueInference
) -> None:
    said = talk(context, 10)
    for index, turn in enumerate(said):
        first = max(0, index - WINDOW + 1)
        (expected,) = inference([[taken(i) for i in range(first, index + 1)]])
        assert turn.context is not None
        assert turn.context.turns == tuple(range(first, index + 1))
        assert turn.context.scope is ContextScope.PAST
        assert turn.context.probabilities == pytest.approx(expected.probabilities[-1], abs=1e-6)
        assert sum(turn.context.probabilities) == pytest.approx(1, abs=1e-5)


def test_alone_is_the_same_model_without_the_others(
    context: ModelContext, inference: DialogueInference
) -> None:
    said = talk(context, 8)
    for index, turn in enumerate(said):
        # whoever speaks first is the first speaker of a dialogue of one turn
        (expected,) = inference([[taken(index, "A")]])
        assert turn.context is not None
        assert turn.context.alone == pytest.approx(expected.probabilities[0], abs=1e-6)
    assert said[0].context is not None
    assert said[0].context.alone == pytest.approx(said[0].context.probabilities, abs=1e-6)
    assert any(t.context.alone != pytest.approx(t.context.probabilities) for t in said[1:])


def test_what_was_said_first_never_changes(context: ModelContext) -> None:
    said = talk(context, 12)
    final = {turn.index: turn for turn in context.finish()}
    assert [final[t.index].context for t in said] == [t.context for t in said]


def test_hindsight_comes_when_the_label_changes_and_only_then(
    context: ModelContext, inference: DialogueInference
) -> None:
    shown: dict[int, str] = {}
    revisions = 0
    for index in range(40):
        turn, *earlier = context.add(a_turn(index), heard(index))
        first = max(0, index - WINDOW + 1)
        (seen,) = inference([[taken(i) for i in range(first, index + 1)]])
        told = {t.index: t for t in earlier}
        for place, other in enumerate(range(first, index)):
            label = context.model.labels[int(seen.probabilities[place].argmax())]
            lost_its_past = first > 0 and place < WINDOW // 2
            assert (other in told) == (label != shown[other] and not lost_its_past)
            if other in told:
                hindsight = told[other].hindsight
                assert hindsight is not None
                assert hindsight.scope is ContextScope.LATER
                assert hindsight.label == label
                assert index in hindsight.turns
                shown[other] = label
                revisions += 1
        assert turn.context is not None
        shown[index] = turn.context.label
    assert revisions > 3


def test_a_late_turn_is_scored_among_those_that_began_before_it(
    context: ModelContext, inference: DialogueInference
) -> None:
    for index in (0, 1, 3):
        context.add(a_turn(index), heard(index))
    late, *revised = context.add(a_turn(2), heard(2))
    assert late.context is not None
    assert late.context.turns == (0, 1, 2)
    assert revised == []
    then, *_ = context.add(a_turn(4), heard(4))
    assert then.context is not None
    assert then.context.turns == (0, 1, 2, 3, 4)
    (expected,) = inference([[taken(i) for i in range(5)]])
    assert then.context.probabilities == pytest.approx(expected.probabilities[-1], abs=1e-6)


def test_a_turn_that_was_not_judged_stays_as_one_without_modalities(
    context: ModelContext, inference: DialogueInference
) -> None:
    context.add(a_turn(0), heard(0))
    (silent,) = context.add(a_turn(1), {})
    assert silent.context is None
    turn, *_ = context.add(a_turn(2), heard(2))
    assert turn.context is not None
    assert turn.context.turns == (0, 1, 2)
    (expected,) = inference([[taken(0), TurnFeatures({}, "B"), taken(2)]])
    assert turn.context.probabilities == pytest.approx(expected.probabilities[-1], abs=1e-6)
    assert [t.index for t in context.finish()] == [0, 2]


def test_a_missing_modality_is_missing(context: ModelContext, inference: DialogueInference) -> None:
    context.add(a_turn(0), heard(0))
    turn, *_ = context.add(a_turn(1), heard(1, Modality.SPEECH))
    (expected,) = inference([[taken(0), taken(1, None, Modality.SPEECH)]])
    assert turn.context is not None
    assert turn.context.probabilities == pytest.approx(expected.probabilities[-1], abs=1e-6)


@pytest.mark.parametrize("wrong", [np.zeros(7, np.float32), np.full(16, np.nan, np.float32)])
def test_features_that_do_not_fit_spoil_one_turn_only(
    context: ModelContext, wrong: FloatArray
) -> None:
    context.add(a_turn(0), heard(0))
    with pytest.raises(ValueError, match="not 16 finite numbers"):
        context.add(a_turn(1), {Modality.SPEECH: wrong})
    turn, *_ = context.add(a_turn(2), heard(2))
    assert turn.context is not None
    assert turn.context.turns == (0, 1, 2)
    assert np.isfinite(turn.context.probabilities).all()


@pytest.mark.parametrize("turns", [1, 2 * WINDOW, 2 * WINDOW + 1, 43])
def test_hindsight_in_the_end_sees_the_whole_dialogue_or_as_much_on_either_side(
    context: ModelContext, inference: DialogueInference, turns: int
) -> None:
    talk(context, turns)
    final = context.finish()
    assert [turn.index for turn in final] == list(range(turns))
    for turn in final:
        found = turn.hindsight
        assert found is not None
        assert found.scope is ContextScope.LATER
        assert len(found.turns) == min(turns, 2 * WINDOW)
        before = turn.index - found.turns[0]
        after = found.turns[-1] - turn.index
        assert before >= min(turn.index, WINDOW // 2)
        assert after >= min(turns - 1 - turn.index, WINDOW // 2 - 1)
        (expected,) = inference([[taken(i) for i in found.turns]])
        assert found.probabilities == pytest.approx(expected.probabilities[before], abs=1e-6)


def test_speakers_are_numbered_by_their_first_turn_in_the_window(
    context: ModelContext, inference: DialogueInference
) -> None:
    names = ["X", "Y", "X", "Z", "Z", "Y", "Z"]
    for index, name in enumerate(names):
        last, *_ = context.add(a_turn(index, speaker=name), heard(index))
    other = [TurnFeatures(taken(i).features, n) for i, n in enumerate("PQPRRQR")]
    (expected,) = inference([other[1:]])
    assert last.context is not None
    assert last.context.probabilities == pytest.approx(expected.probabilities[-1], abs=1e-6)


def test_nothing_of_a_session_is_left_in_the_next(context: ModelContext) -> None:
    first = talk(context, 4)
    context.reset()
    assert context.finish() == ()
    again = talk(context, 4)
    assert [t.context.probabilities for t in first if t.context] == [
        t.context.probabilities for t in again if t.context
    ]


def test_attention_maps_of_turns_are_not_kept_alive(context: ModelContext) -> None:
    samples = tone(1.0)
    from tests.fakes import FakeTranscriber

    utterance = Utterance(0, 0, samples.size, samples)
    emotion = FakeAnalyzer().final(utterance, FakeTranscriber().final(utterance))
    assert emotion is not None
    assert emotion.attentions
    turn, *_ = context.add(replace(a_turn(0), emotion=emotion), heard(0))
    assert turn.emotion is emotion
    (kept,) = context.finish()
    assert kept.emotion is not None
    assert kept.emotion.attentions == ()


def test_the_window_can_be_chosen(checkpoint: Path) -> None:
    context = load_context(checkpoint, window=2)
    assert context.warm_up().window == 2
    assert [t.context.turns for t in talk(context, 3) if t.context] == [(0,), (0, 1), (1, 2)]
    with pytest.raises(ConfigError):
        load_context(checkpoint, window=0)


def test_what_is_ready_is_said(context: ModelContext) -> None:
    info = context.warm_up()
    assert info.window == WINDOW
    assert info.model == context.model
    assert info.model.modalities == (Modality.SPEECH, Modality.TEXT)
    assert len(info.model.digest) == 64


def test_the_shipped_model_is_used_for_the_model_it_was_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utterances = read_info(make_checkpoint(tmp_path / "tiny"))
    folder = make_dialogue_checkpoint(tmp_path / "dialogue", utterance_model=utterances)
    monkeypatch.setattr(dialogue_context, "dialogue_checkpoint", lambda: folder)
    found = shipped_context(utterances.digest)
    assert found is not None
    assert found.trained_on.name == "tiny"
    assert shipped_context("0" * 64) is None
    monkeypatch.setattr(dialogue_context, "dialogue_checkpoint", lambda: tmp_path / "none")
    assert shipped_context(utterances.digest) is None


def test_what_is_no_dialogue_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError):
        load_context(tmp_path / "nothing")
    with pytest.raises(CheckpointError):
        load_context(make_checkpoint(tmp_path / "tiny"))


def test_a_model_of_features_that_no_session_has_is_refused(tmp_path: Path) -> None:
    folder = make_dialogue_checkpoint(tmp_path / "smell", architecture="bilstm")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["specification"]["features"]["smell"] = {"dim": 4}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(CheckpointError, match="smell"):
        load_context(folder)


def test_importing_and_reading_it_imports_no_torch(checkpoint: Path) -> None:
    code = (
        "import sys; from core.pipeline.dialogue_context import load_context; "
        f"print(load_context({str(checkpoint)!r}).model.name); sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == checkpoint_name(checkpoint)


def checkpoint_name(folder: Path) -> str:
    return f"tiny-{folder.name}"


# What only some models have: attention, and nested sizes.


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> ModelContext:
    folder = tmp_path_factory.mktemp("nested") / "mglra"
    return load_context(make_dialogue_checkpoint(folder, architecture="mglra", window=WINDOW))


def test_attention_is_over_the_turns_of_the_window(nested: ModelContext) -> None:
    nested.reset()
    for turn in (*talk(nested, 9), *nested.finish()):
        for result in (turn.context, turn.hindsight):
            if result is not None:
                assert len(result.attention) == len(result.turns)
                assert sum(result.attention) == pytest.approx(1, abs=1e-4)
                assert min(result.attention) >= 0


def test_a_model_that_can_not_say_what_it_looked_at_gives_no_attention(tmp_path: Path) -> None:
    context = load_context(make_dialogue_checkpoint(tmp_path / "bilstm", architecture="bilstm"))
    assert context.warm_up().sizes == ()
    for turn in talk(context, 3):
        assert turn.context is not None
        assert turn.context.attention == ()
        assert turn.context.nested == {}


def test_nested_sizes_are_measured_and_each_says_something(nested: ModelContext) -> None:
    nested.reset()
    sizes = nested.warm_up().sizes
    assert [one.size for one in sizes] == [32, 8, 4]
    assert [one.parameters for one in sizes] == sorted((s.parameters for s in sizes), reverse=True)
    assert all(one.bytes == 4 * one.parameters and one.milliseconds > 0 for one in sizes)
    for turn in talk(nested, 4):
        assert turn.context is not None
        assert list(turn.context.nested) == [32, 8, 4]
        assert turn.context.nested[32] == turn.context.probabilities
        assert all(sum(p) == pytest.approx(1, abs=1e-5) for p in turn.context.nested.values())
        assert turn.context.nested[4] != pytest.approx(turn.context.probabilities)


def test_a_nested_size_says_what_the_model_cut_to_it_says(tmp_path: Path) -> None:
    folder = make_dialogue_checkpoint(tmp_path / "mglra", architecture="mglra", window=WINDOW)
    whole = load_dialogue_checkpoint(folder).model
    window = [taken(i) for i in range(5)]
    (expected,) = DialogueInference(whole)([window])
    (found,) = DialogueInference(whole.cut(8))([window])  # type: ignore[operator]
    assert found.probabilities == pytest.approx(expected.nested[8], abs=1e-5)

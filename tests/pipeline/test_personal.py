"""A personal adapter corrects what is said of one person, from the next judgement on."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.dialogue.journal import Journal
from core.dialogue.sessions import read_session
from core.dialogue.turn_record import turn_from_record, turn_to_record
from core.errors import CheckpointError
from core.models.baseline import SpeakerMoments
from core.models.manifest import read_info
from core.personal.adapter_files import save_adapter
from core.pipeline.ahead import AheadRule, PauseWatch
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer
from core.pipeline.events import ModelReady, Notice
from core.pipeline.judging import Judging
from core.pipeline.model_watch import ModelWatch
from core.pipeline.personal import UNAVAILABLE
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import EmotionResult, Modality, Transcript, Turn, TurnStatus, Utterance
from tests.checkpoints import make_checkpoint, make_speech_text_checkpoint, voice
from tests.fakes import FakeAnalyzer, LoudnessCutter, ScriptedSource, conversation
from tests.personal.people import make_adapter

ENGLISH = Transcript("I am so happy to see you", language="en")
DISGUST = 6


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def loaded(checkpoint) -> ModelAnalyzer:
    analyzer = load_analyzer(checkpoint, "cpu")
    analyzer.warm_up()
    return analyzer


@pytest.fixture
def analyzer(loaded) -> ModelAnalyzer:
    loaded.use_personal(None)
    loaded.reset()
    return loaded


def functionals_of(analyzer: ModelAnalyzer) -> int:
    fitted, hearing = analyzer._ready()
    heard = hearing.whole(said(1.0))
    judgement = fitted.inference(hearing.inputs(heard, None))
    return int(judgement.voice(Modality.SPEECH).shape[1])


@pytest.fixture
def adapter(tmp_path, checkpoint, loaded):
    made = make_adapter(tmp_path / "mina", read_info(checkpoint), functionals_of(loaded))
    save_adapter(made)
    return made


def said(seconds: float, index: int = 0, speaker: str | None = "A", **more) -> Utterance:
    samples = voice(seconds, seed=index)
    return Utterance(index, 0, samples.size, samples, speaker, **more)


def final(analyzer: ModelAnalyzer, utterance: Utterance, text=None) -> EmotionResult:
    result = analyzer.final(utterance, text)
    assert result is not None
    return replace(result, compute_seconds=0.0, attentions=())


def test_it_is_on_from_the_next_result_and_off_without_a_trace(analyzer, adapter):
    before = final(analyzer, said(1.5), ENGLISH)
    analyzer.use_personal(adapter.info)
    during = final(analyzer, said(1.5), ENGLISH)
    analyzer.use_personal(None)
    assert final(analyzer, said(1.5), ENGLISH) == before
    assert during.label == "disgust" != before.label
    assert during.model.personal == "Mina"
    assert before.model.personal == ""
    assert during.model.digest == before.model.digest


def test_it_corrects_speech_and_all_together_but_not_the_text_alone(analyzer, adapter):
    before = final(analyzer, said(1.5), ENGLISH)
    analyzer.use_personal(adapter.info)
    during = final(analyzer, said(1.5), ENGLISH)
    assert np.argmax(during.by_modality[Modality.SPEECH]) == DISGUST
    assert during.by_modality[Modality.TEXT] == before.by_modality[Modality.TEXT]
    assert final(analyzer, said(1.5)).label == "disgust"


def test_the_dialogue_model_gets_the_features_as_they_were(analyzer, adapter):
    before = final(analyzer, said(1.5), ENGLISH)
    analyzer.use_personal(adapter.info)
    during = final(analyzer, said(1.5), ENGLISH)
    for modality, features in before.features.items():
        assert np.array_equal(during.features[modality], features)


def test_partial_looks_and_long_utterances_are_corrected(analyzer, adapter):
    analyzer.use_personal(adapter.info)
    partial = analyzer.partial(replace(said(6.0), is_final=False), None)
    assert partial is not None
    assert partial.label == final(analyzer, said(40.0)).label == "disgust"
    assert partial.model.personal == "Mina"


def test_only_the_speakers_named_are_corrected(analyzer, adapter):
    other = final(analyzer, said(1.5, speaker="B"))
    analyzer.use_personal(adapter.info, ("A", "C"))
    assert final(analyzer, said(1.5)).model.personal == "Mina"
    assert final(analyzer, said(1.5, speaker="B")) == other
    assert final(analyzer, said(1.5, speaker=None)).model.personal == ""
    assert analyzer.model.personal == "Mina"


def test_an_adapter_that_says_nothing_changes_nothing(analyzer, tmp_path, checkpoint):
    size = functionals_of(analyzer)
    made = make_adapter(tmp_path / "none", read_info(checkpoint), size, strength=0.0)
    save_adapter(made)
    before = final(analyzer, said(1.5), ENGLISH)
    analyzer.use_personal(made.info)
    during = final(analyzer, said(1.5), ENGLISH)
    assert during.probabilities == pytest.approx(before.probabilities, abs=1e-6)


def test_the_voice_is_known_from_the_first_utterance_on(analyzer, adapter, tmp_path):
    heard = said(3.0, 1)
    analyzer.remember(heard)
    moments = analyzer._ready()[1].voice(heard)
    known = final(analyzer, said(1.5, 2))
    assert moments is not None
    save_adapter(replace(adapter, voice=moments, correcting=nothing(adapter)))
    analyzer.reset()
    raw = final(analyzer, said(1.5, 2))
    analyzer.use_personal(adapter.info, ("A",))
    first = final(analyzer, said(1.5, 2))
    assert first.baseline_seconds == known.baseline_seconds > 0
    assert first.probabilities == pytest.approx(known.probabilities, abs=1e-6)
    assert final(analyzer, said(1.5, 2, "B")).baseline_seconds == 0
    # what the session hears adds to it, and stays when the adapter is switched off
    analyzer.remember(said(2.0, 3))
    assert final(analyzer, said(1.5, 2)).baseline_seconds > first.baseline_seconds
    analyzer.use_personal(None)
    assert 0 < final(analyzer, said(1.5, 2)).baseline_seconds < first.baseline_seconds
    analyzer.reset()
    assert final(analyzer, said(1.5, 2)) == raw


def nothing(adapter):
    return replace(adapter.correcting, bias=np.zeros_like(adapter.correcting.bias))


def test_batches_are_corrected_as_single_utterances_are(analyzer, adapter):
    analyzer.use_personal(adapter.info, ("A",))
    utterances = [said(1.5), said(1.0, 1, "B"), said(9.0, 2)]
    alone = [final(analyzer, u) for u in utterances]
    together = analyzer.final_in_batches(utterances, [None] * 3)
    assert [r.model.personal for r in together if r] == ["Mina", "", "Mina"]
    for one, other in zip(alone, together, strict=True):
        assert other is not None
        assert other.probabilities == pytest.approx(one.probabilities, abs=1e-4)


def test_what_does_not_fit_is_refused_and_what_was_used_goes_on(analyzer, adapter, tmp_path):
    analyzer.use_personal(adapter.info)
    base = read_info(make_checkpoint(tmp_path / "other", seed=1))
    other = make_adapter(tmp_path / "ann", base, 3, name="Ann")
    save_adapter(other)
    with pytest.raises(CheckpointError, match="Ann"):
        analyzer.use_personal(other.info)
    with pytest.raises(CheckpointError, match="nowhere"):
        analyzer.use_personal(replace(adapter.info, path=tmp_path / "nowhere"))
    assert final(analyzer, said(1.5)).model.personal == "Mina"


def test_it_can_be_loaded_with_the_checkpoint(checkpoint, adapter):
    analyzer = load_analyzer(checkpoint, "cpu", personal=adapter.info)
    assert analyzer.model.personal == "Mina"
    assert final(analyzer, said(1.5)).label == "disgust"


def test_a_text_model_is_corrected_by_its_text(tmp_path):
    checkpoint = make_speech_text_checkpoint(tmp_path / "text", system="text")
    analyzer = load_analyzer(checkpoint, "cpu")
    before = final(analyzer, said(1.0), ENGLISH)
    fitted, hearing = analyzer._ready()
    tokens = fitted.loaded.processor.tokenize(ENGLISH.text)
    vector = fitted.inference(hearing.inputs(hearing.whole(said(1.0)), tokens)).voice(Modality.TEXT)
    other = next(label for label in before.labels if label != before.label)
    base, size = read_info(checkpoint), vector.shape[1]
    made = make_adapter(tmp_path / "mina", base, size, modality=Modality.TEXT, label=other)
    save_adapter(made)
    analyzer.use_personal(made.info)
    after = final(analyzer, said(1.0), ENGLISH)
    assert after.label == other
    assert after.model.personal == "Mina"


def test_switching_from_other_threads_never_mixes_two_answers(analyzer, adapter):
    off = final(analyzer, said(1.0)).probabilities
    analyzer.use_personal(adapter.info)
    on = final(analyzer, said(1.0)).probabilities
    stop = threading.Event()

    def switch() -> None:
        while not stop.is_set():
            analyzer.use_personal(None)
            analyzer.use_personal(adapter.info)

    thread = threading.Thread(target=switch, name="switching")
    thread.start()
    try:
        found = [final(analyzer, said(1.0)) for _ in range(40)]
    finally:
        stop.set()
        thread.join()
    for result in found:
        expected = on if result.model.personal else off
        assert result.probabilities == expected


# Sessions.


def session_with(analyzer, listener, journal=None) -> Session:
    return Session(
        ScriptedSource(conversation(0.8, 0.8, 0.8)),
        SessionSettings(live=False),
        analyzer,
        None,
        listener,
        journal,
        cutter=LoudnessCutter,
    )


def test_a_session_takes_it_before_the_start_and_keeps_it_on_disk(analyzer, adapter, tmp_path):
    events: list[object] = []
    journal = Journal(tmp_path / "sessions")
    session = session_with(analyzer, events.append, journal)
    session.use_personal(adapter.info)
    session.start()
    assert session.join(60)
    turns = session.history.snapshot()
    assert {t.emotion.model.personal for t in turns if t.emotion} == {"Mina"}
    ready = [e for e in events if isinstance(e, ModelReady)]
    assert [e.info.personal for e in ready] == ["Mina"]
    assert journal.folder is not None
    assert '"personal": "Mina"' in (journal.folder / "session.json").read_text()
    again = read_session(journal.folder)
    assert {t.emotion.model.personal for t in again.turns if t.emotion} == {"Mina"}


def test_an_adapter_that_cannot_be_used_costs_a_notice_not_the_session(analyzer, adapter, tmp_path):
    events: list[object] = []
    session = session_with(analyzer, events.append)
    session.use_personal(replace(adapter.info, path=tmp_path / "nowhere"))
    session.start()
    assert session.join(60)
    assert session.error is None
    notices = [e for e in events if isinstance(e, Notice) and e.message.code == UNAVAILABLE]
    assert [n.message.values["name"] for n in notices] == ["Mina"]
    assert len(session.history.snapshot()) == 3


def test_an_analyzer_without_adapters_goes_on_as_it_is():
    session = session_with(FakeAnalyzer(), lambda event: None)
    session.use_personal(None)
    session.start()
    assert session.join(60)
    assert session.error is None


def test_what_was_judged_ahead_is_judged_again_after_a_switch():
    analyzer = FakeAnalyzer()
    watch = ModelWatch(analyzer, lambda event: None)
    judging = Judging(analyzer, lambda n: None, watch, AheadRule(PauseWatch(), 0.5, 0.1))
    utterance = said(1.0)
    assert judging.ahead(replace(utterance, paused=True, is_final=False), None) is not None
    judging.renew()
    asked = len(analyzer.calls)
    judging.final(utterance, None)
    assert judging.counts.used == 0
    assert len(analyzer.calls) == asked + 1


def test_what_is_being_judged_ahead_during_a_switch_is_not_kept():
    analyzer = FakeAnalyzer()
    watch = ModelWatch(analyzer, lambda event: None)
    judging = Judging(analyzer, lambda n: None, watch, AheadRule(PauseWatch(), 0.5, 0.1))
    judge = analyzer.final

    def switched_meanwhile(utterance, transcript):
        result = judge(utterance, transcript)
        judging.renew()
        return result

    analyzer.final = switched_meanwhile
    utterance = said(1.0)
    judging.ahead(replace(utterance, paused=True, is_final=False), None)
    analyzer.final = judge
    judging.final(utterance, None)
    assert judging.counts.used == 0


def test_records_of_turns_keep_it_and_older_ones_still_open(analyzer, adapter):
    analyzer.use_personal(adapter.info)
    emotion = replace(final(analyzer, said(1.0)), features={})
    turn = Turn(0, 0, 16_000, "A", TurnStatus.FINAL, emotion=emotion)
    record = turn_to_record(turn)
    assert record["model"]["personal"] == "Mina"
    again = turn_from_record(record)
    assert again.emotion is not None
    assert again.emotion.model.personal == "Mina"
    del record["model"]["personal"]
    older = turn_from_record(record)
    assert older.emotion is not None
    assert older.emotion.model.personal == ""
    analyzer.use_personal(None)
    plain = turn_to_record(replace(turn, emotion=replace(emotion, model=analyzer.model)))
    assert "personal" not in plain["model"]


def test_moments_of_a_voice_are_copied_not_shared(analyzer):
    heard = said(2.0, 1)
    analyzer.remember(heard)
    moments = analyzer._ready()[1].voice(heard)
    assert isinstance(moments, SpeakerMoments)
    before = moments.frames.copy()
    analyzer.remember(said(2.0, 2))
    assert np.array_equal(moments.frames, before)

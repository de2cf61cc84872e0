"""A session goes on as another adapter of its base: at once, and without loading the base again."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import CheckpointError
from core.models import checkpoint as checkpoints
from core.models.manifest import check_same_base, read_info
from core.personal.adapter_files import save_adapter
from core.pipeline import threads
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer
from core.pipeline.checkpoint_switch import UNAVAILABLE
from core.pipeline.context import UtteranceModel
from core.pipeline.events import ModelReady, Notice
from core.pipeline.fitted_model import SWITCHED
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import EmotionResult, Modality, TurnStatus, Utterance
from tests.checkpoints import make_checkpoint, voice
from tests.fakes import FakeAnalyzer, FakeContext, LoudnessCutter, ScriptedSource, conversation
from tests.models.adapters.checkpoints import make_adapter, make_base
from tests.models.adapters.material import BOTTLENECK
from tests.personal.people import make_adapter as make_personal
from training.generated.encoders import write_encoder


@pytest.fixture(autouse=True)
def one_thread(monkeypatch) -> None:
    """Tiny encoders are faster so, above all on a busy machine."""
    monkeypatch.setattr(threads, "threads_for", lambda *_: 1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Return a base, two adapters of it, and an adapter of another base."""
    root = tmp_path_factory.mktemp("models")
    encoder = write_encoder("xls_r_like", root / "encoder")
    base = make_base(root / "base", encoder)
    other = make_base(root / "other", encoder, seed=5)
    return {
        "base": base,
        "one": make_adapter(root / "one", base, name="one"),
        "two": make_adapter(root / "two", base, name="two", config=BOTTLENECK, seed=3),
        "strange": make_adapter(root / "strange", other, name="strange"),
    }


@pytest.fixture
def loads(monkeypatch) -> list[Path]:
    """Return the folders that are loaded from now on."""
    found: list[Path] = []
    load = checkpoints.load_checkpoint

    def counted(directory, *more):
        found.append(Path(directory))
        return load(directory, *more)

    monkeypatch.setattr(checkpoints, "load_checkpoint", counted)
    return found


def said(index: int = 0, seconds: float = 1.2) -> Utterance:
    samples = voice(seconds, seed=index)
    return Utterance(index, 0, samples.size, samples, "A")


def judged(analyzer: ModelAnalyzer, utterance: Utterance) -> EmotionResult:
    result = analyzer.final(utterance, None)
    assert result is not None
    return result


def fresh(path: Path, utterance: Utterance, runtime: str = "torch") -> EmotionResult:
    return judged(load_analyzer(path, "cpu", runtime), utterance)


def alike(found: EmotionResult, wanted: EmotionResult) -> bool:
    same = (found.labels, found.model.digest) == (wanted.labels, wanted.model.digest)
    return same and found.probabilities == pytest.approx(wanted.probabilities, abs=1e-6)


def test_the_next_judgement_is_that_of_the_other_adapter_and_nothing_is_loaded(folders, loads):
    wanted = {name: fresh(folders[name], said()) for name in ("base", "one", "two")}
    assert not alike(wanted["one"], wanted["two"])
    analyzer = load_analyzer(folders["one"], "cpu", "torch")
    assert alike(judged(analyzer, said()), wanted["one"])
    del loads[:]
    for name in ("two", "one", "base", "two", "base", "one"):
        analyzer.use_checkpoint(folders[name])
        assert analyzer.model.name == read_info(folders[name]).name
        # the same utterance: what was kept of it under the other adapter must not answer
        assert alike(judged(analyzer, said()), wanted[name])
    assert loads == []


def test_a_growing_utterance_is_looked_at_with_the_other_adapter(folders):
    growing = replace(said(), is_final=False)
    analyzer = load_analyzer(folders["one"], "cpu", "torch")
    analyzer.partial(growing, None)
    analyzer.use_checkpoint(folders["two"])
    found = analyzer.partial(growing, None)
    wanted = load_analyzer(folders["two"], "cpu", "torch").partial(growing, None)
    assert found is not None
    assert wanted is not None
    assert alike(found, wanted)


def test_torch_answers_at_once_and_the_encoders_are_fitted_again_after_the_utterance(folders):
    analyzer = load_analyzer(folders["one"], "cpu")
    analyzer.warm_up()
    analyzer.use_checkpoint(folders["two"])
    assert [(r.name, r.detail) for r in analyzer.model.runtimes] == [("torch", SWITCHED)]
    wanted = fresh(folders["two"], said())
    assert alike(judged(analyzer, said()), wanted)
    analyzer.remember(said())
    assert [(r.name, r.reason) for r in analyzer.model.runtimes] == [("packed", "fallback")]
    assert alike(judged(analyzer, said(1)), fresh(folders["two"], said(1)))


def test_whoever_chose_torch_keeps_it(folders):
    analyzer = load_analyzer(folders["one"], "cpu", "torch")
    analyzer.warm_up()
    analyzer.use_checkpoint(folders["two"])
    analyzer.remember(said())
    assert [(r.name, r.reason) for r in analyzer.model.runtimes] == [("torch", "chosen")]


def test_before_it_is_loaded_it_loads_what_was_asked_for_last(folders, loads):
    analyzer = load_analyzer(folders["one"], "cpu", "torch")
    analyzer.use_checkpoint(folders["two"])
    analyzer.warm_up()
    assert folders["one"] not in loads
    assert alike(judged(analyzer, said()), fresh(folders["two"], said()))


def test_what_does_not_go_with_the_base_is_refused_and_the_adapter_goes_on(folders, tmp_path):
    analyzer = load_analyzer(folders["one"], "cpu", "torch")
    before = judged(analyzer, said())
    compact = make_checkpoint(tmp_path / "compact")
    for path in (folders["strange"], compact):
        with pytest.raises(CheckpointError, match="is loaded"):
            analyzer.use_checkpoint(path)
    with pytest.raises(CheckpointError, match="nowhere"):
        analyzer.use_checkpoint(tmp_path / "nowhere")
    assert alike(judged(analyzer, said()), before)


def test_a_damaged_adapter_is_refused_and_the_one_in_use_goes_on(folders, tmp_path):
    damaged = make_adapter(tmp_path / "damaged", folders["base"], seed=9)
    weights = bytearray((damaged / "adapter.safetensors").read_bytes())
    weights[-1] ^= 1
    (damaged / "adapter.safetensors").write_bytes(weights)
    analyzer = load_analyzer(folders["one"], "cpu", "torch")
    before = judged(analyzer, said())
    with pytest.raises(CheckpointError, match="sha256 differs"):
        analyzer.use_checkpoint(damaged)
    assert alike(judged(analyzer, said(7)), fresh(folders["one"], said(7)))
    assert alike(judged(analyzer, said()), before)


def test_a_personal_adapter_goes_with_the_checkpoint_it_was_made_for(folders, tmp_path):
    analyzer = load_analyzer(folders["one"], "cpu", "torch")
    fitted, hearing = analyzer._ready()
    judgement = fitted.inference(hearing.inputs(hearing.whole(said()), None))
    size = judgement.voice(Modality.SPEECH).shape[1]
    made = make_personal(tmp_path / "mina", read_info(folders["one"]), size)
    save_adapter(made)
    analyzer.use_personal(made.info)
    assert judged(analyzer, said()).model.personal == "Mina"
    analyzer.use_checkpoint(folders["two"])
    assert analyzer.model.personal == ""
    assert alike(judged(analyzer, said()), fresh(folders["two"], said()))
    with pytest.raises(CheckpointError, match="Mina"):
        analyzer.use_personal(made.info)


def test_switching_from_another_thread_never_mixes_two_models(folders):
    wanted = {read_info(folders[n]).digest: fresh(folders[n], said()) for n in ("one", "two")}
    analyzer = load_analyzer(folders["one"], "cpu", "torch")
    analyzer.warm_up()
    stop = threading.Event()

    def switch() -> None:
        names = itertools.cycle(("two", "one"))
        while not stop.wait(0.002):
            analyzer.use_checkpoint(folders[next(names)])

    thread = threading.Thread(target=switch, name="switching")
    thread.start()
    try:
        found = [judged(analyzer, said()) for _ in range(15)]
    finally:
        stop.set()
        thread.join()
    assert all(alike(result, wanted[result.model.digest]) for result in found)


def test_a_base_goes_with_its_adapters_and_with_nothing_else(folders):
    infos = {name: read_info(path) for name, path in folders.items()}
    check_same_base(infos["base"], infos["one"])
    check_same_base(infos["one"], infos["base"])
    check_same_base(infos["one"], infos["two"])
    with pytest.raises(CheckpointError):
        check_same_base(infos["base"], infos["strange"])


# Sessions.


class Watched(ModelAnalyzer):
    """Keeps what was judged."""

    def final(self, utterance, transcript):
        result = super().final(utterance, transcript)
        self.judged = [*getattr(self, "judged", []), (utterance, result)]
        return result


def watched(path: Path) -> Watched:
    made = load_analyzer(path, "cpu", "torch")
    return Watched(made._info, made._wishes)


def on_another_thread(work) -> None:
    thread = threading.Thread(target=work, name="user")
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize("live", [True, False])
def test_a_session_switches_between_two_turns(folders, events, loads, live):
    analyzer = watched(folders["one"])
    switches = ["two", "one"]

    def listener(event) -> None:
        finals = len({t.index for t in events.finals()})
        events(event)
        if len({t.index for t in events.finals()}) > finals and switches:
            on_another_thread(lambda: session.use_checkpoint(folders[switches.pop(0)]))

    session = Session(
        ScriptedSource(conversation(0.8, 0.8, 0.8), realtime=live, rate=4.0),
        SessionSettings(live=live),
        analyzer,
        None,
        listener,
        cutter=LoudnessCutter,
    )
    session.start()
    assert session.join(60)
    assert session.error is None
    assert loads == [folders["one"], folders["base"]]  # and no more for the two switches
    turns = [turn for turn in session.history.snapshot() if turn.status is TurnStatus.FINAL]
    assert [t.emotion.model.name for t in turns if t.emotion] == ["one", "two", "one"]
    told = [name for name, _ in itertools.groupby(e.info.name for e in events.of(ModelReady))]
    assert told == ["one", "two", "one"]
    given = {u.index: u for u, _ in analyzer.judged}  # the newest; paused, or over
    for turn in turns:
        wanted = fresh(folders[turn.emotion.model.name], given[turn.index])
        assert alike(turn.emotion, wanted)


def session_with(analyzer, listener, context=None) -> Session:
    source = ScriptedSource(conversation(0.8, 0.8, 0.8))
    settings = SessionSettings(live=False)
    return Session(
        source, settings, analyzer, None, listener, cutter=LoudnessCutter, context=context
    )


def test_what_was_asked_for_before_the_start_counts_from_the_first_turn(folders, events):
    session = session_with(load_analyzer(folders["one"], "cpu", "torch"), events)
    session.use_checkpoint(folders["two"])
    session.start()
    assert session.join(60)
    names = {t.emotion.model.name for t in session.history.snapshot() if t.emotion}
    assert names == {"two"}


def test_a_checkpoint_that_cannot_be_used_costs_a_notice_not_the_session(folders, events):
    session = session_with(load_analyzer(folders["one"], "cpu", "torch"), events)
    session.use_checkpoint(folders["strange"])
    session.start()
    assert session.join(60)
    assert session.error is None
    notices = [e for e in events.of(Notice) if e.message.code == UNAVAILABLE]
    assert [n.message.values["name"] for n in notices] == ["strange"]
    assert len(events.finals()) == 3


def test_an_analyzer_that_cannot_switch_says_so(folders, events):
    session = session_with(FakeAnalyzer(), events)
    session.start()
    assert session.join(60)
    with pytest.raises(CheckpointError, match="can't become"):
        session.use_checkpoint(folders["two"])


class Reading(FakeContext):
    """Notes which turns it was given."""

    def add(self, turn, features):
        self.read = [*getattr(self, "read", []), turn.index]
        return (turn,)

    def finish(self):
        return ()


def test_a_dialogue_model_gets_no_features_of_another_checkpoint(folders, events):
    info = read_info(folders["one"])
    context = Reading(trained_on=UtteranceModel(info.name, info.digest))
    switches = ["two", "one"]

    def listener(event) -> None:
        finals = len({t.index for t in events.finals()})
        events(event)
        if len({t.index for t in events.finals()}) > finals and switches:
            on_another_thread(lambda: session.use_checkpoint(folders[switches.pop(0)]))

    session = session_with(load_analyzer(folders["one"], "cpu", "torch"), listener, context)
    session.start()
    assert session.join(60)
    assert len(session.history.snapshot()) == 3
    assert context.read == [0, 2]
    assert events.notices().count("context_other_model") == 1

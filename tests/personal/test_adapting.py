"""From corrections to an adapter that is kept because it helps, through the real path."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import CheckpointError
from core.models.specification import Problem
from core.personal import adapting
from core.personal.adapter_files import load_adapter, read_adapter_info
from core.personal.adapting import LEAST_CORRECTIONS, adapt, why_not
from core.personal.catalog import adapters, remove_adapter
from core.personal.corrections import LEFT_ALONE, CorrectionStore
from core.pipeline.analyzer import load_analyzer
from core.types import Modality, Transcript, Utterance
from tests.checkpoints import make_checkpoint, make_speech_text_checkpoint
from tests.personal.people import clip, correct

COUNT = 16


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def store(tmp_path) -> CorrectionStore:
    return CorrectionStore(tmp_path / "personal")


@pytest.fixture(autouse=True)
def mistakes_are_enough(monkeypatch):
    """Random weights are hardly ever right; what that means has a test of its own."""
    monkeypatch.setattr(adapting, "LEAST_RIGHT", 0.0)


def files_of(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def labels_of(checkpoint: Path, store: CorrectionStore, *, personal: bool) -> list[str]:
    """What a session says of turns of the person that nobody labelled."""
    analyzer = load_analyzer(checkpoint, "cpu")
    analyzer.use_personal(adapters(store.folder)[0] if personal else None)
    said = []
    for number in range(100, 108):
        samples = clip(("sad", "happy")[number % 2], number)
        result = analyzer.final(Utterance(number, 0, samples.size, samples, "A"), None)
        assert result is not None
        assert result.model.personal == ("Mina" if personal else "")
        said.append(result.label)
    return said


def test_a_person_is_learned_and_nothing_else_is_touched(checkpoint, store):
    correct(store, COUNT)
    before, clips = files_of(checkpoint), files_of(store.folder)
    steps: list[tuple[int, int]] = []
    report = adapt(store, "Mina", checkpoint, lambda done, total: steps.append((done, total)))
    assert report.reason == "kept"
    assert (report.corrections, report.skipped) == (COUNT, 0)
    assert report.gain is not None
    assert report.gain.judged == COUNT
    assert report.gain.low <= report.gain.after - report.gain.before <= report.gain.high
    assert report.gain.after > 0.9
    assert adapters(store.folder) == (report.adapter,)
    truth = ["sad", "happy"] * 4
    assert labels_of(checkpoint, store, personal=True) == truth
    assert labels_of(checkpoint, store, personal=False) != truth
    assert files_of(checkpoint) == before
    assert clips.items() <= files_of(store.folder).items()
    assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
    assert {total for _, total in steps} == {len(steps)}


def test_the_same_corrections_make_the_same_adapter(checkpoint, store):
    correct(store, COUNT)
    found = []
    for _ in range(2):
        report = adapt(store, "Mina", checkpoint)
        assert report.adapter is not None
        found.append(load_adapter(report.adapter.path).correcting)
    assert np.array_equal(found[0].matrix, found[1].matrix)


def test_labels_that_mean_nothing_are_not_kept(checkpoint, store):
    random = np.random.default_rng(5)
    for number in range(COUNT):
        store.add(
            clip(str(random.choice(["sad", "happy"])), number),
            person="Mina",
            label=("sad", "happy")[number % 2],
            start=float(number),
        )
    report = adapt(store, "Mina", checkpoint)
    assert report.reason == "no_gain"
    assert report.gain is not None
    assert report.adapter is None
    assert adapters(store.folder) == ()


def test_an_older_adapter_stays_until_a_newer_one_is_kept(checkpoint, store):
    correct(store, COUNT)
    kept = adapt(store, "Mina", checkpoint).adapter
    assert kept is not None
    for correction in store.all("Mina")[2:]:
        store.remove(correction)
    assert adapt(store, "Mina", checkpoint).reason == "too_few"
    assert adapters(store.folder) == (kept,)


@pytest.mark.parametrize(
    ("count", "label", "reason"),
    [(0, None, "too_few"), (LEAST_CORRECTIONS - 1, None, "too_few"), (12, "sad", "one_label")],
)
def test_too_little_to_learn_from_is_said_at_once(
    checkpoint, store, monkeypatch, count, label, reason
):
    correct(store, count, **({"label": label} if label else {}))
    monkeypatch.setattr("core.personal.evidence.Witness", None)  # no model is loaded for that
    report = adapt(store, "Mina", checkpoint)
    assert (report.reason, report.gain, report.corrections) == (reason, None, count)


def test_mistakes_alone_are_refused(checkpoint, store, monkeypatch):
    monkeypatch.setattr(adapting, "LEAST_RIGHT", 1.01)
    correct(store, COUNT)
    assert adapt(store, "Mina", checkpoint).reason == "only_wrong"
    assert adapters(store.folder) == ()


def test_unusable_corrections_are_left_out_and_counted(checkpoint, store):
    correct(store, COUNT)
    store.add(clip("sad", 50), person="Mina", label="nostalgic", start=50.0)
    missing, damaged = store.all("Mina")[:2]
    folder = next(store.folder.glob("*/clips"))
    (folder / f"{missing.id}.flac").unlink()
    (folder / f"{damaged.id}.flac").write_bytes(b"no sound")
    report = adapt(store, "Mina", checkpoint)
    assert (report.corrections, report.skipped) == (COUNT - 2, 3)


def test_it_ends_without_a_trace_at_any_step(checkpoint, store):
    correct(store, COUNT)
    steps: list[int] = []
    adapt(store, "Mina", checkpoint, lambda done, total: steps.append(done))
    remove_adapter(adapters(store.folder)[0])
    before = files_of(store.folder)
    for last in (0, 1, COUNT, 2 * COUNT, len(steps) - 2):
        done: list[int] = []
        report = adapt(
            store,
            "Mina",
            checkpoint,
            lambda d, t, done=done: done.append(d),
            lambda done=done, last=last: len(done) >= last,
        )
        assert report.reason == "cancelled"
        assert len(done) == last  # it was asked after each step, and went no further
        assert files_of(store.folder) == before


def test_what_is_no_checkpoint_is_refused(store, tmp_path):
    correct(store, COUNT)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        adapt(store, "Mina", tmp_path)


def test_turns_that_were_left_alone_count_for_less(checkpoint, store):
    from core.models.manifest import read_info
    from core.personal.evidence import Spoken, Witness

    correct(store, 4)
    correct(store, 4, source="other.wav", weight=LEFT_ALONE)
    corrections = store.all("Mina")
    info = read_info(checkpoint)
    witness = Witness(info)
    evidence = list(witness.judge([Spoken(store.clip(c.id)) for c in corrections]))
    lessons = adapting.lessons_of(info, list(zip(corrections, evidence, strict=True)))  # type: ignore[arg-type]
    own = np.array([1.0] * 4 + [LEFT_ALONE] * 4)
    weights, wrong = lessons.weights(), lessons.wrong()
    for group in (wrong, ~wrong):
        ratio = weights[group] / own[group]
        assert ratio == pytest.approx(np.full(ratio.shape, ratio[0] if ratio.size else 0))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("early", {"problem": Problem.MULTI_LABEL}),
        ("early", {"pretrained": True}),
        ("text", {}),
        ("speech", {"pretrained": True}),
    ],
)
def test_any_checkpoint_can_be_adapted(tmp_path, store, kind, options):
    checkpoint = make_speech_text_checkpoint(tmp_path / "other", system=kind, **options)
    texts = {"sad": "why are you angry with me", "happy": "I am so happy to see you today"}
    for number in range(COUNT):
        label = ("sad", "happy")[number % 2]
        store.add(
            clip(label, number), person="Mina", label=label, text=texts[label], language="en",
            start=float(number),
        )  # fmt: skip
    report = adapt(store, "Mina", checkpoint)
    assert report.reason in ("kept", "no_gain")
    assert report.corrections == COUNT
    if report.adapter is None:
        return
    analyzer = load_analyzer(checkpoint, "cpu")
    adapter = load_adapter(report.adapter.path)
    samples = clip("sad", 70)
    said = Utterance(0, 0, samples.size, samples)
    transcript = Transcript(texts["sad"], language="en")
    before = analyzer.final(said, transcript)
    analyzer.use_personal(report.adapter)
    after = analyzer.final(said, transcript)
    assert before is not None
    assert after is not None
    assert after.probabilities != before.probabilities
    assert after.model.personal == "Mina"
    assert adapter.modality is (Modality.TEXT if kind == "text" else Modality.SPEECH)


def test_why_not_is_told_from_the_labels():
    assert why_not(["sad"] * 9) == "too_few"
    assert why_not(["sad"] * 10) == "one_label"
    assert why_not(["sad"] * 9 + ["happy"]) is None


def test_who_is_forgotten_meanwhile_leaves_no_adapter(checkpoint, store):
    correct(store, COUNT)
    steps: list[int] = []
    adapt(store, "Mina", checkpoint, lambda done, total: steps.append(done))
    last = len(steps) - 2
    report = adapt(
        store, "Mina", checkpoint, lambda d, t: store.clear("Mina") if d == last else None
    )
    assert report.reason == "cancelled"
    assert report.adapter is None
    assert not [p for p in store.folder.rglob("*") if p.name != "lock"]


@pytest.mark.parametrize("weight", [1.0, LEFT_ALONE])
def test_it_is_said_whether_all_turns_counted_alike(checkpoint, store, weight):
    correct(store, COUNT)
    correct(store, COUNT // 2, source="other.wav", weight=weight)
    report = adapt(store, "Mina", checkpoint)
    assert report.adapter is not None
    assert read_adapter_info(report.adapter.path).gain == report.gain == report.adapter.gain
    card = (report.adapter.path / "README.md").read_text(encoding="utf-8")
    assert report.adapter.gain.weighed == (weight < 1) == ("did not all count alike" in card)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_what_is_personal_is_for_the_user_alone(store):
    correct(store, 1)
    assert store.folder.stat().st_mode & 0o077 == 0


def test_removing_an_adapter_removes_half_written_ones_too(checkpoint, store):
    correct(store, COUNT)
    adapter = adapt(store, "Mina", checkpoint).adapter
    assert adapter is not None
    half = adapter.path.with_name(f".{adapter.path.name}.tmp123")
    half.mkdir()
    (half / "adapter.safetensors").write_bytes(b"half")
    remove_adapter(adapter)
    assert not list(adapter.path.parent.iterdir())

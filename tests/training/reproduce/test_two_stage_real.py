"""The real comparison on a few made-up clips: batches, frozen bases, figures, and the command."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ConfigError
from core.models.two_stage_config import EMOTION, GENDER
from tests.training.sounds import voice, write_wav
from training.compact_encoders import read_speech_config
from training.evaluation.metrics import Estimate, unweighted_average_recall
from training.multitask.targets import UNKNOWN
from training.progress import Reporter
from training.reproduce import two_stage_real
from training.reproduce.options import ReproduceOptions
from training.reproduce.two_stage_real_batches import Sampling, TaskBatches
from training.reproduce.two_stage_real_claims import CONTRARY, HOLDS, OPEN, verdict
from training.reproduce.two_stage_real_figures import (
    CER,
    UA,
    estimate_of,
    figures_of,
    judged_clips,
    of,
)
from training.reproduce.two_stage_real_kept import KeptTrainings, key_of
from training.reproduce.two_stage_real_markdown import markdown
from training.reproduce.two_stage_real_parts import Fold, folds_of
from training.reproduce.two_stage_real_plan import ROWS, TRAININGS, chain, training
from training.reproduce.two_stage_real_report import reproduction
from training.reproduce.two_stage_real_runs import lesson_of
from training.reproduce.two_stage_real_training import (
    Lesson,
    RealRecipe,
    Said,
    Start,
    build,
    train_and_judge,
)
from training.speech import SpeechCorpus, load_corpus, quick_config

WORDS = ("door", "lamp", "river", "cloud", "spoon", "tiger", "paper", "window", "garden", "button",
         "mirror", "bottle")  # fmt: skip
EMOTIONS = ("neutral", "happy", "sad")
TINY = RealRecipe(dim=16, blocks=1, attention_layers=1, sampling=Sampling(steps=2, batch=8))
REPORTS = Path(two_stage_real.__file__).resolve().parents[1] / "reports"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three speakers of `nemo` with twelve scripts, and of `ravdess` with two."""
    folder = tmp_path_factory.mktemp("data")
    rows: list[list[object]] = []
    for s in range(3):
        said = [("nemo", f"{s}_{k}", w, EMOTIONS[k % 3]) for k, w in enumerate(WORDS)]
        said += [
            ("ravdess", f"03-01-0{k}-0{1 + k % 2}-01-01-0{s}", WORDS[k % 2], EMOTIONS[k % 3])
            for k in range(1, 7)
        ]
        for corpus, name, text, emotion in said:
            path = f"{corpus}/{s}/{name}.wav"
            write_wav(folder / "speech" / path, voice(0.6, seed=len(rows)))
            rows.append([path, corpus, "", f"S{s}", "FM"[s % 2], "en", emotion, text, 0.6])
    with (folder / "speech" / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        head = "path,corpus,subset,speaker,gender,language,emotion,text,duration_s"
        csv.writer(file).writerows([head.split(","), *rows])
    return folder


@pytest.fixture(scope="module")
def corpus(data: Path, tmp_path_factory: pytest.TempPathFactory) -> SpeechCorpus:
    config = quick_config(read_speech_config(two_stage_real.RECIPE))
    measured = tmp_path_factory.mktemp("measured")
    return load_corpus(data, config, measured, Reporter(silent=True), quick=True)


@pytest.fixture(scope="module")
def fold(corpus: SpeechCorpus) -> Fold:
    return folds_of(corpus.clips, corpus.banks[0].digests)[0]


@pytest.fixture(scope="module")
def lesson(corpus: SpeechCorpus, fold: Fold) -> Lesson:
    return lesson_of(corpus, fold, TINY)


def test_an_epoch_is_the_same_for_the_same_seed_and_of_training_clips_alone(
    lesson: Lesson,
) -> None:
    batches = TaskBatches(lesson.source, lesson.train, TINY.sampling, TINY.augmentation)
    one, again = (list(batches(0, np.random.default_rng(3))) for _ in range(2))
    assert len(one) == TINY.sampling.steps
    for a, b in zip(one, again, strict=True):
        assert a.inputs.speech is not None
        assert b.inputs.speech is not None
        assert torch.equal(a.inputs.speech, b.inputs.speech)
        assert set(a.rows.tolist()) <= set(lesson.train.tolist())
        assert len(a.rows) == TINY.sampling.batch


def test_targets_are_those_of_the_clips_and_style_is_known_of_ravdess_alone(
    lesson: Lesson,
) -> None:
    batches = TaskBatches(lesson.source, lesson.train, TINY.sampling, TINY.augmentation)
    for batch in batches(0, np.random.default_rng(1)):
        for at, row in enumerate(batch.rows.tolist()):
            clip = lesson.source.speech.clips[row]
            assert batch.targets.emotion[at] == clip.label
            assert (batch.targets.style[at] == UNKNOWN) == (clip.corpus != "ravdess")
            numbers = batch.targets.symbols[at, : batch.targets.symbol_counts[at]]
            assert lesson.vocabulary.decode(numbers.tolist()) == clip.text


def test_a_clip_that_was_cropped_has_no_text(lesson: Lesson) -> None:
    short = replace(TINY.augmentation, crop=10)
    for batch in TaskBatches(lesson.source, lesson.train, TINY.sampling, short)(
        0, np.random.default_rng(0)
    ):
        assert not batch.targets.symbol_counts.any()


@pytest.mark.parametrize("name", ["setting1", "setting3", "scl_cos"])
def test_what_adapters_are_trained_beside_stays_bit_for_bit(lesson: Lesson, name: str) -> None:
    starts: list[Start] = []
    for stage in chain(name):
        short = replace(stage, trainer=replace(stage.trainer, epochs=1))
        given = starts[-1] if starts else None
        left, said = train_and_judge(short, lesson, given, Reporter(silent=True))
        starts.append(left)
    before, start = starts[-2:]
    assert before.encoder.keys() == start.encoder.keys()
    assert all(torch.equal(start.encoder[n], x) for n, x in before.encoder.items())
    assert start.adapters
    trained, every = said.parameters
    assert 0 < trained < every
    assert all(np.isfinite(x).all() for x in said.logits.values())


def test_setting_1_goes_on_with_the_adapters_of_its_first_stage(lesson: Lesson) -> None:
    start = None
    for stage in chain("setting1")[:-1]:
        short = replace(stage, trainer=replace(stage.trainer, epochs=1))
        start, _ = train_and_judge(short, lesson, start, Reporter(silent=True))
    assert start is not None
    model = build(training("setting1"), lesson, start)
    from core.models.adapters import adapter_state

    loaded = adapter_state(model.speech)
    assert loaded.keys() == start.adapters.keys()
    assert all(torch.equal(loaded[name], x) for name, x in start.adapters.items())


def test_a_key_changes_with_the_first_stage_the_recipe_and_the_seed(lesson: Lesson) -> None:
    keys = {key_of(stage.name, lesson) for stage in TRAININGS}
    keys.add(key_of("setting3", replace(lesson, seed=5)))
    keys.add(key_of("setting3", replace(lesson, recipe=replace(TINY, dim=24))))
    keys.add(key_of("setting3", replace(lesson, train=lesson.train[1:])))
    assert len(keys) == len(TRAININGS) + 3


def test_a_damaged_file_is_trained_again(lesson: Lesson, tmp_path: Path) -> None:
    stage = replace(training("full_ser"), trainer=replace(training("full_ser").trainer, epochs=1))
    start, said = train_and_judge(stage, lesson, None, Reporter(silent=True))
    kept = KeptTrainings(tmp_path, resume=True)
    kept.keep("x", start, said)
    found = kept.find("x")
    assert found is not None
    assert np.array_equal(found[1].logits[EMOTION], said.logits[EMOTION])
    assert all(torch.equal(found[0].encoder[n], x) for n, x in start.encoder.items())
    assert KeptTrainings(tmp_path, resume=False).find("x") is None
    (tmp_path / "x.safetensors").write_bytes(b"damaged")
    assert kept.find("x") is None


def answers(fold: Fold, corpus: SpeechCorpus, seed: int) -> Said:
    generator = np.random.default_rng(seed)
    logits = {
        EMOTION: generator.normal(size=(len(fold.test), 7)).astype(np.float32),
        GENDER: generator.normal(size=(len(fold.test), 2)).astype(np.float32),
    }
    texts = tuple(corpus.clips[row].text for row in fold.test)
    return Said(logits, texts, (1, 2), 1.0)


def test_figures_are_recalls_of_the_corpus_s_own_emotions(corpus: SpeechCorpus) -> None:
    folds = folds_of(corpus.clips)
    judged = judged_clips(corpus.clips, folds)
    said = [answers(fold, corpus, fold.number) for fold in folds]
    found = figures_of(judged, [said], recognises=True)
    logits = np.concatenate([x.logits[EMOTION] for x in said])
    known = sorted({c.label for c in corpus.clips if c.label is not None})
    chosen = np.array(known)[logits[:, known].argmax(axis=1)]
    mine = np.array([c.corpus == "nemo" for c in judged.spoken]) & judged.honest
    truth = np.array([c.label for c in judged.spoken])
    expected = unweighted_average_recall(truth[mine], chosen[mine])
    assert found[of(UA, "nemo")][0] == pytest.approx(expected)
    assert found[UA][0] == pytest.approx((expected + found[of(UA, "ravdess")][0]) / 2)
    assert found[of(CER, "nemo")][0] == 0.0
    assert of(CER, "ravdess") not in found


def test_a_seed_more_gives_the_mean_and_a_row_differs_from_itself_by_nothing(
    corpus: SpeechCorpus,
) -> None:
    folds = folds_of(corpus.clips)
    judged = judged_clips(corpus.clips, folds)
    seeds = [[answers(fold, corpus, 10 * s + fold.number) for fold in folds] for s in range(2)]
    one, other = (figures_of(judged, [said], recognises=False) for said in seeds)
    both = figures_of(judged, seeds, recognises=False)
    assert both[UA][0] == pytest.approx((one[UA][0] + other[UA][0]) / 2)
    nothing = estimate_of(one[UA] - one[UA])
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)
    assert of(CER, "nemo") not in one


def test_a_verdict_needs_an_interval_on_one_side_of_zero() -> None:
    assert verdict(Estimate(0.02, 0.01, 0.03), 1.0) == HOLDS
    assert verdict(Estimate(0.02, 0.01, 0.03), -1.0) == CONTRARY
    assert verdict(Estimate(-0.02, -0.03, -0.01), 1.0) == CONTRARY
    assert verdict(Estimate(0.02, -0.01, 0.03), 1.0) == OPEN


def options(data: Path, out: Path, **given: object) -> ReproduceOptions:
    reporter = Reporter(silent=True)
    plain = ReproduceOptions("two-stage", out, data, quick=True, folds=1, reporter=reporter)
    return replace(plain, **given)  # type: ignore[arg-type]


def test_a_quick_run_writes_figures_and_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    asked = options(data, tmp_path, rows=("full_all", "setting3", "concat"))
    found = two_stage_real.run(asked)
    content = json.loads((tmp_path / "two_stage_real.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in content["rows"]] == ["full_all", "setting3", "concat"]
    assert (tmp_path / "two_stage_real.md").read_text(encoding="utf-8") == markdown(content)
    assert {row.name for table in found.tables for row in table.published} >= {"setting3", "1"}
    kept = tmp_path / "quick" / "trainings"
    written = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert len(written) == 4  # with the first stage, once
    again = two_stage_real.run(replace(asked, resume=True))
    assert {path.name: path.stat().st_mtime_ns for path in kept.iterdir()} == written
    for table, other in zip(found.tables, again.tables, strict=True):
        assert {n: r.figures for n, r in table.results.items()} == {
            n: r.figures for n, r in other.results.items()
        }


def test_what_means_nothing_here_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--speech"):
        two_stage_real.run(options(data, tmp_path, speech="wav2vec2"))
    with pytest.raises(ConfigError, match="no row 9"):
        two_stage_real.run(options(data, tmp_path, rows=("9",)))


def test_the_report_s_figures_are_those_of_its_json() -> None:
    content = json.loads((REPORTS / "two_stage_real.json").read_text(encoding="utf-8"))
    text = (REPORTS / "two_stage_real.md").read_text(encoding="utf-8")
    assert markdown(content) in text
    assert [row["name"] for row in content["rows"]] == [row.name for row in ROWS]
    assert len(reproduction(content, 0.0).tables) == 5


def test_the_report_tells_what_a_second_seed_gave() -> None:
    content = json.loads((REPORTS / "two_stage_real_seeds.json").read_text(encoding="utf-8"))
    text = (REPORTS / "two_stage_real.md").read_text(encoding="utf-8")
    told = content["claims"][0]["difference"]
    value, low, high = (f"{100 * told[name]:+.1f}" for name in ("value", "low", "high"))
    assert f"{value} [{low}, {high}]" in text.replace("\n", " ")
    assert [row["seeds"] for row in content["rows"]] == [2, 2]

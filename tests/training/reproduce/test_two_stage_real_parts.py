"""Nobody and nothing is in two parts of the real comparison, and every row has the same budget."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import CorpusError
from core.models.two_stage_config import EMOTION, RECOGNITION
from training.data.corpora.speech import Clip, read_manifest
from training.data.splits import script_groups
from training.multitask.config import ADAPTERS, HEADS
from training.multitask.targets import UNKNOWN
from training.reproduce import two_stage_real_plan as plan
from training.reproduce.two_stage_real_batches import gender_of, style_of
from training.reproduce.two_stage_real_parts import FOLDS, folds_of, script_parts

EMOTIONS = ("neutral", "happy", "sad")
WORDS = ("door", "lamp", "river", "cloud", "spoon", "tiger", "paper", "window", "garden", "button",
         "mirror", "bottle")  # fmt: skip


def clip(corpus: str, speaker: int, text: str, emotion: str) -> Clip:
    path = f"{corpus}/{speaker}/{text}/{emotion}"
    gender = "FM"[speaker % 2]
    return Clip(path, corpus, "", f"{corpus}/{speaker}", gender, "en", emotion, text, 1.0)


def balanced(corpus: str = "a") -> list[Clip]:
    """Six speakers say twelve scripts in three emotions each."""
    return [clip(corpus, s, w, e) for s in range(6) for w in WORDS for e in EMOTIONS]


def telling(corpus: str = "b") -> list[Clip]:
    """Six speakers say twelve scripts, each in one emotion."""
    return [clip(corpus, s, w, EMOTIONS[k % 3]) for s in range(6) for k, w in enumerate(WORDS)]


def two_sentences(corpus: str = "c") -> list[Clip]:
    """Six speakers say two sentences in three emotions."""
    return [clip(corpus, s, w, e) for s in range(6) for w in WORDS[:2] for e in EMOTIONS]


def test_no_speaker_is_in_two_parts_and_every_clip_is_judged_once() -> None:
    clips = [*balanced(), *telling(), *two_sentences()]
    folds = folds_of(clips)
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(len(clips)))
    for fold in folds:
        taught = {clips[row].speaker for row in fold.train}
        assert not taught & {clips[row].speaker for row in fold.test}


def test_nobody_in_the_training_part_says_a_script_that_recognition_is_judged_on() -> None:
    clips = [*balanced(), *telling(), *two_sentences()]
    for fold in folds_of(clips):
        taught = {(clips[row].corpus, clips[row].text) for row in fold.train}
        judged = {(clips[row].corpus, clips[row].text) for row in fold.test[fold.unsaid]}
        assert {corpus for corpus, _ in judged} == {"a", "b"}
        assert not taught & judged


def test_a_corpus_of_two_sentences_holds_none_out() -> None:
    assert set(script_parts(two_sentences()).tolist()) == {-1}


def test_spellings_of_a_script_stay_in_one_part() -> None:
    clips = [*balanced(), *(clip("a", s, f"{WORDS[0]}!", "sad") for s in range(6))]
    parts = script_parts(clips)
    spelled = {int(p) for p, c in zip(parts, clips, strict=True) if c.text.startswith(WORDS[0])}
    assert len(spelled) == 1


def test_where_words_tell_the_emotion_only_unsaid_scripts_count() -> None:
    clips = [*balanced(), *telling()]
    for fold in folds_of(clips):
        for row, honest, unsaid in zip(fold.test, fold.honest, fold.unsaid, strict=True):
            assert honest == (clips[row].corpus == "a" or unsaid)
        assert not fold.honest.all()


def test_identical_audio_of_two_speakers_is_refused() -> None:
    clips = balanced()
    digests = [c.path for c in clips]
    digests[-1] = digests[0]
    assert clips[0].speaker != clips[-1].speaker
    with pytest.raises(CorpusError, match="audio"):
        folds_of(clips, digests)


def test_too_few_speakers_are_refused() -> None:
    with pytest.raises(CorpusError, match="speakers"):
        folds_of([c for c in balanced() if c.speaker in ("a/0", "a/1")])


def test_the_real_clips_are_parted_by_speaker_and_script(shared_data: Path) -> None:
    clips = read_manifest(shared_data / "speech")
    folds = folds_of(clips)
    assert len(folds) == FOLDS
    scripts = {
        name: script_groups([c.text for c in clips if c.corpus == name])
        for name in {c.corpus for c in clips}
    }
    for fold in folds:
        train, test = ([clips[row] for row in rows] for rows in (fold.train, fold.test))
        assert not {c.speaker for c in train} & {c.speaker for c in test}
        assert {c.corpus for c in train} == {c.corpus for c in test} == set(scripts)
        unsaid = [clips[row] for row in fold.test[fold.unsaid]]
        assert {c.corpus for c in unsaid} == {"nemo", "emotiontts_ko"}
        taught = {(c.corpus, scripts[c.corpus][c.text]) for c in train}
        assert not taught & {(c.corpus, scripts[c.corpus][c.text]) for c in unsaid}
        for row in fold.test[~fold.honest]:
            assert clips[row].subset == "emotional-to-emotional"


def test_style_is_the_intensity_in_the_name_and_unknown_elsewhere() -> None:
    def named(corpus: str, name: str) -> Clip:
        return Clip(f"x/{name}", corpus, "", f"{corpus}/s", "M", "en", "sad", "t", 1.0)

    assert style_of(named("ravdess", "03-01-05-01-02-01-12.flac")) == 0
    assert style_of(named("ravdess", "03-01-05-02-02-01-12.flac")) == 1
    assert style_of(named("ravdess", "clip.flac")) == UNKNOWN
    assert style_of(named("nemo", "03-01-05-02-02-01-12.flac")) == UNKNOWN
    assert gender_of(named("nemo", "a")) == 1


def test_every_row_has_the_same_steps_besides_the_base_of_adapters() -> None:
    for row in plan.ROWS:
        stages = [stage for stage in plan.chain(row.name) if stage.name != plan.BASE]
        assert sum(stage.trainer.epochs for stage in stages) == plan.SINGLE_EPOCHS
        assert stages[-1].name == row.name


def test_every_training_is_run_after_what_it_starts_from() -> None:
    names = [stage.name for stage in plan.TRAININGS]
    assert len(set(names)) == len(names)
    for at, stage in enumerate(plan.TRAININGS):
        assert not stage.starts_from or stage.starts_from in names[:at]


def test_the_weights_of_the_tasks_sum_to_one_and_adapters_train_alone() -> None:
    for stage in plan.TRAININGS:
        tasks = [w for name, w in stage.losses.items() if not name.startswith("scl")]
        assert sum(tasks) == pytest.approx(1.0)
        assert (stage.adapters is not None) == (stage.trains == (ADAPTERS, HEADS))
        second = stage.starts_from == plan.FIRST
        assert not (second and RECOGNITION in stage.losses)
        assert EMOTION in stage.losses or stage.name == plan.BASE

"""Targets of every task: what is not known is not trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.types import Modality
from tests.training.multitask.small_run import config_of
from training.multitask.config import MultiTaskConfig
from training.multitask.data import TaskData, prepare_tasks, take_tasks
from training.multitask.targets import UNKNOWN
from training.progress import Reporter
from training.system_data import LoadedCorpus, load_examples


@pytest.fixture(scope="module")
def corpus(tones: Path) -> LoadedCorpus:
    config = config_of(None)
    return load_examples(config.corpus, tones, (Modality.SPEECH,), Reporter(silent=True))


@pytest.fixture
def config(encoder: Path) -> MultiTaskConfig:
    return config_of(encoder)


def test_every_row_has_its_targets(corpus: LoadedCorpus, config: MultiTaskConfig) -> None:
    data = prepare_tasks(corpus, config)
    assert (data.gender, data.style) == (("F", "M"), ("acted", "spontaneous"))
    assert data.vocabulary is not None
    for row, example in enumerate(data.examples):
        assert data.classes[int(data.targets.emotion[row])] == example.label
        assert data.gender[int(data.targets.gender[row])] == example.gender
        assert data.style[int(data.targets.style[row])] == example.style
        count = int(data.targets.symbol_counts[row])
        spelled = data.targets.symbols[row, :count].tolist()
        assert data.vocabulary.decode(spelled) == example.text
    assert bool(data.targets.allowed.all())


def test_symbols_of_a_batch_are_as_long_as_its_longest_text(
    corpus: LoadedCorpus, config: MultiTaskConfig
) -> None:
    data = prepare_tasks(corpus, config)
    short = data.targets.symbol_counts.argmin().reshape(1)
    taken = take_tasks(data.targets, short)
    assert taken.symbols.shape == (1, int(taken.symbol_counts[0]))
    assert taken.symbols.shape[1] < data.targets.symbols.shape[1]


def test_a_text_whose_end_is_cut_off_is_not_recognised(
    corpus: LoadedCorpus, config: MultiTaskConfig
) -> None:
    data = prepare_tasks(
        corpus, replace(config, encoder=replace(config.encoder, longest_seconds=0.45))
    )
    cut = [corpus.loader.seconds(example) > 0.45 for example in data.examples]
    assert 0 < sum(cut) < len(cut)
    assert (data.targets.symbol_counts == 0).tolist() == cut
    assert [text is None for text in data.texts(range(len(cut)))] == cut


def test_remarks_are_not_said(corpus: LoadedCorpus, config: MultiTaskConfig) -> None:
    texts = ("[LAUGHTER] Go. [BREATHING]", "++GARBAGE++ no, [on] know", "[LAUGHTER]")
    examples = list(corpus.examples)
    for row, text in enumerate(texts):
        examples[row] = replace(examples[row], text=text)
    data = prepare_tasks(replace(corpus, examples=tuple(examples)), config)
    assert data.texts([0, 1]) == ["Go.", "no, [on] know"]
    assert not data.texts([2])[0]
    assert data.targets.symbol_counts[:3].tolist() == [2, 10, 0]


def test_emotions_that_a_corpus_lacks_are_not_allowed_in_its_rows(
    corpus: LoadedCorpus, config: MultiTaskConfig
) -> None:
    def other(number: int) -> str:
        return "plain" if corpus.examples[number].label in ("neutral", "sad") else "manifest"

    named = tuple(replace(e, corpus=other(at)) for at, e in enumerate(corpus.examples))
    data = prepare_tasks(replace(corpus, examples=named), config)
    for row, example in enumerate(data.examples):
        allowed = {
            n for n, there in zip(data.classes, data.targets.allowed[row], strict=True) if there
        }
        expected = {"neutral", "sad"} if example.corpus == "plain" else {"happy", "angry"}
        assert allowed == expected


def test_emotions_that_never_occur_are_no_classes(
    corpus: LoadedCorpus, config: MultiTaskConfig
) -> None:
    wider = replace(corpus, classes=("fear", *corpus.classes))
    assert prepare_tasks(wider, config).classes == prepare_tasks(corpus, config).classes


def test_what_is_not_known_of_a_row_is_unknown(
    corpus: LoadedCorpus, config: MultiTaskConfig
) -> None:
    examples = (replace(corpus.examples[0], gender="", style="", text=None), *corpus.examples[1:])
    data: TaskData = prepare_tasks(replace(corpus, examples=examples), config)
    row = next(at for at, e in enumerate(data.examples) if e.id == examples[0].id)
    assert int(data.targets.gender[row]) == int(data.targets.style[row]) == UNKNOWN
    assert int(data.targets.symbol_counts[row]) == 0


@pytest.mark.parametrize("task", ["gender", "style"])
def test_a_task_without_two_classes_is_refused(
    corpus: LoadedCorpus, config: MultiTaskConfig, task: str
) -> None:
    same = tuple(replace(example, gender="F", style="acted") for example in corpus.examples)
    losses = {"emotion": 0.9, task: 0.1}
    stage = replace(config.stages[1], losses=losses)
    with pytest.raises(ConfigError, match=f"no two classes of {task}"):
        prepare_tasks(replace(corpus, examples=same), replace(config, stages=(stage,)))


def test_what_counts_as_style_can_be_chosen(corpus: LoadedCorpus, config: MultiTaskConfig) -> None:
    named = tuple(
        replace(e, corpus="one" if at % 2 else "two") for at, e in enumerate(corpus.examples)
    )
    data = prepare_tasks(replace(corpus, examples=named), replace(config, style="corpus"))
    assert data.style == ("one", "two")

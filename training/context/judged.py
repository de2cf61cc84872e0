"""What a finished dialogue model is worth: every figure that goes into metrics and card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.models.context.base import DialogueModel
from core.models.context.inputs import DialogueOutput
from training.context.answers import Answers, answers
from training.context.scores import Estimate, Scored, always, differences, figures, scored, values
from training.data.dialogues import DialogueSet

POOLED = "all"


@dataclass(frozen=True)
class JudgedModel:
    """A model's answers on the test part, in every reading."""

    answers: Mapping[str, Answers]

    def scored(self, reading: str, corpus: str) -> Scored:
        """Count one reading of one corpus, or of all."""
        found = self.answers[reading]
        return scored(found if corpus == POOLED else found.of_corpus(corpus))


@dataclass(frozen=True)
class JudgedDialogues:
    """The model, what it is compared with, and what its nested sizes say.

    Attributes:
        commonest: class that the majority baseline always says.
        baselines: architecture -> what it answers on the same dialogues.
        nested: size -> reading -> answers of that nested size.
    """

    model: JudgedModel
    commonest: int
    baselines: Mapping[str, JudgedModel]
    nested: Mapping[int, Mapping[str, Answers]]

    @property
    def corpora(self) -> tuple[str, ...]:
        """Names of the test part's corpora, and `all` where there are several."""
        names = tuple(dict.fromkeys(next(iter(self.model.answers.values())).corpora))
        return (*names, POOLED) if len(names) > 1 else names

    def rows(self) -> Iterator[tuple[str, str, str, dict[str, Estimate], dict[str, Estimate]]]:
        """Yield corpus, reading, who, figures, and by how much the model is above them."""
        for corpus in self.corpora:
            for reading, said in self.model.answers.items():
                mine = self.model.scored(reading, corpus)
                yield corpus, reading, "model", figures(mine), {}
                others = {n: b.scored(reading, corpus) for n, b in self.baselines.items()}
                chosen = said if corpus == POOLED else said.of_corpus(corpus)
                for name, other in {**others, "majority": always(chosen, self.commonest)}.items():
                    yield corpus, reading, name, figures(other), differences(mine, other)

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values: corpus -> reading -> who -> figure."""
        found: dict[str, Any] = {}
        for corpus, reading, name, own, above in self.rows():
            entry: dict[str, Any] = {key: _interval(value) for key, value in own.items()}
            if above:
                entry["model_above"] = {key: _interval(value) for key, value in above.items()}
            found.setdefault(corpus, {}).setdefault(reading, {})[name] = entry
        return found

    def nested_figures(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return size -> reading -> figures over the whole test part."""
        return {
            str(size): {reading: values(scored(said)) for reading, said in by_reading.items()}
            for size, by_reading in self.nested.items()
        }


def judge(
    model: DialogueModel, test: DialogueSet, readings: tuple[str, ...], numbering: str
) -> JudgedModel:
    """Ask a model about the test part, in every reading."""
    return JudgedModel({r: answers(model, test, r, numbering=numbering) for r in readings})


def judge_nested(
    model: DialogueModel, test: DialogueSet, readings: tuple[str, ...], numbering: str
) -> dict[int, dict[str, Answers]]:
    """Ask every nested size; none without a Matryoshka head."""
    sizes = _nested_sizes(model, test)
    return {
        size: {
            r: answers(model, test, r, numbering=numbering, logits=_of_size(size)) for r in readings
        }
        for size in sizes
    }


def _nested_sizes(model: DialogueModel, test: DialogueSet) -> tuple[int, ...]:
    found: set[int] = set()

    def noted(output: DialogueOutput) -> Any:
        found.update(output.nested)
        return output.logits

    one = DialogueSet(test.dialogues[:1], test.classes, test.sizes, test.speakers, test.origin)
    answers(model, one, "full", logits=noted)
    return tuple(sorted(found, reverse=True))


def _of_size(size: int) -> Callable[[DialogueOutput], Any]:
    return lambda output: output.nested[size]


def _interval(found: Estimate) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}

"""Vocabulary, CTC head, loss and reading together: sounds of a made-up tongue are learned."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.models.outputs import Encoded, ModelInputs
from core.models.two_stage import TwoStageModel, make_specification
from core.models.two_stage_config import CTC, CTC_LENGTHS, TaskHeads, TwoStageConfig
from training.losses.multitask import UNFIT, MultiTaskLoss
from training.multitask.targets import UNKNOWN, TaskTargets
from training.multitask.vocabulary import Vocabulary
from training.multitask.word_errors import recognition_errors

Texts = tuple[str, ...]

DIM = 16


class Ear(nn.Module):
    """Hears what is given as frames, a linear map of it."""

    dim = DIM

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(DIM, DIM)

    def config(self) -> dict[str, object]:
        return {}

    def forward(self, inputs: ModelInputs) -> Encoded:
        assert inputs.speech is not None
        assert inputs.speech_mask is not None
        x = self.map(inputs.speech)
        return Encoded(x, inputs.speech_mask, x[:, 0], x.new_zeros(len(x), 0))


def spoken(texts: Texts, vocabulary: Vocabulary, sounds: Tensor, slowly: bool) -> ModelInputs:
    """Say each symbol in one frame; slowly: in two, with a frame of silence after it."""
    rows = []
    for text in texts:
        said = [sounds[number] for number in vocabulary.encode(text)]
        frames = [frame for s in said for frame in ((s, s, sounds[0]) if slowly else (s,))]
        rows.append(torch.stack(frames))
    lengths = torch.tensor([len(row) for row in rows])
    padded = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=9.0)
    mask = torch.arange(padded.shape[1])[None] < lengths[:, None]
    return ModelInputs(speech=padded, speech_mask=mask)


def targets(texts: Texts, vocabulary: Vocabulary) -> TaskTargets:
    spelled, unknown = vocabulary.spell(texts), torch.full((len(texts),), UNKNOWN)
    return TaskTargets(
        unknown, unknown, unknown, torch.ones(len(texts), 2, dtype=torch.bool),
        spelled.symbols, spelled.counts, torch.ones(len(texts)),
    )  # fmt: skip


def learned(
    texts: Texts, unheard: Texts, units: str, steps: int, *, slowly: bool
) -> tuple[list[str], float]:
    """Return what is read of unheard texts, and how many of those trained on did not fit."""
    torch.manual_seed(0)
    vocabulary = Vocabulary.build(texts, units)
    sounds = torch.randn(len(vocabulary.symbols) + 1, DIM)
    heads = TaskHeads(symbols=vocabulary.symbols, steps=steps)
    model = TwoStageModel(make_specification(("a", "b")), TwoStageConfig({}, heads), speech=Ear())
    loss, wanted = MultiTaskLoss({"recognition": 1.0}), targets(texts, vocabulary)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    inputs = spoken(texts, vocabulary, sounds, slowly)
    unfit = 0.0
    for _ in range(150):
        found = loss(model(model.encode(inputs)), wanted)
        unfit = float(found[UNFIT])
        optimiser.zero_grad()
        torch.autograd.backward(found["loss"])
        optimiser.step()
    with torch.no_grad():
        output = model.eval()(model.encode(spoken(unheard, vocabulary, sounds, slowly)))
    return vocabulary.greedy(output.auxiliary[CTC], output.auxiliary[CTC_LENGTHS]), unfit


@pytest.mark.parametrize("units", ["syllables", "jamo"])
def test_texts_that_were_never_heard_are_read_without_an_error(units):
    texts = ("각 가다", "나가", "다 나", "가각", "나다", "다각 나")
    unheard = ("나 가다", "각나")
    read, unfit = learned(texts, unheard, units, 1, slowly=True)
    errors = recognition_errors(unheard, read)
    assert (errors.wer, errors.cer, errors.main) == (0, 0, "cer")
    assert unfit == 0


def test_doubled_symbols_need_more_positions_than_frames():
    texts, unheard = ("aab", "bba", "abba", "ba"), ("aabb", "baab")
    read, unfit = learned(texts, unheard, "characters", 1, slowly=False)
    assert unfit == 3
    assert read != list(unheard)
    read, unfit = learned(texts, unheard, "characters", 2, slowly=False)
    assert unfit == 0
    assert read == list(unheard)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.models.layers.graph import GatedGraphConvolution, build_graph
from training.bench import dialogue, dialogue_graph, dialogue_training


@pytest.mark.parametrize("modalities", [1, 3])
def test_the_list_of_edges_computes_what_the_tensors_do(modalities: int) -> None:
    torch.manual_seed(0)
    nodes, layer = torch.randn(1, modalities, 7, 5), GatedGraphConvolution(5)
    edges = dialogue_graph.edge_list(7, modalities)
    assert edges.shape == (2, modalities * 7 * 6 + 7 * modalities * (modalities - 1))
    with torch.no_grad():
        dense, _ = layer(nodes, build_graph(torch.ones(1, modalities, 7, dtype=torch.bool)))
        looped = dialogue_graph.convolve_edges(nodes.flatten(0, 2), edges, layer)
    torch.testing.assert_close(dense.flatten(0, 2), looped, rtol=0, atol=1e-6)


def test_a_corpus_has_the_dialogues_and_utterances_it_is_asked_for() -> None:
    made = dialogue_training.corpus(40, 385, seed=0)
    assert (len(made.dialogues), made.utterances) == (40, 385)
    assert min(map(len, made.dialogues)) >= 1
    longest = max(map(len, dialogue_training.corpus(*dialogue_training.TRAIN, 0).dialogues))
    assert 15 <= longest <= 45


def test_an_epoch_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    small = dialogue_training.corpus(6, 20, seed=0)
    kept = []
    train = dialogue_training.train_dialogue
    monkeypatch.setattr(
        dialogue_training, "train_dialogue", lambda *given: kept.append(train(*given))
    )
    assert dialogue_training._epoch("whole", small, small).wall > 0
    assert [len(trained.outcome.history) for trained in kept] == [1]


def test_new_turns_are_judged_by_the_class_the_app_uses(tmp_path: Path) -> None:
    add = dialogue._adding(tmp_path / "checkpoint", 3)
    add()
    context = dialogue.load_context(tmp_path / "checkpoint")
    noise = np.random.default_rng(0)
    for number in range(2):
        dialogue.add_turn(context, number, dialogue.features(noise))
    told = [turn.context for turn in context.finish()]
    assert [len(each.turns) for each in told if each is not None] == [1, 2]
    sizes = context.warm_up().sizes
    assert len(sizes) > 3
    assert sizes[-1].parameters < sizes[0].parameters

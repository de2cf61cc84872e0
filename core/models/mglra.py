"""MGLRA: masked graph learning with recurrent alignment, over the turns of a dialogue.

Meng, Zhang, Shou, Shao, Ai & Li (2024), "Masked Graph Learning with Recurrent Alignment for
Multimodal Emotion Recognition in Conversation", arXiv 2407.16714, with the code its authors
released; nested (Matryoshka) sizes and student heads as in the public re-implementation that adds
them.

The paper, as far as its abstract and figure say it: a Linear and an LSTM over turns per modality,
graph attention filtering within a modality, recurrent alignment (a memory, multi-head attention
across modalities, a GRU that feeds the result back into the LSTM, repeated), who speaks, a masked
graph convolution over utterance x modality nodes whose hidden nodes are reconstructed, a classifier
over the modalities side by side. The released code computes less; `variant: released` is that, with
its faults put right: attention runs over the turns of a dialogue (there over the batch), the graph
hides values in training alone (there always), and padding takes no part.

Chosen here, because nothing published fixes it (each is an option of `MGLRAConfig` or said in the
docstring of its layer):
- features are layer-normalised per encoder layer, so nothing comes from batch-mates; the variant
  `released` has batch normalisation, of text alone, with statistics over valid utterances
- LSTM: one layer, both directions, LN(x + LSTM(x)); 2 iterations with the same weights
- the filter: graph attention, told how far apart turns are and whether one person says both; turns
  under half of equal attention are dropped; a gate per value
- the memory: a vector per turn, as wide as the turn, written by a GRU; keys of the alignment are
  the other modalities and the memory, one attention for all; the GRU that feeds back is one per
  modality
- who speaks is added to the nodes of every modality, as the released code does to those of text
- the graph: one Linear to nodes for all modalities and 4 layers, as released; a fifth of the nodes
  hidden, scaled cosine error

Missing modalities: an utterance without one has no node, no key and no part in the mean of the
memory there, and its slice is zeros; an LSTM steps over it with zeros. With none at all its logits
are the classifier's biases.

Nested sizes, and a finding users should know: a slice is [nodes before the graph | after it] as
published (`order: encoder_first`). With m / k leading dimensions per modality, every nested size up
to half of the representation is then made of dimensions from before the graph: it holds no graph
convolution at all, and what such a size is worth says nothing of the graph. `graph_first` turns the
slice round: small sizes then hold the graph's output and need all of its layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from core.models.context.base import DialogueModel
from core.models.context.inputs import DialogueInputs, DialogueOutput
from core.models.context.specification import DialogueSpecification
from core.models.layers.graph import DialogueGraph, between_turns, build_graph
from core.models.layers.graph_network import GraphOutput, MaskedGraphNetwork
from core.models.layers.masking import zero_where_absent
from core.models.mglra_attention import drawn_on, mean_map
from core.models.mglra_config import TEXT, MGLRAConfig
from core.models.mglra_encoders import ENCODERS, EncodedTurns, SpeakerVectors, Turns
from core.models.nested import NestedHead

MODALITIES = (TEXT, "speech", "vision")
"""Order of the slices of a representation, as published."""
RECONSTRUCTION = "reconstruction"


class MGLRA(DialogueModel):
    """Features of a dialogue's utterances -> logits for each, in context.

    `DialogueOutput.attention` is the mean of every map there is in which the utterance counts: per
    iteration and modality the filter's weights and the alignment's (means over heads; of the
    alignment the weight on an utterance is that on all its modalities and its memory together), per
    layer and modality the graph's absolute weights with what an utterance keeps of itself. The maps
    are over encoded turns: what an LSTM carried from turn to turn is not in them.
    `slices` are parts of the `representation`, which is taken after dropout and ReLU.
    """

    def __init__(
        self, specification: DialogueSpecification, config: MGLRAConfig | None = None
    ) -> None:
        super().__init__(specification)
        c = config or MGLRAConfig()
        self.modalities = tuple(sorted(specification.features, key=_place))
        self._filled = filled = c.resolved(self.modalities)
        self._config = c.filled_with(filled)
        self._kept = c.kept or (2 * filled.node,) * len(self.modalities)
        self._has_graph = c.order != "encoder_first" or max(self._kept) > filled.node
        needed = self._needed()
        sizes = {name: specification.features[name] for name in needed}
        self.encoder = ENCODERS[c.variant](sizes, c, filled)
        told = [name for name in filled.speaker_modalities if name in needed]
        self.speakers = SpeakerVectors(specification.speakers, filled.dim) if told else None
        self.fc = nn.Linear(filled.dim, filled.node if self._has_graph else max(self._kept))
        self.graph = (
            MaskedGraphNetwork(
                filled.node, c.layers, mask=filled.mask, rate=filled.mask_rate,
                reconstruct=filled.reconstruction,
            )
            if self._has_graph
            else None
        )  # fmt: skip
        self.dropout = nn.Dropout(c.dropout)
        classes = len(specification.labels)
        self.head = NestedHead(self._kept, classes, c.nested)
        students = zip(self.modalities, self._kept, strict=True) if c.students else ()
        self.students = nn.ModuleDict({name: nn.Linear(k, classes) for name, k in students if k})

    @classmethod
    def from_config(cls, specification: DialogueSpecification, config: Mapping[str, Any]) -> Self:
        """Build an untrained model from plain values; see `MGLRAConfig`.

        Raises:
            ConfigError: a key is unknown or a value makes no sense.
        """
        return cls(specification, MGLRAConfig.from_dict(config))

    def config(self) -> dict[str, Any]:
        """Return the values with which `from_config` builds the same architecture."""
        return self._config.to_dict()

    def forward(self, inputs: DialogueInputs, *, attention: bool = False) -> DialogueOutput:
        """Judge every utterance; in training `auxiliary` may hold "reconstruction".

        Raises:
            ValueError: features are of another size than the specification says.
        """
        turns = self._turns(inputs)
        speaker = self.speakers(turns.speakers) if self.speakers is not None else None
        told = {} if speaker is None else dict.fromkeys(self._filled.speaker_modalities, speaker)
        early = self._config.speaker_place == "encoder"
        encoded = self.encoder(turns, told if early else {})
        valid = self._valid(turns)  # (B, M, T)
        nodes = self._nodes(encoded.turns, valid, {} if early else told)
        graph = build_graph(valid, self._config.reach) if self.graph is not None else None
        output = self._convolved(nodes, graph)
        slices = self._slices(nodes, output.hidden)
        representation = torch.cat([*slices.values()], dim=-1)
        said = self.head(representation)
        return DialogueOutput(
            said.logits,
            representation,
            slices,
            said.nested,
            {name: layer(slices[name]) for name, layer in self.students.items()},
            _attention(encoded, output, graph, inputs.mask) if attention else None,
            {} if output.reconstruction is None else {RECONSTRUCTION: output.reconstruction},
        )

    @torch.no_grad()
    def cut(self, size: int) -> MGLRA:
        """Return a smaller model whose logits are this one's at a nested size.

        Of `encoder_first`, sizes that keep no more of any slice than was there before the graph
        need no graph and only as many rows of the Linear before it; where the layout `leading`
        leaves modalities out altogether, those that nothing kept depends on go with their encoder.
        Otherwise every gate needs whole nodes, so only the head shrinks, and the last layer's sums
        are those that are kept. Student heads and the reconstruction of hidden nodes, which only
        training looks at, are left out; smaller nested sizes stay.

        Raises:
            ConfigError: there is no such size.
        """
        head = self.head.cut(size)
        smaller = MGLRA(self.specification, self._config.with_kept(head.slices, head.config))
        smaller.to(self.fc.weight)
        stored = self.state_dict()
        for name, values in smaller.state_dict().items():
            if not name.startswith("head."):
                values.copy_(stored[name][tuple(slice(n) for n in values.shape)])
        smaller.head = head
        return smaller.train(self.training)

    def _needed(self) -> tuple[str, ...]:
        """Return the modalities on which anything that is kept depends."""
        kept = {m for m, k in zip(self.modalities, self._kept, strict=True) if k}
        if self._has_graph or (self._config.variant == "full" and self._config.iterations):
            return self.modalities
        if self._config.variant == "released":
            kept.add(TEXT)  # which the others look at
        return tuple(m for m in self.modalities if m in kept)

    def _turns(self, inputs: DialogueInputs) -> Turns:
        names = [name for name in self.encoder.inputs if name in inputs.features]
        valid = {m: inputs.mask & inputs.present.get(m, inputs.mask) for m in names}
        features = {name: inputs.features[name] for name in names}
        near = between_turns(inputs.mask.shape[1], self._config.reach, inputs.mask.device)
        return Turns(features, valid, inputs.mask, inputs.speakers, near)

    def _valid(self, turns: Turns) -> Tensor:
        nothing = torch.zeros_like(turns.mask)
        return torch.stack([turns.valid.get(m, nothing) for m in self.modalities], dim=1)

    def _nodes(
        self, encoded: Mapping[str, Tensor], valid: Tensor, told: Mapping[str, Tensor]
    ) -> Tensor:
        """Return nodes (B, M, T, node); zeros where there is none."""
        nothing = self.fc.weight.new_zeros(*valid[:, 0].shape, self.fc.in_features)
        turns = [
            encoded.get(m, nothing) + told[m] if m in told else encoded.get(m, nothing)
            for m in self.modalities
        ]
        return zero_where_absent(self.fc(torch.stack(turns, dim=1)), valid)

    def _convolved(self, nodes: Tensor, graph: DialogueGraph | None) -> GraphOutput:
        """Run the graph as far as its output is kept; without one there is no output."""
        if self.graph is None or graph is None:
            return GraphOutput(nodes[..., :0], (), None)
        width, most = self._filled.node, max(self._kept)
        kept = min(most, width) if self._config.order == "graph_first" else most - width
        output: GraphOutput = self.graph(nodes, graph, None if kept == width else kept)
        return output

    def _slices(self, nodes: Tensor, hidden: Tensor) -> dict[str, Tensor]:
        """Return modality -> (B, T, kept), ready for the classifier."""
        parts = (nodes, hidden) if self._config.order == "encoder_first" else (hidden, nodes)
        both = torch.cat(parts, dim=-1).unbind(dim=1)
        return {
            name: self.dropout(values[..., :kept]).relu()
            for name, values, kept in zip(self.modalities, both, self._kept, strict=True)
        }


def _attention(
    encoded: EncodedTurns, output: GraphOutput, graph: DialogueGraph | None, mask: Tensor
) -> Tensor:
    return mean_map(drawn_on(encoded.maps, output.weights, graph), mask)


def _place(modality: str) -> tuple[int, str]:
    place = MODALITIES.index(modality) if modality in MODALITIES else len(MODALITIES)
    return place, modality

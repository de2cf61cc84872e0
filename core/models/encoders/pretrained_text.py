"""A BERT type of model as a text encoder.

Devlin et al. (2019), BERT, NAACL; Liu et al. (2019), RoBERTa, arXiv 1907.11692; Conneau et al.
(2020), XLM-R, ACL; Park et al. (2021), KLUE, NeurIPS datasets; Clark et al. (2020), ELECTRA, ICLR.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.encoders import backbone
from core.models.encoders.pooling import pooling
from core.models.encoders.pretrained_config import POOLER, PretrainedTextConfig
from core.models.encoders.staged import StagedEncoder
from core.models.outputs import Encoded, ModelInputs
from core.models.runtimes.base import TextStages

if TYPE_CHECKING:
    from transformers import PretrainedConfig

_LAYERS = frozenset({"layer", "layers", "h", "albert_layer_groups"})
"""What the list of transformer layers is called in various models."""
_MIXING = frozenset({"convbert", "funnel"})
"""Models that mix neighbours without regard to the mask, so that rows depend on their batch."""


def model_config(config: PretrainedTextConfig) -> PretrainedConfig:
    """Return the Hugging Face configuration with the options of ours put in.

    Raises:
        ConfigError: it is not of a model that takes tokens.
    """
    found = backbone.config_of(config.model)
    class_ = backbone.model_class(found, backbone.ENCODER)
    if class_.main_input_name != "input_ids" or found.is_encoder_decoder:
        raise ConfigError(
            f"A model of type {found.model_type} is no text encoder.",
            "Choose one of the type of BERT or RoBERTa.",
        )
    if found.model_type in _MIXING:
        raise ConfigError(
            f"A {found.model_type} mixes what fills up a batch into its texts.",
            "Choose one of the type of BERT or RoBERTa.",
        )
    if not config.dropout:
        backbone.drop_nothing(found)
    return found


def pooler_options(found: PretrainedConfig, config: PretrainedTextConfig) -> dict[str, Any]:
    """Return the constructor options that leave out a pooler nobody asked for."""
    class_ = backbone.model_class(found, backbone.ENCODER)
    has_choice = "add_pooling_layer" in inspect.signature(class_.__init__).parameters
    if config.pooling == POOLER and not has_choice:
        raise ConfigError(f"A model of type {found.model_type} has no pooler.", "Use mean or cls.")
    return {"add_pooling_layer": config.pooling == POOLER} if has_choice else {}


def positions_of(model: Any) -> int:
    """Return how many tokens a text model takes; a very large number where nothing limits it."""
    most = getattr(model.config, "max_position_embeddings", None)
    if most is None or most < 1:
        return 1 << 30
    # RoBERTa counts positions from the one after the padding's
    embeddings = getattr(getattr(model, "base_model", model), "embeddings", None)
    padding = getattr(embeddings, "padding_idx", None)
    return int(most) - (0 if padding is None else int(padding) + 1)


class PretrainedTextEncoder(StagedEncoder[TextStages]):
    """Tokens to a sequence of vectors and a pooled one.

    Args:
        config: which model, and how it is read out.
        model: with weights; None: built with random ones.

    Raises:
        ConfigError: the configuration is of no such model, or has too few positions.
    """

    def __init__(self, config: PretrainedTextConfig, model: Any | None = None) -> None:
        super().__init__()
        self.settings = config
        wanted = model_config(config)
        options = pooler_options(wanted, config)
        built = backbone.build(wanted, backbone.ENCODER, **options) if model is None else model
        self.model = built
        self._pool = None if config.pooling == POOLER else pooling(config.pooling)
        self.dim = int(wanted.hidden_size)
        if config.pad_to is not None and config.pad_to > self.positions:
            raise ConfigError(
                f"pad_to is {config.pad_to}, but the text model has {self.positions} positions."
            )

    @property
    def positions(self) -> int:
        """How many tokens a text can have."""
        return positions_of(self.model)

    def config(self) -> dict[str, Any]:
        """Return plain JSON values from which `build` makes the same architecture."""
        return self.settings.to_dict()

    def layers(self) -> Sequence[nn.Module]:
        """Return the transformer layers."""
        for name, module in self.model.named_modules():
            if isinstance(module, nn.ModuleList) and name.split(".")[-1] in _LAYERS:
                return list(module)
        return []

    def beyond_layers(self) -> Sequence[nn.Module]:
        """Return the pooler, if it is used."""
        pooler = getattr(self.model, "pooler", None)
        return [pooler] if isinstance(pooler, nn.Module) else []

    def forward(self, inputs: ModelInputs) -> Encoded:
        """Encode tokens (B, L) under token_mask (B, L).

        Returns:
            sequence (B, L', D) with L' = `pad_to` or L, mask (B, L'), pooled (B, D), logits
            (B, 0). The sequence is zero beyond the mask, but where pooling takes padding in.

        Raises:
            ValueError: there are no tokens.
        """
        if inputs.tokens is None or inputs.token_mask is None:
            raise ValueError("a pretrained text encoder needs tokens")
        tokens, mask = self._filled(inputs.tokens, inputs.token_mask)
        c = self.settings
        attended = mask if c.respect_padding else mask.new_ones(mask.shape)
        sequence, own = self._read(tokens, attended)
        pooled = own if self._pool is None else self._pool(sequence, mask)
        assert pooled is not None  # a model without its own pooler was built with one of ours
        if c.respect_padding and not c.pooling.startswith("padded"):
            sequence = sequence * mask.unsqueeze(-1)
        return Encoded(sequence, mask, pooled, pooled.new_zeros(len(pooled), 0))

    @property
    def has_own_pooler(self) -> bool:
        """Whether the pooled vector comes from the model's own pooler."""
        return self._pool is None

    def _read(self, tokens: Tensor, attended: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return sequence (B, L, D), and pooled (B, D) of the model's own pooler if it is used."""
        stages = self._in_use
        if stages is None:
            return self.read_by_torch(tokens, attended)
        return stages.read(tokens, attended)

    def read_by_torch(self, tokens: Tensor, attended: Tensor) -> tuple[Tensor, Tensor | None]:
        """Do what the stage `read` does without the help of stages."""
        output = self.model(input_ids=tokens, attention_mask=attended.long())
        return output.last_hidden_state, output.pooler_output if self.has_own_pooler else None

    def _filled(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Fill up to `pad_to` tokens; longer texts lose their end."""
        most = self.settings.pad_to
        if most is None:
            return tokens, mask
        lacking = max(0, most - tokens.shape[1])
        pad = int(self.model.config.pad_token_id or 0)
        tokens, mask = tokens[:, :most], mask[:, :most]
        return F.pad(tokens, (0, lacking), value=pad), F.pad(mask, (0, lacking), value=False)

"""A tiny encoder of every family, something for it to hear, and adapters that say something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core.models.adapters import adapter_state, attach, load_adapter_state
from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.models.encoders import backbone
from core.models.encoders.build import build_speech_encoder
from core.models.encoders.pretrained_config import PretrainedSpeechConfig
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.outputs import ModelInputs
from tests.checkpoints import MODEL

SIZES: Mapping[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
LARGE: Mapping[str, Any] = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
_SEVEN, _THIRTEEN = {"conv_dim": [16] * 7}, {"conv_dim": [16] * 13, "squeeze_factor": 2}

FAMILIES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "wav2vec2": ("Wav2Vec2Config", _SEVEN),
    "xls-r": ("Wav2Vec2Config", {**_SEVEN, **LARGE}),
    "hubert": ("HubertConfig", _SEVEN),
    "hubert-large": ("HubertConfig", {**_SEVEN, **LARGE}),
    "wavlm": ("WavLMConfig", _SEVEN),
    "wavlm-large": ("WavLMConfig", {**_SEVEN, **LARGE}),
    "data2vec-audio": ("Data2VecAudioConfig", _SEVEN),
    "unispeech": ("UniSpeechConfig", _SEVEN),
    "unispeech-sat": ("UniSpeechSatConfig", {**_SEVEN, **LARGE}),
    "sew": ("SEWConfig", _THIRTEEN),
    "sew-d": ("SEWDConfig", _THIRTEEN),
}
"""Name -> configuration in transformers, and what in it is not as usual."""

COMPACT = "compact"
ENCODERS = (*FAMILIES, COMPACT)

BOTH = AdapterConfig(LoraConfig(rank=4, alpha=6.0), BottleneckConfig(8))
LORA = AdapterConfig(LoraConfig(rank=4, alpha=6.0), None)
BOTTLENECK = AdapterConfig(None, BottleneckConfig(8))
KINDS = {"both": BOTH, "lora": LORA, "bottleneck": BOTTLENECK}


def encoder_of(family: str, **options: Any) -> Any:
    """Return a tiny encoder in evaluation mode, all of whose weights may train."""
    torch.manual_seed(0)
    if family == COMPACT:
        values = {**MODEL.speech.to_dict(), "kind": COMPACT, "members": 2, "attention_layers": 2}
        return build_speech_encoder(values).eval()
    import transformers

    name, unusual = FAMILIES[family]
    config = getattr(transformers, name)(**{**SIZES, **unusual})
    settings = PretrainedSpeechConfig.from_dict({"model": backbone.plain(config), **options})
    return PretrainedSpeechEncoder(settings).eval()


def heard_by(encoder: nn.Module, *lengths: int) -> ModelInputs:
    """Return two clips of noise, of different lengths, as the encoder takes them."""
    generator = torch.Generator().manual_seed(0)
    is_compact = not isinstance(encoder, PretrainedSpeechEncoder)
    given = torch.tensor(lengths or ((40, 60) if is_compact else (9_000, 16_000)))
    mask = torch.arange(int(given.max()))[None] < given[:, None]
    if not is_compact:
        waveform = torch.randn(mask.shape, generator=generator) * mask
        return ModelInputs(waveform=waveform, waveform_mask=mask)
    frames = torch.randn(*mask.shape, MODEL.speech.frame_dim, generator=generator)
    return ModelInputs(speech=frames * mask[..., None], speech_mask=mask)


@torch.inference_mode()
def said_by(encoder: nn.Module, *lengths: int) -> Tensor:
    """Return the sequence (B, T, D) of what an encoder hears."""
    found: Tensor = encoder(heard_by(encoder, *lengths)).sequence
    return found.clone()


def learnt(module: nn.Module, seed: int = 1) -> dict[str, Tensor]:
    """Return a state for the adapters of a module as if they had been trained."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: 0.3 * torch.randn(tensor.shape, generator=generator)
        for name, tensor in adapter_state(module).items()
    }


def adapted(family: str, config: AdapterConfig = BOTH, seed: int = 1, **options: Any) -> Any:
    """Return a tiny encoder with adapters that are open and have learnt something."""
    encoder = encoder_of(family, **options)
    attach(encoder, config)
    load_adapter_state(encoder, learnt(encoder, seed))
    return encoder


def snapshot(module: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a module's state."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def same(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    """Tell whether two states have the same names and, to the last bit, the same values."""
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)

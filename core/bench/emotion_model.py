"""Checkpoints of published encoders with random weights: a wav2vec 2.0 and a RoBERTa, fused.

Made through the classes that save any checkpoint, and opened by those that open any.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.bench.architectures import KERNELS, STRIDES, SpeechShape, TextShape, fingerprint
from core.bench.material import load_dialogue
from core.bench.whisper_model import written_text

if TYPE_CHECKING:
    from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
    from core.models.encoders.pretrained_text import PretrainedTextEncoder
    from core.models.pretrained_processor import PretrainedProcessor

LANGUAGES = ("ko", "en")
LONGEST_SECONDS = 30.0
"""An utterance is judged whole."""
_SYSTEM = "early"
"""Both pooled vectors side by side: hardly any cost beside the encoders."""
_SPECIAL = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")
_PAD = 1
_MADE = 1
"""Counts up when the same shapes are built otherwise."""


def checkpoint_folder(speech: SpeechShape, text: TextShape, root: Path) -> Path:
    """Return a checkpoint of both encoders below `root`; it is made if it is not there."""
    from core.models.checkpoint import save_checkpoint
    from core.models.speech_text import ARCHITECTURE

    folder = root / f"{speech.name}+{text.name}-{fingerprint(speech, text, _MADE)}"
    if not folder.is_dir():
        save_checkpoint(
            folder,
            _random_model(speech, text),
            _processor(),
            name=f"{speech.name} + {text.name}, random",
            architecture=ARCHITECTURE,
            training={"seed": 0, "trained_on": {}},
            metrics={"uar": None},
            card="# Random weights\n\nFor measuring speed. Knows nothing.\n",
        )
    return folder


def speech_encoder(shape: SpeechShape) -> PretrainedSpeechEncoder:
    """Return the encoder with random weights, in evaluation mode."""
    import torch
    from transformers import Wav2Vec2Config

    from core.models.encoders.backbone import plain
    from core.models.encoders.pretrained_config import PretrainedSpeechConfig
    from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder

    config = Wav2Vec2Config(
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.width,
        conv_dim=[shape.channels] * len(KERNELS),
        conv_kernel=list(KERNELS),
        conv_stride=list(STRIDES),
        feat_extract_norm="layer" if shape.stable else "group",
        do_stable_layer_norm=shape.stable,
        conv_bias=shape.stable,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = PretrainedSpeechEncoder(PretrainedSpeechConfig(plain(config)))
    return encoder.eval().requires_grad_(False)


def text_encoder(shape: TextShape) -> PretrainedTextEncoder:
    """Return the encoder with random weights, in evaluation mode."""
    import torch
    from transformers import RobertaConfig

    from core.models.encoders.backbone import plain
    from core.models.encoders.pretrained_config import PretrainedTextConfig
    from core.models.encoders.pretrained_text import PretrainedTextEncoder

    config = RobertaConfig(
        vocab_size=shape.vocabulary,
        max_position_embeddings=514,
        type_vocab_size=1,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.width,
        bos_token_id=0,
        pad_token_id=_PAD,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = PretrainedTextEncoder(PretrainedTextConfig(plain(config)))
    return encoder.eval().requires_grad_(False)


def _random_model(speech: SpeechShape, text: TextShape) -> Any:
    import torch

    from core.labels import EMOTIONS
    from core.models.speech_text import SpeechTextConfig, SpeechTextModel, make_specification

    config = SpeechTextConfig(_SYSTEM)
    specification = make_specification(config, EMOTIONS, languages=LANGUAGES)
    heard, read = speech_encoder(speech), text_encoder(text)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SpeechTextModel(specification, config, speech=heard, text=read)
        for parameter in (*model.head.parameters(), *model.probes.parameters()):
            torch.nn.init.normal_(parameter, std=0.05)  # else all say the same of everything
    return model


def _processor() -> PretrainedProcessor:
    from core.models.pretrained_processor import PretrainedProcessor, PretrainedProcessorConfig
    from core.models.pretrained_tokenizer import PretrainedTokenizer

    config = PretrainedProcessorConfig(
        languages=LANGUAGES, pad_id=_PAD, longest_seconds=LONGEST_SECONDS
    )
    return PretrainedProcessor(config, PretrainedTokenizer(_tokenizer(), _PAD, config.max_tokens))


def _tokenizer() -> Any:
    """Return a WordPiece whose pieces are the syllables of the bundled dialogue."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = sorted({c for line in load_dialogue()[1] for c in line.text} | set(written_text()))
    pieces = [*_SPECIAL, *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = Tokenizer(
        models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(list(_SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    return tokenizer

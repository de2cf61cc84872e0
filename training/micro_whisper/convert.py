"""From the trained model to the folder that faster-whisper loads."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from ctranslate2.converters import TransformersConverter
from tokenizers import Tokenizer
from transformers import GenerationConfig, PreTrainedTokenizerFast

from core.types import SAMPLE_RATE
from training.micro_whisper.features import MELS
from training.micro_whisper.model import MicroWhisper, alignment_heads
from training.micro_whisper.tokenizer import language_ids


def convert(model: MicroWhisper, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the int8 CTranslate2 model, tokenizer.json and preprocessor_config.json to `folder`."""
    with tempfile.TemporaryDirectory() as name:
        source, made = Path(name) / "transformers", Path(name) / "ctranslate2"
        _save(model, tokenizer, source)
        converter = TransformersConverter(
            str(source), copy_files=["tokenizer.json", "preprocessor_config.json"]
        )
        converter.convert(str(made), quantization="int8")
        # copied, because the converter would empty a folder that holds other files too
        shutil.copytree(made, folder, dirs_exist_ok=True)


def _save(model: MicroWhisper, tokenizer: Tokenizer, folder: Path) -> None:
    generation = GenerationConfig.from_model_config(model.whisper.config)
    generation.alignment_heads = alignment_heads()
    generation.lang_to_id = language_ids(tokenizer)
    generation.suppress_tokens = []
    generation.begin_suppress_tokens = []
    # else transformers rebuilds it from the model's configuration and drops these four
    generation._from_model_config = False
    model.whisper.generation_config = generation
    model.whisper.save_pretrained(folder)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", bos_token="<|endoftext|>"
    )
    wrapped.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    features = {"feature_size": MELS, "sampling_rate": SAMPLE_RATE, "hop_length": 160}
    features |= {"n_fft": 400, "chunk_length": 30}
    (folder / "preprocessor_config.json").write_text(json.dumps(features, indent=2) + "\n")

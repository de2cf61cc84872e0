"""The micro Whisper itself: transformers' Whisper at a size of under a million parameters."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import WhisperConfig, WhisperForConditionalGeneration

from training.micro_whisper.features import FULL_WINDOW, MELS
from training.micro_whisper.tokenizer import TEXT_TOKENS

_WIDTH = 80
_LAYERS = 2
_HEADS = 2
_STRIDE = 16


class MicroWhisper(nn.Module):
    """A Whisper that accepts windows under 30 s and shows its last cross-attention."""

    def __init__(self, vocabulary_size: int, end_of_text: int) -> None:
        super().__init__()
        config = _configuration(vocabulary_size, end_of_text)
        self.whisper = WhisperForConditionalGeneration(config)
        self._listener = nn.Linear(_WIDTH, TEXT_TOKENS + 1)
        self._attention: Tensor | None = None
        self._make_eager(config)

    def _make_eager(self, config: WhisperConfig) -> None:
        """Make the last cross-attention eager, to see it, and the encoder, to be faster.

        Not the decoder's self-attention: eager under this configuration it loses its causal mask.
        """
        eager = copy.deepcopy(config)
        eager._attn_implementation = "eager"
        for layer in self.whisper.model.encoder.layers:
            layer.self_attn.config = eager
        watched = self.whisper.model.decoder.layers[-1].encoder_attn
        watched.config = eager
        watched.register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: object, output: tuple[Tensor, Tensor]) -> None:
        self._attention = output[1]

    def encode(self, mel: Tensor, content: int) -> Tensor:
        """Return (B, T / 2, D) from log-mel (B, 80, T); T at most 3000.

        Behind the first `content` positions comes padding, all alike but for the slowly moving
        position code. There only one position in sixteen is computed, and counts for sixteen as a
        key: an approximation that makes the 30 s window several times cheaper to train on.
        """
        encoder = self.whisper.model.encoder
        positions = mel.shape[2] // 2
        chosen, counts = _thinned(positions, content)
        heard = mel[:, :, : 2 * content + 2]
        hidden = F.gelu(encoder.conv2(F.gelu(encoder.conv1(heard)))).transpose(1, 2)
        hidden = hidden[:, chosen.clamp_max(hidden.shape[1] - 1)]
        hidden = hidden + encoder.embed_positions.weight[chosen]
        exact = len(chosen) == positions
        bias = counts.log().to(hidden.dtype)[None, None, None].expand(1, 1, len(chosen), -1)
        for layer in encoder.layers:
            hidden = layer(hidden, None if exact else bias)
        return encoder.layer_norm(hidden).repeat_interleave(counts, dim=1)

    def forward(self, mel: Tensor, tokens: Tensor, content: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (B, L, V), last cross-attention, mean over heads, (B, L, T / 2), and heard.

        Heard, (B, content, tokens + 1), are logits of the text token at each encoder position: a
        head that is thrown away after training. It makes the encoder listen from the first steps;
        the decoder alone would learn the sentences by heart first and guess which one is spoken.
        """
        hidden = self.encode(mel, content)
        decoded = self.whisper.model.decoder(
            input_ids=tokens, encoder_hidden_states=hidden, use_cache=False
        )
        logits = self.whisper.proj_out(decoded.last_hidden_state)
        assert self._attention is not None
        return logits, self._attention.mean(dim=1), self._listener(hidden[:, :content])


def _thinned(positions: int, content: int) -> tuple[Tensor, Tensor]:
    """Return the computed positions (K,) and how many each stands for (K,), `positions` in all."""
    chosen = torch.cat([torch.arange(content), torch.arange(content, positions, _STRIDE)])
    edges = torch.cat([chosen, torch.tensor([positions])])
    return chosen, edges.diff()


def _configuration(vocabulary_size: int, end_of_text: int) -> WhisperConfig:
    return WhisperConfig(
        vocab_size=vocabulary_size,
        num_mel_bins=MELS,
        d_model=_WIDTH,
        encoder_layers=_LAYERS,
        decoder_layers=_LAYERS,
        encoder_attention_heads=_HEADS,
        decoder_attention_heads=_HEADS,
        encoder_ffn_dim=4 * _WIDTH,
        decoder_ffn_dim=4 * _WIDTH,
        max_source_positions=FULL_WINDOW // 2,
        max_target_positions=448,
        pad_token_id=end_of_text,
        bos_token_id=end_of_text,
        eos_token_id=end_of_text,
        decoder_start_token_id=end_of_text + 1,
        suppress_tokens=[],
        begin_suppress_tokens=[],
        dropout=0.0,
        attn_implementation="sdpa",
    )


def alignment_heads() -> list[list[int]]:
    """Return [layer, head] of the cross-attentions trained to follow the words."""
    return [[_LAYERS - 1, head] for head in range(_HEADS)]


def text_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the labels that are learnt."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


def alignment_loss(attention: Tensor, spans: Tensor) -> Tensor:
    """Cross-entropy between attention (B, L, T) and a uniform share over each label's span.

    Spans (B, L, 2) are in encoder positions; rows with -1 are left out.
    """
    given = spans[..., 0] >= 0
    positions = torch.arange(attention.shape[-1])
    begin = spans[..., :1].floor()
    end = torch.maximum(spans[..., 1:].ceil(), begin + 1)
    inside = ((positions >= begin) & (positions < end) & given[..., None]).float()
    wanted = inside / inside.sum(-1, keepdim=True).clamp_min(1)
    loss = -(wanted * (attention + 1e-6).log()).sum(-1)
    return loss[given].mean()

"""The published formulas once more, in NumPy and double precision, on a head's weights by name.

Written from the formulas and from nothing else: attention is spelled out with its queries and keys,
outer products are made, and sequences are mixed row by row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.models.outputs import Encoded
from core.models.systems.head import SystemHead

Array = NDArray[np.float64]
State = Mapping[str, Array]


@dataclass(frozen=True)
class Reference:
    """What a head should say."""

    logits: Array
    arousal: Array
    valence: Array
    feature: Array | None = None


def state_of(head: SystemHead) -> dict[str, Array]:
    """Weights by name in double precision."""
    return {n: t.detach().double().numpy() for n, t in head.state_dict().items()}


def part(state: State, prefix: str) -> dict[str, Array]:
    """The weights below a name."""
    start = prefix + "."
    return {n.removeprefix(start): w for n, w in state.items() if n.startswith(start)}


def linear(state: State, name: str, x: Array) -> Array:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def layer_norm(state: State, name: str, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def relu(x: Array) -> Array:
    return np.maximum(x, 0.0)


def gelu(x: Array) -> Array:
    erf: Array = np.vectorize(math.erf)(x / math.sqrt(2.0))
    return 0.5 * x * (1.0 + erf)


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def read(state: State, x: Array, feature: Array | None = None) -> Reference:
    """One linear layer each for labels, arousal and valence."""
    return Reference(
        linear(state, "emotion", x),
        linear(state, "affect.arousal", x)[:, 0],
        linear(state, "affect.valence", x)[:, 0],
        feature,
    )


def pooled(encoded: Encoded) -> Array:
    return encoded.pooled.double().numpy()


def side_by_side(speech: Encoded, text: Encoded) -> Array:
    return np.concatenate([pooled(speech), pooled(text)], axis=1)


def speech(state: State, one: Encoded, two: Encoded) -> Reference:
    return read(part(state, "out"), np.tanh(linear(state, "dense", pooled(one))))


def text(state: State, one: Encoded, two: Encoded) -> Reference:
    return read(part(state, "out"), layer_norm(state, "norm", pooled(two)))


def early(state: State, one: Encoded, two: Encoded) -> Reference:
    return read(part(state, "out"), layer_norm(state, "norm", side_by_side(one, two)))


def nested_early(state: State, one: Encoded, two: Encoded) -> Reference:
    x = layer_norm(state, "norm", side_by_side(one, two))
    affect = part(state, "affect")
    return Reference(
        linear(part(state, "out"), f"classifiers.{x.shape[1]}", x),
        linear(affect, "arousal", x)[:, 0],
        linear(affect, "valence", x)[:, 0],
    )


def late(state: State, one: Encoded, two: Encoded) -> Reference:
    heard = read(part(state, "speech"), pooled(one))
    said = read(part(state, "text"), pooled(two))
    stacked = layer_norm(state, "norm", np.stack([heard.logits, said.logits], axis=1))
    return Reference(
        stacked.mean(1), (heard.arousal + said.arousal) / 2, (heard.valence + said.valence) / 2
    )


def residual_of(state: State, x: Array) -> Array:
    r = relu(linear(state, "blocks.narrow", x))
    return relu(linear(state, "blocks.widen", np.concatenate([x, r], axis=1)))


def residual(state: State, one: Encoded, two: Encoded) -> Reference:
    x = layer_norm(state, "norm", side_by_side(one, two))
    return read(part(state, "out"), x + residual_of(state, x))


def attend(state: State, x: Array) -> tuple[Array, Array]:
    """Q, K: Linear 1-H, V: Linear 1-1 on every scalar feature; softmax(Q K^T / sqrt H) V."""
    tokens = x[:, :, None]
    query, key = linear(state, "query", tokens), linear(state, "key", tokens)
    weight = softmax(query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1]))
    return (weight @ linear(state, "value", tokens))[:, :, 0], weight


def rsa(state: State, one: Encoded, two: Encoded) -> Reference:
    x = layer_norm(state, "norm", side_by_side(one, two))
    attended, weight = attend(part(state, "attention"), x)
    return read(part(state, "out"), x + residual_of(state, attended), weight)


def with_constant(x: Array) -> Array:
    return np.concatenate([np.ones((len(x), 1)), x], axis=1)


def block_diagonal(first: Array, second: Array) -> Array:
    size, other = first.shape[1], second.shape[1]
    both = np.zeros((len(first), size + other, size + other))
    both[:, :size, :size] = first
    both[:, size:, size:] = second
    return both


def rsa_cfn(state: State, one: Encoded, two: Encoded) -> Reference:
    head = part(state, "head")
    w, t = linear(head, "project_speech", pooled(one)), linear(head, "project_text", pooled(two))
    attended_w, own = attend(part(head, "attention.0"), w)
    attended_t, other = attend(part(head, "attention.1"), t)
    w = with_constant(layer_norm(head, "speech_norm", attended_w + w))
    t = with_constant(layer_norm(head, "text_norm", attended_t + t))
    z = np.stack([np.outer(a, b).ravel() for a, b in zip(w, t, strict=True)])
    r = relu(linear(head, "block.0", z))
    r2 = relu(linear(head, "expand.0", np.concatenate([z, r], axis=1)))
    hidden = relu(linear(head, "out.0", z + r2))
    affect = part(state, "affect")
    return Reference(
        linear(head, "out.3", hidden),
        linear(affect, "arousal", hidden)[:, 0],
        linear(affect, "valence", hidden)[:, 0],
        block_diagonal(own, other),
    )


def low_rank_rsa_cfn(state: State, one: Encoded, two: Encoded) -> Reference:
    """As `rsa_cfn`, but units read w' (sum_r a_r u_r v_r') t of the outer product, made here."""
    w, t = linear(state, "project_speech", pooled(one)), linear(state, "project_text", pooled(two))
    attended_w, own = attend(part(state, "speech_attention"), w)
    attended_t, other = attend(part(state, "text_attention"), t)
    w = with_constant(layer_norm(state, "speech_norm", attended_w + w))
    t = with_constant(layer_norm(state, "text_norm", attended_t + t))
    u, v = (
        np.concatenate([state[f"product.{n}.bias"][:, None], state[f"product.{n}.weight"]], axis=1)
        for n in ("first", "second")
    )
    outer = np.einsum("bi,bj->bij", w, t)
    f = np.einsum("bij,ri,rj->br", outer, u, v)
    hidden = relu(linear(state, "dense", f + residual_of(state, f)))
    return read(part(state, "out"), hidden, block_diagonal(own, other))


def hybrid(state: State, one: Encoded, two: Encoded) -> Reference:
    voters = [
        formula(part(state, f"voters.{name}"), one, two)
        for name, formula in (
            ("early", early),
            ("late", late),
            ("residual", residual),
            ("rsa_cfn", rsa_cfn),
        )
    ]
    stacked = layer_norm(state, "norm", np.stack([v.logits for v in voters], axis=1))
    return Reference(
        stacked.mean(1),
        np.mean([v.arousal for v in voters], axis=0),
        np.mean([v.valence for v in voters], axis=0),
        voters[-1].feature,
    )


def mixer_mlp(state: State, name: str, x: Array) -> Array:
    return linear(state, f"{name}.2", gelu(linear(state, f"{name}.0", x)))


def mixer(state: State, one: Encoded, two: Encoded, *, masked: bool) -> Reference:
    """Row by row; `masked`: only what is valid is mixed and averaged."""
    frames = part(state, "block")["tokens.0.weight"].shape[0] - TEXT_TOKENS
    rows = []
    for row in range(len(one.pooled)):
        pieces, used = [], []
        for source, name, length in ((two, "text", TEXT_TOKENS), (one, "speech", frames)):
            valid = int(source.mask[row].sum()) if masked else source.sequence.shape[1]
            kept = source.sequence[row, : min(valid, length)].double().numpy()
            projected = linear(state, f"project_{name}", kept)
            pieces += [projected, np.zeros((length - len(projected), projected.shape[1]))]
            used += [np.arange(length) < (len(projected) if masked else length)]
        x, counts = np.concatenate(pieces), np.concatenate(used)
        y = layer_norm(state, "block.norm", x)
        y[~counts] = 0.0
        x = x + mixer_mlp(state, "block.tokens", y.T).T
        y = layer_norm(state, "block.norm", mixer_mlp(state, "block.tokens", y.T).T)
        x = x + mixer_mlp(state, "block.channels", y)
        rows.append(layer_norm(state, "norm", x)[counts].mean(0))
    return read(part(state, "out"), gelu(linear(state, "dense", np.stack(rows))))


TEXT_TOKENS = 6


def mlp_mixer(state: State, one: Encoded, two: Encoded) -> Reference:
    return mixer(state, one, two, masked=True)


def published_mlp_mixer(state: State, one: Encoded, two: Encoded) -> Reference:
    return mixer(state, one, two, masked=False)


def knu_speech(state: State, one: Encoded, two: Encoded) -> Reference:
    return read(part(state, "out"), pooled(one))


def knu_text(state: State, one: Encoded, two: Encoded) -> Reference:
    return read(part(state, "out"), pooled(two))


def cat(state: State, one: Encoded, two: Encoded) -> Reference:
    return read(part(state, "out"), side_by_side(one, two))


def add(state: State, one: Encoded, two: Encoded) -> Reference:
    x = linear(state, "project_speech", pooled(one)) + pooled(two)
    return read(part(state, "out"), x)


FORMULAS: dict[str, Callable[[State, Encoded, Encoded], Reference]] = {
    "speech": speech,
    "text": text,
    "early": early,
    "late": late,
    "mlp_mixer": mlp_mixer,
    "stack": early,
    "residual": residual,
    "rsa": rsa,
    "rsa_cfn": rsa_cfn,
    "low_rank_rsa_cfn": low_rank_rsa_cfn,
    "nested_early": nested_early,
    "hybrid": hybrid,
    "knu_speech": knu_speech,
    "knu_text": knu_text,
    "cat": cat,
    "add": add,
}
"""By system; the stack without its dropout is early fusion."""

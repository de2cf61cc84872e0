"""Topic `rsa_cfn`: what the low-rank head costs beside the published one, at 1024 + 768 to 7.

Both train and answer in turns within one process, on one thread. Memory is measured first, in a
process of its own per head: how much its resident memory grows. The published head then needs
about 5.3 GB (weights, gradients and Adam's two averages in fp32), the largest that is held here.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import psutil
import torch
from torch import Tensor
from torch.nn import functional as F

from core.bench.memory import resident_megabytes
from core.bench.report import Measurement, Report
from core.bench.subject import one_thread
from core.bench.timing import interleave, ratios, summarise
from core.errors import EmoscopeError
from core.models.outputs import Encoded
from core.models.size import number_of_parameters, weight_bytes
from core.models.systems.build import build_head
from core.models.systems.head import HeadSizes, SystemHead

SIZES = HeadSizes(speech=1024, text=768, classes=7)
PUBLISHED, LOW_RANK = "rsa_cfn", "low_rank_rsa_cfn"
BATCH = 4
"""As the paper trains its RSA-CFN."""
SHARE_TARGET = 0.01
NEEDED = 7.5e9
"""Bytes that have to be free: 5.3 GB of weights, gradients and averages, and working space."""


def measure(quick: bool) -> Report:
    """Measure parameters, memory, a training step and an answer.

    Raises:
        EmoscopeError: there is not enough memory for the published head.
    """
    if psutil.virtual_memory().available < NEEDED:
        raise EmoscopeError(
            f"The published RSA-CFN head trains in {NEEDED / 1e9:.1f} GB, which are not free.",
            "Close other programs and measure again.",
        )
    memory = {name: _in_own_process(name) for name in (LOW_RANK, PUBLISHED)}
    with one_thread():
        timed = _timings(rounds=2 if quick else 5)
    notes = (
        f"Batches of {BATCH} in training, 1 in answering; fp32, one thread, processor time;"
        " a step is forward, backward and a fused AdamW.",
        "Features of encoders are made up: neither speed nor memory depends on them.",
    )
    return Report("rsa_cfn", (*_parameters(), *_memory(memory), *timed), notes)


def _parameters() -> tuple[Measurement, ...]:
    counts = {}
    with torch.device("meta"):
        for name in (PUBLISHED, LOW_RANK):
            counts[name] = number_of_parameters(build_head(name, SIZES))
    share = counts[LOW_RANK] / counts[PUBLISHED]
    return (
        Measurement("parameters, published", counts[PUBLISHED], "", note="counted"),
        Measurement("parameters, low rank", counts[LOW_RANK], "", note="counted"),
        Measurement("low rank / published", share, "", target=SHARE_TARGET, note="counted"),
    )


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes by which a process grew: with the weights, and after a step of training.

    weights_alone is computed: bytes of all parameters.
    """

    weights: float
    training: float
    weights_alone: float


def _in_own_process(name: str) -> Memory:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measure_memory, name).result()


def measure_memory(name: str) -> Memory:
    """Return how much this process grows by a head and by training it."""
    torch.set_num_threads(1)
    _step_of(torch.nn.Linear(SIZES.speech, SIZES.classes), _linear_loss)()  # what loads on use
    before = resident_megabytes()
    head = build_head(name, SIZES).train()
    built = resident_megabytes()
    step = _training_step(head)  # holds the optimizer, and with it the averages
    step()
    return Memory(built - before, resident_megabytes() - before, weight_bytes(head) / 1e6)


def _linear_loss(module: torch.nn.Module) -> Tensor:
    logits: Tensor = module(torch.randn(BATCH, SIZES.speech))
    return F.cross_entropy(logits, torch.zeros(BATCH, dtype=torch.long))


def _memory(memory: dict[str, Memory]) -> tuple[Measurement, ...]:
    published, low_rank = memory[PUBLISHED], memory[LOW_RANK]
    how = f"resident; {published.weights_alone:.0f} and {low_rank.weights_alone:.1f} MB computed"
    whole = (
        f"resident; {4 * published.weights_alone:.0f} and {4 * low_rank.weights_alone:.1f} MB"
        " computed"
    )
    return (
        Measurement("weights, published", published.weights, "MB", note=how),
        Measurement("weights, low rank", low_rank.weights, "MB", note=how),
        Measurement("weights, gradients, Adam, published", published.training, "MB", note=whole),
        Measurement("weights, gradients, Adam, low rank", low_rank.training, "MB", note=whole),
        Measurement(
            "memory of training, published / low rank",
            published.training / max(low_rank.training, 1e-3),
            "",
        ),
    )


def _timings(rounds: int) -> tuple[Measurement, ...]:
    torch.manual_seed(0)
    heads = {name: build_head(name, SIZES) for name in (PUBLISHED, LOW_RANK)}
    answers = interleave({n: _answer(head) for n, head in heads.items()}, 5 * rounds, warm_up=2)
    steps = interleave({n: _training_step(head) for n, head in heads.items()}, rounds)
    measured = []
    for what, runs in (("training step", steps), ("answer", answers)):
        published, low_rank = runs[PUBLISHED], runs[LOW_RANK]
        for label, samples in (("published", published), ("low rank", low_rank)):
            milliseconds = [1000 * sample.processor for sample in samples]
            measured.append(summarise(f"{what}, {label}", milliseconds, "ms"))
        compared = ratios(published, low_rank)
        measured.append(summarise(f"{what}, published / low rank", compared, ""))
    return tuple(measured)


def _training_step(head: SystemHead) -> Callable[[], None]:
    speech, text = _encoded(BATCH)
    truth = torch.arange(BATCH) % SIZES.classes
    return _step_of(head.train(), lambda _: F.cross_entropy(head(speech, text).logits, truth))


def _step_of(
    module: torch.nn.Module, loss: Callable[[torch.nn.Module], Tensor]
) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-5, weight_decay=0.0, fused=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=False)
        module.train()
        loss(module).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def _answer(head: SystemHead) -> Callable[[], None]:
    speech, text = _encoded(1)

    @torch.inference_mode()
    def answer() -> None:
        head.eval()(speech, text)

    return answer


def _encoded(rows: int) -> tuple[Encoded, Encoded]:
    """Return pooled speech and text as encoders give them, without sequences."""
    generator = torch.Generator().manual_seed(0)
    encoded = []
    for width in (SIZES.speech, SIZES.text):
        pooled = torch.randn(rows, width, generator=generator)
        mask = torch.ones(rows, 1, dtype=torch.bool)
        encoded.append(Encoded(pooled[:, None], mask, pooled, pooled.new_zeros(rows, 0)))
    return encoded[0], encoded[1]

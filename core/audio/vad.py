"""Streaming voice activity detection with Silero VAD v6 (https://github.com/snakers4/silero-vad).

The network file comes with faster-whisper. It is run frame by frame here, state carried, and gives
the same numbers as faster-whisper's batch call.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.errors import DeviceError
from core.types import WINDOW, FloatArray

CONTEXT = 64
"""Samples of the previous window that the network sees before each window."""


class VoiceActivityDetector(Protocol):
    """Says window by window whether somebody is speaking; carries state from window to window."""

    def probability(self, window: FloatArray) -> float:
        """Return the probability of speech in `window`, shape (512,), the next of the stream."""
        ...

    def reset(self) -> None:
        """Forget the past: the next window begins a stream."""
        ...


def silero_path() -> Path:
    """Return where the network file is, without importing faster-whisper (which is slow).

    Raises DeviceError when faster-whisper is not installed or came without the file.
    """
    spec = find_spec("faster_whisper")
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / "assets" / "silero_vad_v6.onnx"
        if path.is_file():
            return path
    raise DeviceError(
        "The voice activity detector that comes with faster-whisper is missing.",
        "Install faster-whisper 1.2 again.",
    )


@lru_cache(maxsize=1)
def _session() -> Any:
    """Load the network once per process; running it is thread-safe, the state is the caller's."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        str(silero_path()), sess_options=options, providers=["CPUExecutionProvider"]
    )


class SileroVad:
    """Silero VAD v6, a window of 32 ms at a time (about 0.1 ms of work each) or many at once."""

    def __init__(self) -> None:
        self._session = _session()
        self._input = np.zeros((1, CONTEXT + WINDOW), np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next window begins a stream."""
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._input[:] = 0

    def probabilities(self, samples: FloatArray) -> FloatArray:
        """Return the probability of speech in each window of `samples`, (n * 512,) -> (n,).

        The same numbers, bit by bit, as those windows one after the other, in half the time: what
        is not recurrent in the network is computed for all of them at once.
        """
        if not samples.size:
            return np.zeros(0, np.float32)
        stream = np.concatenate([self._input[0, -CONTEXT:], samples])
        windows = np.lib.stride_tricks.sliding_window_view(stream, CONTEXT + WINDOW)[::WINDOW]
        feed = {"input": np.ascontiguousarray(windows), "h": self._hidden, "c": self._cell}
        output, self._hidden, self._cell = self._session.run(None, feed)
        self._input[0] = windows[-1]
        return np.asarray(output.reshape(-1), np.float32)

    def probability(self, window: FloatArray) -> float:
        """Return the probability of speech in `window`, shape (512,), the next of the stream."""
        self._input[0, :CONTEXT] = self._input[0, -CONTEXT:]
        self._input[0, CONTEXT:] = window
        feed = {"input": self._input, "h": self._hidden, "c": self._cell}
        output, self._hidden, self._cell = self._session.run(None, feed)
        return float(output.reshape(-1)[0])

from __future__ import annotations

import threading
import time

import numpy as np

from core.audio.ring_buffer import RingBuffer
from core.types import FloatArray


def numbered(begin: int, count: int) -> FloatArray:
    return np.arange(begin, begin + count, dtype=np.float32)[:, None]


def test_what_is_written_is_read_in_order_across_the_seam() -> None:
    ring = RingBuffer(1, 10)
    position = 0
    for count in (4, 4, 4, 7, 1, 10):
        ring.write(numbered(position, count))
        frames, lost = ring.read(100)
        assert lost == 0
        np.testing.assert_array_equal(frames, numbered(position, count))
        position += count
    assert ring.overwritten == 0


def test_a_read_takes_at_most_what_is_asked() -> None:
    ring = RingBuffer(2, 10)
    ring.write(np.ones((6, 2), np.float32))
    assert ring.read(4)[0].shape == (4, 2)
    assert ring.available == 2
    assert ring.read(4)[0].shape == (2, 2)
    assert ring.read(4)[0].shape == (0, 2)


def test_the_writer_copies() -> None:
    ring = RingBuffer(1, 10)
    frames = numbered(0, 3)
    ring.write(frames)
    frames[:] = -1
    np.testing.assert_array_equal(ring.read(3)[0], numbered(0, 3))


def test_a_slow_reader_learns_what_it_lost_and_goes_on_with_whole_frames() -> None:
    ring = RingBuffer(1, 100)
    for begin in range(0, 250, 10):
        ring.write(numbered(begin, 10))
    assert ring.overwritten == 150
    frames, lost = ring.read(1000)
    assert lost == ring.overwritten == 200  # it resynchronises to the newer half
    np.testing.assert_array_equal(frames, numbered(200, 50))
    ring.write(numbered(250, 10))
    np.testing.assert_array_equal(ring.read(1000)[0], numbered(250, 10))
    assert ring.overwritten == 200


def test_a_piece_longer_than_the_ring_leaves_its_end() -> None:
    ring = RingBuffer(1, 10)
    ring.write(numbered(0, 25))
    frames, lost = ring.read(100)
    assert lost + len(frames) == 25
    np.testing.assert_array_equal(frames, numbered(lost, 25 - lost))


def test_two_threads_never_see_a_torn_or_a_doubled_frame() -> None:
    ring = RingBuffer(1, 997)
    total = 200_000

    def write() -> None:
        for begin in range(0, total, 50):
            ring.write(numbered(begin, 50))
            if begin % 5_000 == 0:
                time.sleep(0)

    writer = threading.Thread(target=write)
    writer.start()
    expected = 0
    while expected < total:
        frames, lost = ring.read(300)
        expected += lost
        np.testing.assert_array_equal(frames, numbered(expected, len(frames)))
        expected += len(frames)
    writer.join()
    assert ring.written == total

"""A pickle is a program; whatever it asks for, none of it may run."""

from __future__ import annotations

import os
import pickle
import struct
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest

from core.errors import CorpusError
from training.data.feature_files import restricted_pickle
from training.data.feature_files.pickled_arrays import PickledArray, plain
from training.data.feature_files.restricted_pickle import load_pickle
from training.generated.dialogue_features import GeneratedDialogues, feature_fields

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Runs:
    """Calls something when it is unpickled by an ordinary reader."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture
def canary(tmp_path) -> Path:
    return tmp_path / "canary"


def attacks(canary: Path) -> dict[str, object]:
    command = f"touch {canary}"
    return {
        "os.system": Runs(os.system, command),
        "builtins.eval": Runs(eval, f"open({str(canary)!r}, 'w').close()"),
        "builtins.exec": Runs(exec, f"open({str(canary)!r}, 'w').close()"),
        "io.open": Runs(open, str(canary), "w"),
        "subprocess": Runs(__import__("subprocess").check_call, ["touch", str(canary)]),
        "numpy.fromfile": Runs(np.fromfile, str(canary)),
        "numpy.save": Runs(np.save, str(canary), np.ones(1)),
        "functools.partial": Runs(__import__("functools").partial, os.system, command),
        "getattr": Runs(getattr, "", "join"),
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", list(attacks(Path())))
def test_nothing_that_a_pickle_names_is_run(tmp_path, canary, name, protocol):
    content = pickle.dumps(attacks(canary)[name], protocol)
    with pytest.raises(CorpusError, match="could run code") as error:
        load_pickle(written(tmp_path / "features.pkl", content))
    assert not canary.exists()
    assert "features.pkl" in str(error.value)
    assert "Nothing was run" in str(error.value)


def test_the_attacks_are_real(tmp_path, canary):
    pickle.loads(pickle.dumps(attacks(canary)["os.system"]))
    assert canary.exists()


@pytest.mark.parametrize("field", range(12))
def test_code_hidden_in_any_field_is_refused(tmp_path, canary, field):
    fields = list(feature_fields("iemocap", GeneratedDialogues(train=4, test=3, turns=(2, 3))))
    bad = Runs(os.system, f"touch {canary}")
    if isinstance(fields[field], dict):
        fields[field][next(iter(fields[field]))] = [bad]
    else:
        fields[field] = [*fields[field], bad]
    path = written(tmp_path / "features.pkl", pickle.dumps(tuple(fields)))
    with pytest.raises(CorpusError, match=r"posix\.system|nt\.system"):
        load_pickle(path)
    assert not canary.exists()


NAMES = (
    "numpy.testing._private.utils runstring", "numpy.core.multiarray fromfile", "numpy load",
    "numpy.core.numeric load", "numpy.distutils.exec_command exec_command", "numpy ndarray.tofile",
    "numpy.core.multiarray _reconstruct.__globals__", "numpy.f2py.diagnose run_command",
    "numpy._core.multiarray frombuffer", "builtins type", "builtins getattr", "builtins bytearray",
    "collections namedtuple", "collections abc", "_codecs decode", "_codecs lookup",
    "codecs encode", "copyreg _reconstructor", "copy_reg __newobj__", "__builtin__ eval",
    "__builtin__ apply", "torch._utils _rebuild_tensor_v2", "os system", "importlib import_module",
    "training.data.feature_files.pickled_arrays Callee",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_only_look_like_numpy_are_refused(tmp_path, name):
    module, _, attribute = name.partition(" ")
    old = f"c{module}\n{attribute}\n.".encode()
    texts = [struct.pack("<B", len(t)) + t.encode() for t in (module, attribute)]
    new = b"\x80\x04\x8c" + texts[0] + b"\x8c" + texts[1] + b"\x93."
    instance = f"(i{module}\n{attribute}\n.".encode()
    for content in (old, new, instance):
        with pytest.raises(CorpusError, match="could run code") as error:
            load_pickle(written(tmp_path / "x.pkl", content))
        assert f"{module}.{attribute}" in str(error.value)


def test_what_may_be_called_can_not_be_changed(tmp_path):
    allowed = b"cnumpy.core.multiarray\n_reconstruct\n"
    instances = b"c__builtin__\nset\n"
    state = b"(NN}U\x09_functionU\x01xstb."  # BUILD with a state of slots
    for target in (allowed, instances):
        path = written(tmp_path / "x.pkl", target + state)
        with pytest.raises(CorpusError, match="damaged"):
            load_pickle(path)
    rng = np.random.default_rng(0).normal(size=3)
    again = load_pickle(written(tmp_path / "y.pkl", pickle.dumps(rng)))
    np.testing.assert_array_equal(plain(again), rng)


ARRAYS = {
    "float32": np.arange(12, dtype=np.float32).reshape(3, 4),
    "float64, other byte order": np.arange(4, dtype=">f8"),
    "by columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "integers": np.array([3, -1, 2**40]),
    "truth values": np.array([[True, False]]),
    "texts": np.array(["one", "zwei"]),
    "bytes": np.array([b"one", b"two!"]),
    "empty": np.zeros((0, 5)),
    "half": np.array([0.5, 2], dtype=np.float16),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", list(ARRAYS))
def test_arrays_come_out_as_they_went_in(tmp_path, name, protocol):
    path = written(tmp_path / "x.pkl", pickle.dumps([ARRAYS[name]] * 2, protocol))
    for found in load_pickle(path):
        assert isinstance(found, PickledArray)
        np.testing.assert_array_equal(found.values, ARRAYS[name])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_containers_and_scalars_come_out_as_they_went_in(tmp_path, protocol):
    named = defaultdict(list, {"a": [1, 2.5, None]})
    content = [
        named, OrderedDict(b="text", c="한국어"), {1, 2}, frozenset({"x"}), ("tuple", b"bytes"),
        np.float32(0.5), np.int64(7), np.str_("text"), True, 2**70,
    ]  # fmt: skip
    found = load_pickle(written(tmp_path / "x.pkl", pickle.dumps(content, protocol)))
    assert found == content
    assert load_pickle(
        written(tmp_path / "x.pkl", pickle.dumps(np.array([1, "a"], dtype=object), protocol))
    ).values.tolist() == [1, "a"]


def python2_array(values: np.ndarray) -> bytes:
    """Return how Python 2 wrote an array by protocol 2: raw bytes as a plain string."""
    raw = values.tobytes()
    code = values.dtype.str[1:].encode()
    return b"".join(
        [
            b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\nndarray\n", b"K\x00\x85",
            b"U\x01b\x87R", b"(K\x01", b"".join(b"K" + bytes([n]) for n in values.shape)
            + {1: b"\x85", 2: b"\x86"}[values.ndim],
            b"cnumpy\ndtype\nU" + bytes([len(code)]) + code + b"K\x00K\x01\x87R",
            b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb", b"\x89",
            b"T" + struct.pack("<i", len(raw)) + raw, b"tb",
        ]
    )  # fmt: skip


def test_arrays_that_python_2_wrote(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 4)).astype("<f4")
    content = b"\x80\x02" + python2_array(values) + b"."
    np.testing.assert_array_equal(plain(load_pickle(written(tmp_path / "x.pkl", content))), values)
    np.testing.assert_array_equal(pickle.loads(content, encoding="latin1"), values)


def test_crafted_arrays_are_refused(tmp_path):
    compound = pickle.dumps(np.zeros(2, dtype=[("a", "i4")]))
    whole = pickle.dumps(np.arange(8.0), 2)
    shape = whole.replace(b"K\x08\x85", b"K\x7f\x85")
    assert shape != whole
    numbers = np.array(["x" * 3])
    pointers = pickle.dumps(numbers, 2).replace(b"U3", b"O8")
    dates = pickle.dumps(np.array(["2020-01-01"], dtype="datetime64[D]"))
    for content in (compound, shape, pointers, dates):
        with pytest.raises(CorpusError, match="damaged"):
            load_pickle(written(tmp_path / "x.pkl", content))


def test_damaged_files_are_named(tmp_path):
    whole = pickle.dumps({"a": np.arange(500.0), "b": ["text"] * 9}, 4)
    for cut in range(0, len(whole), 97):
        with pytest.raises(CorpusError, match=r"x\.pkl is no feature file or is damaged"):
            load_pickle(written(tmp_path / "x.pkl", whole[:cut]))
    with pytest.raises(CorpusError, match="can't be read"):
        load_pickle(tmp_path / "nowhere.pkl")
    for content in (b"", b"PK\x03\x04", b"\x93NUMPY", b"\x80\x04P1\n.", b"\x80\x04Q.", b"(" * 99):
        with pytest.raises(CorpusError, match="damaged"):
            load_pickle(written(tmp_path / "x.pkl", content))


def test_sizes_that_no_file_has_are_refused_before_memory_is_asked_for(tmp_path, monkeypatch):
    claims = {
        "bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**50) + b"x.",
        "text": b"\x80\x04X" + struct.pack("<I", 2**31) + b"x.",
        "frame": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",
        "a number of a value": b"\x80\x02Nr" + struct.pack("<I", 2**32 - 2) + b".",
        "a decimal number of a value": b"Np4294967290\n.",
        "bytes of protocol 5": b"\x80\x05\x96" + struct.pack("<Q", 2**42) + b"x.",
    }
    for content in claims.values():
        with pytest.raises(CorpusError, match="damaged"):
            load_pickle(written(tmp_path / "x.pkl", content))
    monkeypatch.setattr(restricted_pickle, "LARGEST", 10)
    with pytest.raises(CorpusError, match="too many"):
        load_pickle(written(tmp_path / "x.pkl", pickle.dumps(list(range(99)))))


def test_values_that_are_copied_over_and_over_are_refused(tmp_path):
    """A call or an array of a value that was there before takes a few bytes in a file."""
    text = b"T" + struct.pack("<i", 2**20) + b"a" * 2**20
    array = b"h\x01)Rh\x02b"
    state = b"(K\x01J\x00\x00\x10\x00\x85cnumpy\ndtype\nU\x02u1\x85R\x89h\x00t"
    attacks = {
        "lists": text + b"q\x000c__builtin__\nlist\nq\x010(" + b"h\x01h\x00\x85R" * 12,
        "texts": text + b"q\x000c_codecs\nencode\nq\x010(" + b"h\x01h\x00\x85R" * 12,
        "arrays": text + b"q\x000cnumpy.core.multiarray\n_reconstruct\nq\x010" + state
        + b"q\x020(" + array * 12,
    }  # fmt: skip
    for content in attacks.values():
        with pytest.raises(CorpusError, match="over and over"):
            load_pickle(written(tmp_path / "x.pkl", b"\x80\x02" + content + b"t."))
    once = attacks["arrays"].replace(array * 12, array)
    (found,) = load_pickle(written(tmp_path / "x.pkl", b"\x80\x02" + once + b"t."))
    assert found.values.shape == (2**20,)


DEPTH = 300_000
DEEP = {
    "tuples": b")" + b"\x85" * DEPTH + b"q\x000",
    "tuples of two": b")q\x010" + b"h\x01" * (DEPTH + 1) + b"\x86" * DEPTH + b"q\x000",
    "tuples of a mark": b"(" * DEPTH + b"t" * DEPTH + b"q\x000",
    "lists made tuples": b"c__builtin__\ntuple\nq\x010)q\x000"
    + b"h\x01](h\x00e\x85Rq\x000" * DEPTH,
    "one list": b"c__builtin__\ntuple\nq\x010]q\x020" + b"h\x02h\x01h\x02\x85Ra0" * DEPTH
    + b"h\x02q\x000",
    "twice": b")" + b"2\x86" * DEPTH + b"q\x000",
}  # fmt: skip


@pytest.mark.parametrize("name", list(DEEP))
def test_what_is_nested_too_deep_is_refused_before_it_is_a_key(tmp_path, name):
    """Python would overflow the stack for the hash of it, which nothing can catch."""
    with pytest.raises(CorpusError, match="nested more than 100 deep"):
        load_pickle(written(tmp_path / "x.pkl", b"\x80\x02" + DEEP[name] + b"}h\x00Ns."))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_nested_as_honest_files_are_is_read(tmp_path, protocol):
    content: object = {"a": np.arange(3.0)}
    for _ in range(20):
        content = [(content, {"b": content})]
    path = written(tmp_path / "x.pkl", pickle.dumps([content] * 50, protocol))
    assert len(load_pickle(path)) == 50


def test_what_is_refused_is_not_written_out(tmp_path):
    """Lists of lists of lists: a few bytes in a file, millions of letters when they are named."""
    many: object = "A" * 20
    for _ in range(6):
        many = (many,) * 10
    held = pickle.dumps(many, 4)[:-1]
    for content in (
        b"cnumpy\ndtype\n" + held + b"\x85R.",
        b"cnumpy.core.numeric\n_frombuffer\n(U\x00U\x00" + held + b"tR.",
        b"c_codecs\nencode\n(U\x01a" + held + b"tR.",
        b"cnumpy\ndtype\nU\x02f4\x85R(N" + held + b"NNNNNNtb.",
    ):
        with pytest.raises(CorpusError, match="damaged") as error:
            load_pickle(written(tmp_path / "x.pkl", content))
        assert len(str(error.value)) < 2000


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_altered_bytes_are_read_or_refused_and_nothing_else_happens(tmp_path, protocol):
    rng = np.random.default_rng(protocol)
    content = {"a": [np.arange(3.0), "text"], "b": {1, 2}, "c": np.float64(1), "d": b"raw"}
    whole = pickle.dumps(content, protocol)
    refused = 0
    for _ in range(150):
        altered = bytearray(whole)
        for place in rng.integers(0, len(whole), int(rng.integers(1, 4))):
            altered[place] = rng.integers(256)
        try:
            load_pickle(written(tmp_path / "x.pkl", bytes(altered)))
        except CorpusError:
            refused += 1
    assert refused > 20

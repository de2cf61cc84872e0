"""Where a reproduction's corpora and encoders come from: found in a folder, or generated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import CorpusError
from training.distributed import current
from training.generated.encoders import write_encoder
from training.generated.kemdy import write_kemdy19, write_kemdy20
from training.generated.kemdy_segments import GeneratedKemdy
from training.generated.kemdy_sentences import SENTENCES
from training.reproduce.options import ReproduceOptions

_WRITERS = {"kemdy20": write_kemdy20, "kemdy19": write_kemdy19}
QUICK_CORPUS = GeneratedKemdy(sessions=6, segments=40, seconds=(1.2, 2.4))
CORPUS = GeneratedKemdy(sessions=8, segments=40, seconds=(1.0, 2.5))


@dataclass(frozen=True, slots=True)
class EncoderNames:
    """Hub names or folders; None: as the configuration says."""

    speech: str | None = None
    text: str | None = None
    second_text: str | None = None


@dataclass(frozen=True, slots=True)
class _Widths:
    """Of generated encoders: hidden states of speech and text, convolutions, layers."""

    speech: int
    text: int
    features: int
    layers: int


_QUICK_WIDTHS = _Widths(speech=48, text=64, features=32, layers=2)
_WIDTHS = {"rsa-cfn": _Widths(1024, 768, 64, 1), "knu": _Widths(768, 768, 512, 1)}
"""Without --quick as wide as the published ones, so that heads have their published sizes."""
_KINDS = {
    "rsa-cfn": ("wav2vec2_large_like", "klue_roberta_like", "xlm_roberta_like"),
    "knu": ("wav2vec2_base_like", "klue_bert_like", ""),
}


_POOLER_SENTENCES = {
    "knu": (
        "KNU reads text out of BERT's pooler. A random one, kept frozen, knows next to nothing of"
        " the words: rows with text are at their worst here.",
    )
}


def find_corpus(name: str, options: ReproduceOptions) -> Path:
    """Return the folder of a corpus: in --data, or generated into --out.

    Raises:
        CorpusError: the folder is not there.
    """
    if options.generated:
        shape = QUICK_CORPUS if options.quick else CORPUS
        options.say(f"generating {shape.sessions * shape.segments} segments like {name}")
        folder = options.out / "corpora" / name
        processes = current()
        if processes.is_main:
            _WRITERS[name](folder, shape)
        processes.wait()
        return folder
    assert options.data is not None
    candidates = [options.data, *sorted(p for p in options.data.glob("*") if p.is_dir())]
    layouts = [p for p in candidates if (p / "annotation").is_dir() and (p / "wav").is_dir()]
    named = [p for p in layouts if p.name.lower().startswith(name)] or layouts[:1]
    if not named:
        raise CorpusError(f"{options.data} holds no {name}.", "Name its folder with --data.")
    return named[0]


def encoder_names(options: ReproduceOptions) -> EncoderNames:
    """Return the encoders asked for; generated ones where the corpus is generated."""
    asked = EncoderNames(options.speech, options.text, options.second_text)
    if not options.generated:
        return asked
    widths = _QUICK_WIDTHS if options.quick else _WIDTHS[options.paper]
    speech, text, second = _KINDS[options.paper]
    folder = options.out / "encoders"
    return EncoderNames(
        asked.speech or _made(folder, speech, widths.speech, widths),
        asked.text or _made(folder, text, widths.text, widths),
        asked.second_text or _made(folder, second, widths.text, widths),
    )


def _made(folder: Path, kind: str, width: int, widths: _Widths) -> str | None:
    if not kind:
        return None
    processes = current()
    if processes.is_main:
        write_encoder(
            kind, folder / kind, width=width, layers=widths.layers, features=widths.features,
            sentences=[text for said in SENTENCES.values() for text in said],
        )  # fmt: skip
    processes.wait()
    return str(folder / kind)


def generated_sentences(options: ReproduceOptions) -> tuple[str, ...]:
    """Return what a generated corpus and its encoders are, for the report."""
    if not options.generated:
        return ()
    shape = QUICK_CORPUS if options.quick else CORPUS
    widths = _QUICK_WIDTHS if options.quick else _WIDTHS[options.paper]
    return (
        f"The corpus is generated: {shape.sessions} sessions of {shape.segments} segments in the"
        " published layout, synthetic voices and sentences. Its figures say that everything works,"
        " nothing about people, and can't be compared with the paper's.",
        f"The encoders are generated: the published architectures with {widths.layers} layers,"
        f" widths {widths.speech} and {widths.text}, and random weights.",
        *_POOLER_SENTENCES.get(options.paper, ()),
    )

"""`emoscope convert-features FILE.pkl --out DIR`: published features as safetensors and JSON."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from training.data.dialogues import UNLABELLED, DialogueSet
from training.data.feature_files import folder as features_folder
from training.data.feature_files.published import CORPORA, read_published


def main(argv: Sequence[str]) -> int:
    """Convert and say what was in it. Raises CorpusError: the file is refused or can't be read."""
    arguments = _parser().parse_args(argv)
    found = read_published(
        arguments.file, arguments.corpus, nan_is_missing=arguments.nan_is_missing
    )
    features_folder.write_features(arguments.out, found.dialogues, found.corpus, found.sentences)
    lines = [f"{arguments.file}: {found.corpus}", *_summary(found.dialogues), ""]
    sys.stdout.write("\n".join([*lines, f"Written: {arguments.out}", ""]))
    return 0


def _summary(found: DialogueSet) -> list[str]:
    lines = []
    for part in features_folder.PARTS:
        mine = found.part(part)
        if mine.dialogues:
            lines.append(
                f"  {part:<6} {len(mine.dialogues):>6,} dialogues {mine.utterances:>8,} utterances"
            )
    if not found.part("dev").dialogues:
        lines.append("  There is no dev part: some dialogues of train will be held out when read.")
    for name, size in found.sizes.items():
        layers = f"{size.layers} x " if size.layers > 1 else ""
        missing = sum(int((~d.present[name]).sum()) for d in found.dialogues)
        without = f", {missing:,} utterances without" if missing else ""
        lines.append(f"  {name:<6} {layers}{size.dim}{without}")
    counts = Counter(int(label) for d in found.dialogues for label in d.labels)
    lines += [f"  {name:<12} {counts[place]:>7,}" for place, name in enumerate(found.classes)]
    if counts[UNLABELLED]:
        lines.append(f"  {'(no label)':<12} {counts[UNLABELLED]:>7,}")
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emoscope convert-features",
        description="Read a published feature pickle of IEMOCAP or MELD without running anything in"
        " it, and write it as safetensors and JSON.",
        epilog="The layout that is written, in which you can also put features of your own:\n\n"
        + (features_folder.__doc__ or "").split("\n", 2)[-1],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="iemocap_multimodal_features.pkl or meld_...pkl")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--corpus", choices=list(CORPORA), help="whose classes (default: told by the speakers)"
    )
    parser.add_argument(
        "--nan-is-missing", action="store_true",
        help="take utterances with NaN in a modality as ones without it, instead of refusing",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

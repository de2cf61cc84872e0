"""The console script `emoscope`: subcommands by name, imported when used."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

from core import __version__
from core.errors import EmoscopeError

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "gui": ("desktop.__main__:main", "open the window (what happens without a command)"),
        "analyze": (
            "core.commands.analyze:main",
            "read recordings, write turns and reports",
        ),
        "demo": ("core.commands.demo:main", "play the bundled sample in the terminal"),
        "devices": ("core.commands.devices:main", "list the input devices"),
        "doctor": ("core.commands.doctor:main", "say what works on this machine and what does not"),
        "train": ("training.train_command:main", "train a model from a configuration"),
        "reproduce": (
            "training.reproduce.command:main",
            "run a paper's protocol and print its table beside the published one",
        ),
        "adopt": (
            "training.adopt_command:main",
            "make a checkpoint from ready-made models of a hub or folder",
        ),
        "vote": (
            "training.vote_command:main",
            "let four trained checkpoints vote: the hybrid of RSA-CFN",
        ),
        "corpus": (
            "training.data.corpora_command:main",
            "read a corpus and say what is in it and what is wrong with it",
        ),
        "evaluate": ("training.evaluate:main", "score a checkpoint on corpora, beside baselines"),
        "quality": (
            "core.commands.quality:main",
            "check on recordings whether faster but inexact modes answer the same",
        ),
        "adapt": (
            "core.commands.adapt:main",
            "learn one person's voice from turns whose labels they corrected",
        ),
        "cut": ("core.commands.cut:main", "cut a dialogue checkpoint to one of its nested sizes"),
        "convert-features": (
            "training.convert_features_command:main",
            "make published feature pickles a folder of safetensors, executing nothing",
        ),
        "bench": ("core.bench:main", "measure speed and memory, beside the targets"),
    }
)
"""Name -> (where its `main(argv)` is, a line for the help); as strings, nothing is imported."""

DEFAULT_COMMAND = "gui"

LIBRARY_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "OMP_WAIT_POLICY": "PASSIVE",
        "KMP_BLOCKTIME": "0",
        "OPENBLAS_NUM_THREADS": "1",
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32",
        "LRU_CACHE_CAPACITY": "32",
    }
)
"""What libraries read from the environment as they are loaded, so that it must be set before.

Threads that wait for each other sleep rather than spin, which beside a busy window costs 2.4 to 4.7
times the time. And oneDNN and PyTorch forget how they computed lengths that did not come of late:
no utterance is as long as another, and by default each of a thousand keeps about 10 MB; forgetting
costs some 5 % of the time. NumPy's products are small, and its threads spin over them: learning
from 50 corrected turns beside other work took 17 s with one thread and 155 s with two."""

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130


def set_up_libraries() -> None:
    """Set what libraries read as they are loaded; what the user has set stands."""
    for variable, value in LIBRARY_SETTINGS.items():
        os.environ.setdefault(variable, value)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name and return its exit status.

    An `EmoscopeError` becomes a sentence on standard error and status 2, Ctrl+C becomes 130.
    """
    set_up_libraries()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in ("-V", "--version"):
        return _say(f"emoscope {__version__}")
    if arguments and arguments[0] in ("-h", "--help", "help"):
        return _say(help_text())
    name = DEFAULT_COMMAND
    # Qt and the window have options of their own: "emoscope -platform offscreen" opens the window.
    if arguments and not arguments[0].startswith("-"):
        name = arguments.pop(0)
    if name not in COMMANDS:
        print(unknown_command(name), file=sys.stderr)
        return EXIT_ERROR
    return _guarded(name, arguments)


def _guarded(name: str, arguments: Sequence[str]) -> int:
    try:
        return load_command(name)(arguments)
    except EmoscopeError as error:
        print(f"emoscope {name}: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return _left_alone()


def _say(text: str) -> int:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        return _left_alone()
    return 0


def _left_alone() -> int:
    """End quietly when the reader of `emoscope ... | head` has left, also at interpreter exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def load_command(name: str) -> Callable[[Sequence[str]], int]:
    """Import the command `name` and return its `main(argv)`. Raises KeyError if unknown."""
    module, function = COMMANDS[name][0].split(":")
    command: Callable[[Sequence[str]], int] = getattr(import_module(module), function)
    return command


def help_text() -> str:
    """Return what `emoscope --help` prints."""
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {line}" for name, (_, line) in COMMANDS.items())
    return (
        "usage: emoscope [COMMAND] [ARGUMENTS]\n\n"
        "Listens to people talk and shows, live, what they feel and why the model thinks so.\n\n"
        f"commands:\n{commands}\n\n"
        '"emoscope COMMAND --help" explains a command; "emoscope --version" prints the version.'
    )


def unknown_command(name: str) -> str:
    """Return a sentence for a command that does not exist, naming the nearest that does."""
    from difflib import get_close_matches
    from pathlib import Path

    near = get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    if near:
        advice = f'Did you mean "{near[0]}"?'
    elif Path(name).exists():
        advice = f'To analyse a recording: emoscope analyze "{name}" --out FOLDER.'
    else:
        advice = "There are: " + ", ".join(COMMANDS) + "."
    return f'emoscope: there is no command "{name}". {advice}'


if __name__ == "__main__":
    sys.exit(main())

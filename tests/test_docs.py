from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.cli import COMMANDS

DOCUMENTS = (
    "README.md",
    "README.ko.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/context.md",
    "docs/corpora.md",
    "docs/limits.md",
    "docs/training.md",
    "assets/samples/README.md",
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:\./run|`emoscope|^emoscope) ([a-z][a-z-]+)\b", re.MULTILINE)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(project: Path, name: str) -> None:
    document = project / name
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (document.parent / target).exists()]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_every_command_is_explained_and_none_that_does_not_exist(project: Path, name: str) -> None:
    named = set(COMMAND.findall((project / name).read_text(encoding="utf-8")))
    assert named == set(COMMANDS) - {"gui"}


def test_both_readmes_have_the_same_parts(project: Path) -> None:
    english, korean = (
        (project / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md")
    )
    assert len(re.findall(r"^## ", english, re.MULTILINE)) == len(
        re.findall(r"^## ", korean, re.MULTILINE)
    )
    assert re.search("[가-힣]{2,}", korean)


def test_the_licence_is_whole(project: Path) -> None:
    text = (project / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_version_has_its_changes(project: Path) -> None:
    from core import __version__

    assert f"## {__version__}" in (project / "CHANGELOG.md").read_text(encoding="utf-8")

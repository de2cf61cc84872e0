"""A model by its name on the hub, through the hub's real client and a hub on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.models.tiny_hub import serve

FETCH = """
from core.models.encoders.hub import model_folder
told = []
folder = model_folder("owner/tiny", told.append)
last = [told[-1].done, told[-1].total] if told else ["nothing", "fetched"]
print(*last, all(t.done <= t.total for t in told), *sorted(p.name for p in folder.iterdir()))
"""


def run(home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    settings = {"HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1"}
    environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", FETCH],
        env={**environment, **settings, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_model_is_fetched_with_progress_and_without_pickles_or_code(tiny_encoder, tmp_path):
    folder = tiny_encoder("klue_roberta_like")
    wanted = {path.name: path.read_bytes() for path in folder.iterdir()}
    unwanted = {"pytorch_model.bin": b"a pickle", "modeling.py": b"raise SystemExit(1)"}
    with serve(wanted | unwanted) as (address, asked):
        fetched = run(tmp_path, HF_ENDPOINT=address)
    assert fetched.returncode == 0, fetched.stderr
    size = sum(map(len, wanted.values()))
    assert fetched.stdout.split() == [str(size), str(size), "True", *sorted(wanted)]
    assert fetched.stderr.strip() == ""
    assert set(asked) == set(wanted)

    again = run(tmp_path, HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    assert again.stdout.split() == ["nothing", "fetched", "True", *sorted(wanted)]

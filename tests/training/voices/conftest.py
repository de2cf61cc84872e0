"""A few synthetic people of two corpora, each in four emotions."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from core.models.voices.front_end import VoiceFrontEnd
from tests.models.voices.synthetic import Speaker, speak
from tests.training.sounds import write_wav
from training import config as configuration
from training.data.speech_bank import VirtualSpeakers
from training.progress import Reporter
from training.voices.config import VoicesConfig
from training.voices.data import VoiceData, load_voices

RECIPE = Path(__file__).resolve().parents[3] / "training" / "voices" / "voices.yaml"
EMOTIONS = ("neutral", "happy", "sad", "angry")
CLIPS = 6
PEOPLE = {
    f"{corpus}/{gender}{number}": (gender, Speaker(pitch, formants))
    for corpus in ("one", "two")
    for number, (gender, pitch, formants) in enumerate(
        [("M", 95, 0.94), ("M", 125, 1.04), ("F", 190, 1.1), ("F", 235, 1.22)]
    )
}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the data, as `--data` takes it."""
    folder = tmp_path_factory.mktemp("voices")
    (folder / "speech").mkdir()
    columns = ["path", "corpus", "speaker", "gender", "emotion", "text"]
    with (folder / "speech" / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for who, (name, (gender, speaker)) in enumerate(PEOPLE.items()):
            corpus, short = name.split("/")
            for number in range(CLIPS):
                path = f"{corpus}_{short}_{number}.wav"
                write_wav(folder / "speech" / path, speak(speaker, 0.7, 100 * who + number))
                emotion = EMOTIONS[number % len(EMOTIONS)]
                writer.writerow([path, corpus, short, gender, emotion, f"text {number}"])
    return folder


@pytest.fixture(scope="session")
def data(corpus: Path) -> VoiceData:
    """The same, measured as it is, through a channel, and faster."""
    copies = [VirtualSpeakers(1.0, True), VirtualSpeakers(1.13)]
    cache = corpus / "measured"
    return load_voices(corpus, copies, VoiceFrontEnd(), cache, Reporter(silent=True))


@pytest.fixture(scope="session")
def recipe() -> VoicesConfig:
    """The recipe of the voices that ship."""
    return configuration.load(VoicesConfig, RECIPE)


def quick(recipe: VoicesConfig, epochs: int) -> VoicesConfig:
    """Return a recipe for the few people of these tests."""
    values = configuration.to_mapping(recipe)
    values["trainer"]["epochs"] = epochs
    values["sampling"].update(voices=8, clips=3, batches=8, shortest=25, longest=35)
    values["network"].update(dim=32, layers=1, embedding=16)
    return configuration.from_mapping(VoicesConfig, values, RECIPE)

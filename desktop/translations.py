"""The language of the window: Qt translation files, switched while it runs."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from core.resources import assets_dir

LANGUAGES = ("ko", "en")


def resolve(choice: str) -> str:
    """Return "ko" or "en" for a choice; "system" follows the desktop."""
    if choice in LANGUAGES:
        return choice
    system = QLocale.system()
    return "ko" if system.language() == QLocale.Language.Korean else "en"


class Translations:
    """The translators installed in the application: ours and Qt's own."""

    def __init__(self, application: QCoreApplication) -> None:
        self._application = application
        self._installed: list[QTranslator] = []
        self.language = "en"

    def use(self, choice: str) -> None:
        """Switch to a language; every widget is told by Qt."""
        self.language = resolve(choice)
        for translator in self._installed:
            self._application.removeTranslator(translator)
        self._installed = []
        locale = QLocale.Language.Korean if self.language == "ko" else QLocale.Language.English
        QLocale.setDefault(QLocale(locale))
        if self.language == "en":
            return
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        ours = str(assets_dir() / "translations" / f"emoscope_{self.language}.qm")
        for path in (f"{folder}/qtbase_{self.language}.qm", ours):
            translator = QTranslator(self._application)
            if translator.load(path):
                self._application.installTranslator(translator)
                self._installed.append(translator)

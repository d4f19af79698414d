from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.checks.host import installed_fonts
from app.settings import Settings, SettingsError, load_settings
from tests.render.fontmaker import write_font


def settings(monkeypatch: pytest.MonkeyPatch, *directories: Path) -> Settings:
    monkeypatch.setenv("PREVIEW_FONT_DIR", ":".join(map(str, directories)))
    return load_settings()


def test_fonts_that_are_installed_are_counted_and_broken_ones_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sound, broken, empty = (tmp_path / name for name in ("sound", "broken", "empty"))
    for directory in (sound, broken, empty):
        directory.mkdir()
    write_font(sound / "one.ttf", "a", family="One")
    write_font(sound / "two.ttf", "a", family="Two")
    (broken / "half.otf").write_bytes(b"OTTO")
    found = list(installed_fonts(settings(monkeypatch, sound, broken, empty)))
    assert [(one.level, one.detail) for one in found] == [
        ("ok", f"2 families in {sound}"),
        ("warn", f"0 families in {broken}; cannot be read: half.otf"),
        ("warn", f"0 families in {empty}"),
    ]


def test_without_a_directory_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(installed_fonts(settings(monkeypatch))) == []
    assert load_settings().font_dirs == ()


def test_a_directory_that_is_absent_is_a_bad_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"PREVIEW_FONT_DIR=.*absent is not a directory"):
        settings(monkeypatch, tmp_path, tmp_path / "absent")
    assert settings(monkeypatch, tmp_path, tmp_path).font_dirs == (tmp_path, tmp_path)

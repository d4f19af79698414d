"""Measures how fast texts are set and drawn: ``python -m benchmarks.texts [CHECKOUT]``.

With another checkout, which has an environment of its own in ``.venv``, both take turns in one
run, and the ratio is printed. Figures are processor time, the best of five rounds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

_ROUNDS: Final = 5
#: Sizes that are tried until a text fits, in pixels.
_SIZES: Final = (48, 45, 42, 39, 36)
_TEXTS: Final = {
    "English": "Each player draws {n} cards from the deck and places number {n} face up on the "
    "table. Then round {n} begins, and the youngest player chooses a market.",
    "German": "Alle {n} Spielerinnen würfeln, und wer die höchste Zahl über {n} hat, darf Gebäude "
    "für {n} Münzen bauen.",
    "Arabic": "ضع اللوحة {n} في منتصف الطاولة ثم يسحب كل لاعب {n} بطاقات (Gem Cards) من المجموعة.",
}
#: Where the functions are: in this tree, and before its modules were packages by medium.
_MODULES: Final = {
    "set_text": ("app.render.text.setting", "app.render.text"),
    "draw_block": ("app.render.text.drawing", "app.render.text"),
}


def _function(name: str) -> Callable[..., Any]:
    for module in _MODULES[name]:
        try:
            return getattr(import_module(module), name)  # type: ignore[no-any-return]
        except (ImportError, AttributeError):
            continue
    raise SystemExit(f"this checkout has no {name} in {', '.join(_MODULES[name])}")


def figures() -> dict[str, float]:
    """Return milliseconds for a text: set at five sizes, drawn for the first time, drawn again."""
    return dict(_figures())


def _figures() -> Iterator[tuple[str, float]]:
    from PIL import Image  # noqa: PLC0415 - the other checkout has one of its own

    set_text, draw_block = _function("set_text"), _function("draw_block")
    for name, pattern in _TEXTS.items():
        set_text(pattern, width=700.0, size=20, bold=False)  # fonts are open
        texts = [pattern.format(n=number) for number in range(100, 200)]
        begun = time.process_time()
        for text in texts:
            blocks = [set_text(text, width=900.0, size=size, bold=False) for size in _SIZES]
        yield f"{name}, set", _since(begun, texts)
        blocks = [set_text(text, width=900.0, size=48, bold=True) for text in texts]
        canvas = Image.new("RGB", (1280, 720))
        for when in ("first drawn", "drawn again"):
            begun = time.process_time()
            for block in blocks[-20:]:
                draw_block(canvas, block, x=50, y=50, width=900, centred=True, fill=(255, 255, 255))
            yield f"{name}, {when}", _since(begun, blocks[-20:])


def _since(begun: float, things: list[Any]) -> float:
    return (time.process_time() - begun) * 1000 / len(things)


def _of(checkout: Path, script: Path) -> dict[str, float]:
    python = checkout / ".venv" / "bin" / "python"
    code = f"import sys; sys.argv = ['', '--figures']; exec(open({str(script)!r}).read())"
    done = subprocess.run(
        [python, "-c", code], cwd=checkout, capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(script: Path, arguments: list[str]) -> int:
    """Print one line for each figure of ``script``, of this checkout and of others."""
    checkouts = [Path(__file__).parents[1], *map(Path, arguments)]
    rounds = [[_of(checkout, script) for checkout in checkouts] for _ in range(_ROUNDS)]
    for name in rounds[0][0]:
        columns = [min(turn[at][name] for turn in rounds) for at in range(len(checkouts))]
        told = "  ".join(f"{value:8.3f} ms" for value in columns)
        ratio = f"  {columns[1] / columns[0]:5.1f} times as fast" if len(columns) > 1 else ""
        print(f"{name:<24} {told}{ratio}")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--figures"]:
        print(json.dumps(figures()))
    else:
        sys.exit(compare(Path(__file__), sys.argv[1:]))

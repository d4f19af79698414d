"""Renders and plans in the checkout that it is started in, this one or an older one.

It does what a worker does: a fork server has the renderer loaded, and each job runs in a child of
it. Orders come as lines of JSON and are answered in the same way. Both the order's target in the
child and the loop are in this file, which imports only what every measured build has.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

#: Where a child leaves what it measured, in its output directory.
_FIGURES: Final = "figures.json"
#: Most that the step cache may hold, in MiB.
_CACHE_MB: Final = 512
#: Plans that a child makes after the first one.
_WARM_PLANS: Final = 9


def render(payload: dict[str, Any], *, out_dir: Path, **rest: Any) -> Any:
    """Render as the engine does, and leave processor seconds, peak memory and film seconds."""
    result = import_module("app.render.engine").render(payload, out_dir=out_dir, **rest)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _leave(out_dir, {"processor": time.process_time(), "peak": peak, "film": result.seconds})
    return result


def plan(payload: dict[str, Any], *, out_dir: Path, **_rest: Any) -> Any:
    """Plan for the first time in this child and again; leave the milliseconds of both."""
    module = import_module("app.render.plan")
    cold = _timed(lambda: module.plan(payload))
    warm = [_timed(lambda: module.plan(payload)) for _ in range(_WARM_PLANS)]
    figures = {"cold": cold[0], "cold processor": cold[1]}
    figures["warm"] = statistics.median(wall for wall, _ in warm)
    figures["warm processor"] = statistics.median(processor for _, processor in warm)
    out_dir.mkdir(exist_ok=True)
    _leave(out_dir, figures)
    return import_module("app.render.result").RenderResult((), (), 0.0, 0)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor)


def _leave(out_dir: Path, figures: dict[str, float]) -> None:
    (out_dir / _FIGURES).write_text(json.dumps(figures))


def _module(*names: str) -> Any:
    """Return the first module that this checkout has."""
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise SystemExit(f"this checkout has none of {', '.join(names)}")


def main() -> None:
    """Answer orders until the input ends."""
    child = _module("app.render.child.supervisor", "app.render.child")
    limits = _module("app.render.model.limits", "app.render.limits")
    child.warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        out, cache = Path(order["out"]), order.get("cache")
        place = limits.StepCachePlace(Path(cache), _CACHE_MB) if cache else None
        began = time.perf_counter()
        child.render_in_child(
            order["payload"],
            asset_dir=Path(order["assets"]),
            out_dir=out,
            limits=limits.Limits(threads=order["threads"], niceness=0),
            on_tick=lambda _progress: None,
            step_cache=place,
            target=f"in_checkout:{order['work']}",
        )
        seconds = time.perf_counter() - began
        figures = {"seconds": seconds, **json.loads((out / _FIGURES).read_text())}
        sys.stdout.write(json.dumps(figures) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

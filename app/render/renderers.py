"""Renderers as plug-ins: found by name among the entry points of what is installed.

See docs/plugins.md. Nothing is imported here: a renderer is loaded in the child
process that runs it, so a broken one costs its jobs, not the worker.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Final

from app.settings import SettingsError

#: The group of entry points in which distributions offer renderers.
GROUP: Final = "preview.renderers"
#: The renderer that comes with the product, whatever is installed.
BUILT_IN: Final = "storyboard"
#: Where it is: "module:function".
STORYBOARD: Final = "app.render.engine:render"
#: What a child calls to inspect a finished preview; it takes a renderer's arguments.
INSPECTION: Final = "app.render.inspect.preview:inspect"
#: What a child calls to plan a dry run; it takes a renderer's arguments.
PLANNING: Final = "app.render.plan:write_plan"
#: What a child calls to draw a still; it takes a renderer's arguments.
STILL: Final = "app.render.still:write_still"
#: Name of the file with the plan.
PLAN_FILE: Final = "plan.json"


def renderer_target(name: str) -> str:
    """Return "module:function" of the renderer called ``name``.

    Raises:
        SettingsError: There is none, or several distributions have one of that name.
    """
    if name == BUILT_IN:
        return STORYBOARD
    found = {entry.value for entry in entry_points(group=GROUP, name=name)}
    if not found:
        others = ", ".join(sorted(renderer_names()))
        raise SettingsError(
            f"PREVIEW_RENDERER={name!r}: no such renderer is installed; there are: {others}"
        )
    if len(found) > 1:
        values = ", ".join(sorted(found))
        raise SettingsError(
            f"PREVIEW_RENDERER={name!r}: several are installed ({values}); uninstall all but one"
        )
    return found.pop().partition("[")[0].strip()


def renderer_names() -> frozenset[str]:
    """Return the names of all renderers."""
    return frozenset({BUILT_IN, *(entry.name for entry in entry_points(group=GROUP))})

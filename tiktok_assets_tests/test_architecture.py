"""The import graph of the package, read from its source: no cycle, layers in order, and who may import what.

Every rule is shown to fail on a copy of the graph with one forbidden import.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "tiktok_assets"
TESTS = "tiktok_assets_tests"
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
LAYERS = [layer.split(" | ") for layer in LINTER["contracts"][0]["layers"]]
PURE = ("exports", "reports", "curated")
HEAVY = ("dagster", "duckdb", "playwright")
MOST_AT_THE_ROOT = 15
# Modules with private API of Dagster and Playwright, each named for it or for the part of Dagster it extends.
INTERNALS = {
    "storage.dagster_internals",
    "storage.event_log",
    "storage.history",
    "storage.history_files",
    "storage.partition_metadata",
    "studio.playwright_internals",
    "webserver.dev",
}
# What runs without Dagster: the commands that only read, and `process` where nothing is new.
LIGHT = {
    "batches",
    "cli.app",
    "failures",
    "inbox.archive",
    "inbox.headers",
    "inbox.inspect",
    "inbox.intake",
    "legacy.migrate",
    "legacy.validate",
    "notices.sending",
    "partitions",
    "pipeline.process",
    "queries.aggregate",
    "queries.raw_rows",
    "queries.tables",
    "queries.viral",
    "reporting.status",
    "reporting.writing",
    "storage.duckdb",
    "storage.lake",
    "storage.locks",
    "studio.extraction",
    "studio.login",
    "studio.session",
}


@dataclass(frozen=True)
class Import:
    """``module`` is imported; ``is_deferred``: within a function, or for annotations alone."""

    module: str
    is_deferred: bool = False


@dataclass(frozen=True)
class Source:
    """The imports of a module and the private parts of Playwright that it touches."""

    imports: frozenset[Import]
    private: frozenset[str] = frozenset()


Graph = Mapping[str, Source]


def read(folder: Path) -> Graph:
    """Every module of the package in ``folder``, by its name within it ("storage.lake"; "" is the package itself)."""
    files = {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix("__init__").removesuffix("."): path
        for path in folder.rglob("*.py")
    }
    return {name: _source(ast.parse(path.read_text()), files) for name, path in files.items()}


def _source(tree: ast.Module, known: Iterable[str]) -> Source:
    private = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in _PLAYWRIGHTS}
    return Source(frozenset(_imports(tree, set(known))), frozenset(private))


_PLAYWRIGHTS = ("_impl_obj", "_sync")


def _imports(node: ast.AST, known: set[str], *, is_deferred: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(name.name, is_deferred) for name in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            for name in child.names:
                full = f"{child.module}.{name.name}"
                yield Import(full if full.removeprefix(f"{PACKAGE}.") in known else child.module, is_deferred)
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from _imports(child, known, is_deferred=is_deferred or is_function or is_for_types)


def ours(graph: Graph, name: str, *, deferred: bool = True) -> set[str]:
    """The modules of the package that the module imports; without ``deferred``, that importing it imports."""
    found = {one.module for one in graph[name].imports if deferred or not one.is_deferred}
    names = {one.removeprefix(PACKAGE).removeprefix(".") for one in found if one.split(".")[0] == PACKAGE}
    parents = {name.rpartition(".")[0] for name in names if "." in name}
    return names if deferred else (names | parents) & graph.keys()


def layer_of(name: str) -> str:
    """The package of a module; of one at the root itself."""
    return name.split(".")[0]


def file_arrows(graph: Graph) -> dict[str, set[str]]:
    return {name: ours(graph, name) - {name} for name in graph}


def package_arrows(graph: Graph) -> dict[str, set[str]]:
    arrows: dict[str, set[str]] = {}
    for name in graph:
        targets = {layer_of(target) for target in ours(graph, name)}
        arrows.setdefault(layer_of(name), set()).update(targets - {layer_of(name)})
    return arrows


def cycle(arrows: Mapping[str, set[str]]) -> list[str]:
    """Some nodes that import each other in a circle; none where there is no circle."""
    left = {name: {target for target in targets if target in arrows} for name, targets in arrows.items()}
    while ends := [name for name, targets in left.items() if not targets]:
        for name in ends:
            del left[name]
        for targets in left.values():
            targets.difference_update(ends)
    return sorted(left)


def upward(graph: Graph) -> list[str]:
    """Imports from a layer above, or from another package of the same one."""
    height = {package: -number for number, packages in enumerate(LAYERS) for package in packages}
    return sorted(
        f"{package} imports {target}"
        for package, targets in package_arrows(graph).items()
        for target in targets
        if package and target and height[target] >= height[package]
    )


def outside_of_the_layers(graph: Graph) -> set[str]:
    return {layer_of(name) for name in graph if name} ^ {package for packages in LAYERS for package in packages}


def at_the_root(graph: Graph) -> list[str]:
    """The modules that lie in the package's own folder."""
    packages = {name.split(".")[0] for name in graph if "." in name}
    return sorted(name or "__init__" for name in graph if "." not in name and name not in packages)


def impure(graph: Graph) -> list[str]:
    return sorted(
        f"{name} imports {one.module}"
        for name, source in graph.items()
        for one in source.imports
        if layer_of(name) in PURE and one.module.split(".")[0] in HEAVY
    )


def with_private_parts(graph: Graph) -> set[str]:
    """The modules that import private modules of Dagster or Playwright, or touch private parts of the latter."""
    return {
        name
        for name, source in graph.items()
        if source.private or any(one.module.startswith(("dagster._", "playwright._")) for one in source.imports)
    }


def imported_with(graph: Graph, name: str) -> set[str]:
    """The module and every other one of the package that importing it imports."""
    found, waiting = set[str](), [name]
    while waiting:
        if (one := waiting.pop()) not in found:
            found.add(one)
            waiting += ours(graph, one, deferred=False)
    return found


def heavy(graph: Graph, heavy: str = "dagster") -> list[str]:
    """Which light module imports Dagster, and through which module."""
    return sorted(
        f"{light}, by {one}"
        for light in LIGHT
        for one in imported_with(graph, light)
        if any(found.module.split(".")[0] == heavy and not found.is_deferred for found in graph[one].imports)
    )


def imported_tests(tree: ast.Module) -> list[str]:
    """The test modules of ours that a module imports, or what it imports from them."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = [TESTS if node.level else "", node.module or ""]
            found.update(".".join(filter(None, [*parts, name.name])) for name in node.names)
    return sorted(name for name in found if name.startswith(TESTS) and ".test_" in name)


@functools.cache
def ours_now() -> Graph:
    """Of the package as it is. Read by the first test that asks, not by each process that collects tests."""
    return read(ROOT / PACKAGE)


def doctored(module: str, imported: str) -> Graph:
    """The graph with one import more."""
    graph = ours_now()
    return {**graph, module: replace(graph[module], imports=graph[module].imports | {Import(imported)})}


def test_the_layers_of_the_docs_are_those_of_the_linter() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    (shown,) = [block for block in page.split("```") if block.startswith("text\ncli\n")]
    assert shown.removeprefix("text\n").split() == " ".join(LINTER["contracts"][0]["layers"]).split()


def test_no_files_import_each_other_in_a_circle() -> None:
    assert cycle(file_arrows(ours_now())) == []
    found = cycle(file_arrows(doctored("storage.locks", "tiktok_assets.storage.lake")))
    assert {"storage.lake", "storage.locks"} <= set(found)


def test_no_packages_import_each_other_in_a_circle() -> None:
    assert cycle(package_arrows(ours_now())) == []
    found = cycle(package_arrows(doctored("storage.locks", "tiktok_assets.inbox.files")))
    assert {"inbox", "storage"} <= set(found)


def test_every_package_imports_only_from_the_layers_below_it() -> None:
    assert outside_of_the_layers(ours_now()) == set()
    assert upward(ours_now()) == []
    assert upward(doctored("curated.catalog", "tiktok_assets.storage.lake")) == ["curated imports storage"]
    assert upward(doctored("queries.viral", "tiktok_assets.vintages.trace")) == ["queries imports vintages"]
    assert outside_of_the_layers({**ours_now(), "helpers": Source(frozenset())}) == {"helpers"}


def test_few_modules_lie_at_the_root() -> None:
    assert len(at_the_root(ours_now())) <= MOST_AT_THE_ROOT, at_the_root(ours_now())
    more = {**ours_now(), **{f"more_{number}": Source(frozenset()) for number in range(MOST_AT_THE_ROOT)}}
    assert len(at_the_root(more)) > MOST_AT_THE_ROOT


def test_what_is_pure_imports_no_dagster_no_duckdb_and_no_browser() -> None:
    assert impure(ours_now()) == []
    for name in HEAVY:
        assert impure(doctored("curated.catalog", name)) == [f"curated.catalog imports {name}"]


def test_private_parts_of_dagster_and_playwright_are_used_in_modules_named_for_them() -> None:
    assert with_private_parts(ours_now()) == INTERNALS
    assert "jobs" in with_private_parts(doctored("jobs", "dagster._core.events"))
    source = _source(ast.parse("download._impl_obj.failure()"), [])
    assert with_private_parts({"studio.visit": source}) == {"studio.visit"}


def test_light_commands_import_no_module_with_dagster() -> None:
    assert heavy(ours_now()) == []
    assert "cli.app, by inbox.files" not in heavy(doctored("inbox.files", "dagster"))  # the commands import it later
    assert "inbox.inspect, by inbox.files" in heavy(doctored("inbox.files", "dagster"))
    assert "pipeline.process, by storage.run_locks" in heavy(
        doctored("pipeline.process", "tiktok_assets.storage.run_locks")
    )


def test_no_module_of_tests_imports_from_a_test_module() -> None:
    folder = ROOT / TESTS
    found = {
        str(path.relative_to(folder)): imported_tests(ast.parse(path.read_text())) for path in folder.rglob("*.py")
    }
    assert {name: tests for name, tests in found.items() if tests} == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from tiktok_assets_tests.inbox.test_archive import look", ["tiktok_assets_tests.inbox.test_archive.look"]),
        ("from tiktok_assets_tests.inbox import test_archive", ["tiktok_assets_tests.inbox.test_archive"]),
        ("def late():\n    import tiktok_assets_tests.test_graph", ["tiktok_assets_tests.test_graph"]),
        ("from .test_archive import look", ["tiktok_assets_tests.test_archive.look"]),
        ("from . import test_archive", ["tiktok_assets_tests.test_archive"]),
        ("from tiktok_assets_tests.inbox.intake_looks import look", []),
        ("from dagster._core.test_utils import create_run_for_test", []),
    ],
)
def test_an_import_from_a_test_module_is_found(line: str, found: list[str]) -> None:
    assert imported_tests(ast.parse(line)) == found


@pytest.mark.parametrize(
    ("file", "line", "is_refused"),
    [
        ("tiktok_assets/storage/locks.py", "import dagster as dg", True),
        ("tiktok_assets/inbox/intake.py", "from dagster import Failure", True),
        ("tiktok_assets/pipeline/process.py", "import duckdb", True),
        ("tiktok_assets/cli/app.py", "import polars as pl", True),
        ("tiktok_assets/cli/status.py", "from tiktok_assets.settings import load_settings", True),
        ("tiktok_assets/assets/raw.py", "import dagster as dg", False),
        ("tiktok_assets/inbox/intake.py", "def late():\n    import dagster", False),
    ],
)
def test_the_linter_refuses_heavy_imports_at_the_top_of_light_modules(file: str, line: str, is_refused: bool) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--select=TID253", "--output-format=concise"]
    done = subprocess.run(
        [*command, f"--stdin-filename={file}", "-"], cwd=ROOT, input=f"{line}\n", capture_output=True, text=True
    )
    assert (done.returncode, "TID253" in done.stdout) == (int(is_refused), is_refused), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("curated/catalog.py", "import tiktok_assets.storage.lake", "layers"),
        ("exports/names.py", "import duckdb", "pure"),
        ("simulator/titles.py", "import tiktok_assets.exports.names", "independent-simulator"),
    ],
)
def test_import_linter_refuses_an_import_against_a_contract(
    tmp_path: Path, file: str, line: str, contract: str
) -> None:
    if importlib.util.find_spec("importlinter") is None:
        pytest.skip("import-linter is not installed: make setup")
    shutil.copytree(ROOT / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert lint_imports(tmp_path, contract) == 0
    with (tmp_path / PACKAGE / file).open("a") as source:
        source.write(f"\n{line}\n")
    assert lint_imports(tmp_path, contract) == 1


def lint_imports(folder: Path, contract: str) -> int:
    code = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports; sys.exit(lint_imports("
    code += f"limit_to_contracts=({contract!r},), cache_dir=None))"
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, check=False).returncode

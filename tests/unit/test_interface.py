"""The names that `seealso` offers, and each command of the terminal beside the call that it is."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import click
import pytest
from click.testing import CliRunner

import seealso
from seealso import Recommender, api
from seealso.cli.main import COMMANDS as LISTED
from seealso.cli.main import cli
from seealso.plugin.groups.options import GroupOptions

PROMISED: Final = """
    Recommender build_index update_index refresh_importance ingest_events fit evaluate
    load_settings connect Settings User Recommendation RecommendationList Explanation
    SeeAlsoError ConfigError DataError MissingExtraError BundleError ParityError TemplateError
    ClusterError Unavailable MappingMismatch PartialAnswer BulkWriteError
"""

CALLS: Final[Mapping[str, Callable[..., Any]]] = {
    "attach": api.attach,
    "build": api.build,
    "doctor": api.doctor,
    "evaluate": api.evaluate,
    "events follow": api.follow_events,
    "events ingest": api.ingest_events,
    "explain": Recommender.explain,
    "fit": api.fit,
    "index build": api.build_index,
    "index importance": api.refresh_importance,
    "index list": api.list_indices,
    "index prune": api.prune_indices,
    "index rollback": api.rollback_index,
    "index swap": api.swap_index,
    "index update": api.update_index,
    "index verify": api.verify_index,
    "mcp": api.serve_mcp,
    "model compare": api.compare_models,
    "model export": api.export_model,
    "model list": api.list_models,
    "model pull": api.pull_model,
    "model push": api.push_model,
    "model show": api.show_model,
    "model sizes": api.measure_sizes,
    "node logs": api.node_logs,
    "node start": api.start_node,
    "node status": api.node_status,
    "node stop": api.stop_node,
    "personalise": Recommender.personalise,
    "popular": Recommender.popular,
    "rank": Recommender.rank,
    "recommend": Recommender.recommend,
    "recommend-batch": Recommender.recommend_batch,
    "recommend-group": Recommender.recommend_group,
    "related": Recommender.related,
    "serve": api.serve,
    "status": api.status,
    "templates install": api.install_templates,
    "templates list": api.list_templates,
    "train": api.train,
    "tune": api.tune,
    "users build": api.build_users,
    "users export": api.export_user,
    "users forget": api.forget_user,
    "users neighbours": api.list_neighbours,
    "users update": api.update_users,
}
"""What each command does, as a program calls it."""

SHOWN_HERE: Final = {
    "completion": "prints a script for a shell",
    "demo": "shows all the others in turn",
    "templates render": "prints what seealso.query_templates.render returns",
    "templates show": "prints what seealso.query_templates.source returns",
}
"""Commands that are no call: they are for a person at a terminal."""

TERMINAL: Final = {
    "": {"dry_run", "json", "show"},
    # these choose attach_pipeline or remove_pipeline
    "attach": {"pipeline", "remove", "service_address"},
    "evaluate": {"no_baselines", "opened"},
    "explain": {"most"},
    "index prune": {"yes"},
    "model compare": {"fail_unless_better"},
    "personalise": {"send"},
    "recommend": {"explain"},
    "recommend-batch": {"out"},
    "tune": {"write"},
    "users forget": {"yes"},
}
"""Options that say how the terminal asks and answers; a call has them not."""

USER: Final = {"user_id", "history", "session", "words", "attributes"}
"""Options that describe one user: a call may take a `User` instead."""

PROGRAM: Final = {
    "": {"self", "settings", "fields"},
    "events follow": {"each"},
}
"""Parameters that only a program gives."""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS: Final = dict(commands(cli))

DRY: Final = [
    name
    for name, command in COMMANDS.items()
    if any(one.name == "dry_run" for one in command.params)
]
"""Commands that can say what they would do."""


def options_of(name: str) -> set[str]:
    found = {str(one.name) for one in COMMANDS[name].params if one.expose_value}
    return found - TERMINAL[""] - TERMINAL.get(name, set())


def signature_of(call: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a call, those of ``**options`` by name."""
    found = dict(inspect.signature(call).parameters)
    if "options" in found and found["options"].kind is inspect.Parameter.VAR_KEYWORD:
        (options,) = get_args(found.pop("options").annotation)
        defaults = inspect.signature(GroupOptions).parameters
        found |= {name: defaults[name] for name in get_type_hints(options)}
    return found


def parameters_of(name: str, call: Callable[..., Any]) -> set[str]:
    return {*signature_of(call)} - PROGRAM[""] - PROGRAM.get(name, set())


def fresh(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_what_is_promised_is_offered() -> None:
    assert {*seealso.__all__} >= {*PROMISED.split()}


@pytest.mark.parametrize("name", sorted(set(seealso.__all__) - {"__version__"}))
def test_each_name_is_there_and_documented(name: str) -> None:
    assert (inspect.getdoc(getattr(seealso, name)) or "").strip()
    assert name in dir(seealso)


def test_calls_are_imported_when_they_are_asked_for() -> None:
    loaded = fresh("import sys; from seealso import api; print(*sys.modules)")
    assert "seealso.api" in loaded
    assert not {"numpy", "polars", "pydantic", "onnxruntime", "opensearchpy"} & set(loaded)
    with pytest.raises(AttributeError, match="no attribute 'biuld'"):
        _ = api.biuld  # type: ignore[attr-defined]
    assert dir(api) == sorted(api.__all__)


def test_type_checkers_and_the_interpreter_see_the_same_names() -> None:
    tree = ast.parse(Path(seealso.__file__).read_text(encoding="utf-8"))
    (block,) = (one for one in tree.body if isinstance(one, ast.If) and not one.orelse
                and isinstance(one.test, ast.Name))  # fmt: skip
    declared = {alias.name: one.module for one in block.body if isinstance(one, ast.ImportFrom)
                for alias in one.names}  # fmt: skip
    assert declared == seealso._HOMES
    assert {*declared, "__version__"} == set(seealso.__all__)


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Recomender'"):
        _ = seealso.Recomender  # type: ignore[attr-defined]


def test_importing_costs_next_to_nothing() -> None:
    # time of the processor: others may use the machine as well
    script = (
        "import time; began = time.process_time(); import seealso;"
        "print(time.process_time() - began)"
    )
    assert min(float(fresh(script)[0]) for _ in range(3)) < 0.05
    loaded = fresh("import sys; before = set(sys.modules); import seealso;"
                   "print(*(set(sys.modules) - before))")  # fmt: skip
    assert {one for one in loaded if one.startswith("seealso")} == {"seealso", "seealso.version"}
    assert not {"numpy", "polars", "pydantic", "onnxruntime", "opensearchpy"} & set(loaded)


@pytest.mark.parametrize("name", ["build_index", "Recommender", "evaluate", "fit"])
def test_no_name_brings_what_training_needs(name: str) -> None:
    loaded = fresh(f"import sys; from seealso import {name}; print(*sys.modules)")
    assert not {"torch", "transformers", "bm25s", "implicit", "plotly"} & set(loaded)


def test_each_command_is_a_call_or_says_why_not() -> None:
    assert {*CALLS, *SHOWN_HERE} == set(COMMANDS)


@pytest.mark.parametrize("name", CALLS)
def test_a_command_and_its_call_take_the_same(name: str) -> None:
    options, parameters = options_of(name), parameters_of(name, CALLS[name])
    if "user" in parameters:
        options, parameters = options - USER, parameters - {"user"}
    assert options == parameters


@pytest.mark.parametrize("name", CALLS)
def test_defaults_are_the_same(name: str) -> None:
    expected = signature_of(CALLS[name])
    for one in COMMANDS[name].params:
        if one.name not in expected or one.required:
            continue
        default = one.get_default(click.Context(COMMANDS[name]))
        # click has a value of its own for "no default", and gives tuples of what may be repeated
        given = default if isinstance(default, str | int | float | tuple) else None
        assert given in (expected[one.name].default, None), one.name


@pytest.mark.parametrize("name", DRY)
def test_a_dry_run_is_a_call_of_its_own(name: str) -> None:
    call = CALLS[name]
    home = Recommender if call.__qualname__.startswith("Recommender.") else api
    plan = getattr(home, f"plan_{call.__name__}")
    # a user may be put together before
    taken = {**inspect.signature(plan).parameters}
    taken.pop("user", None)
    # a plan may do without what only writing needs
    assert {*taken} <= {*inspect.signature(call).parameters}
    for parameter in taken.values():
        assert parameter == inspect.signature(call).parameters[parameter.name]


def test_each_call_is_documented_parameter_by_parameter() -> None:
    for name in api.__all__:
        call = getattr(api, name)
        if not callable(call):
            continue
        text = inspect.getdoc(call) or ""
        assert text, name
        if not name.startswith("plan_") and len(inspect.signature(call).parameters) > 1:
            for parameter in inspect.signature(call).parameters:
                assert parameter in text.partition("Parameters")[2], f"{name}: {parameter}"


GROUPS: Final = ("", *sorted({name.rpartition(" ")[0] for name in COMMANDS if " " in name}))


@pytest.mark.parametrize("group", GROUPS)
def test_commands_are_listed_with_whole_sentences(group: str) -> None:
    shown = CliRunner().invoke(cli, [*group.split(), "--help"], terminal_width=80)
    listed = shown.stdout.partition("Commands:")[2].splitlines()
    assert len(listed) > 2
    assert [line for line in listed if line and not line.endswith(".")] == []
    assert [line for line in listed if line.endswith("...")] == []


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    for name, sentence in LISTED.items():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        assert command.get_short_help_str(100) == sentence


def test_the_help_of_every_command_imports_no_room() -> None:
    script = (
        "import sys; from seealso.cli.main import cli\n"
        f"for name in {[name.split() for name in COMMANDS]}:\n"
        "    try: cli.main([*name, '--help'])\n"
        "    except SystemExit: pass\n"
        "print(*sys.modules)"
    )
    loaded = set(fresh(script))
    assert "seealso.cli.index" in loaded
    assert not {"polars", "pydantic", "onnxruntime", "opensearchpy"} & loaded


def test_help_imports_none_of_the_commands() -> None:
    script = "import sys; from seealso.cli.main import cli; {}print(*sys.modules)"
    listed = "cli.main(['--help'], standalone_mode=False); "
    loaded = set(fresh(script.format(listed)))
    assert "seealso.cli.index" not in loaded
    assert not {"numpy", "polars", "pydantic", "onnxruntime", "opensearchpy"} & loaded


def test_every_option_says_what_it_is() -> None:
    silent = [
        f"{name} {one.opts[0]}"
        for name, command in COMMANDS.items()
        for one in command.params
        if isinstance(one, click.Option) and not one.help
    ]
    assert silent == []


def test_ids_to_delete_are_several() -> None:
    for call in (api.update_index, api.plan_update_index):
        with pytest.raises(seealso.DataError, match=r"delete: 't6' is neither a Path nor several"):
            call(seealso.Settings(), delete="t6")


def test_a_misspelt_on_error_is_refused() -> None:
    misspelt: Any = "skipp"
    with pytest.raises(seealso.ConfigError, match="on_error: must be stop or skip, not 'skipp'"):
        api.plan_build_index(seealso.Settings(), on_error=misspelt)


@pytest.mark.parametrize("name", CALLS)
def test_a_path_may_be_given_as_a_text(name: str) -> None:
    for parameter in inspect.signature(CALLS[name]).parameters.values():
        # a text where ids to delete are expected is refused: it could be either
        kinds = get_args(parameter.annotation) or (parameter.annotation,)
        if Path in kinds and parameter.name != "delete":
            assert str in kinds, parameter.name

"""``seealso model push`` and ``pull``: bundles go elsewhere, and come in checked."""

from pathlib import Path

import click

from seealso.cli import tables
from seealso.cli.context import Context, pass_context
from seealso.cli.inputs import dry_run
from seealso.encoder import BundleStore
from seealso.encoder import transfer as moving
from seealso.log import progress

_force = click.option("--force", is_flag=True, help="Replace what is there already.")


@click.command()
@click.argument("name")
@click.argument("dest", type=click.Path(path_type=Path))
@_force
@dry_run
@pass_context
def push(context: Context, name: str, dest: Path, force: bool, dry_run: bool) -> None:
    """Copy the bundle NAME to DEST: a folder of bundles, or a .tar.gz or .zip file.

    The folder may be a mounted share, or the store of another machine.
    """
    bundle = BundleStore(context.settings.encoder.store).find(name)
    run = moving.plan_push if dry_run else moving.push
    with progress("pushing", total=1) as tick:
        moved = run(bundle, dest, replacing=force)
        tick(1)
    _show(context, moved, "would be written" if dry_run else "written")


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("name", required=False)
@click.option("--sha256", metavar="HEX", help="What `push` said; refuse any other bundle.")
@_force
@dry_run
@pass_context
def pull(
    context: Context,
    source: Path,
    name: str | None,
    sha256: str | None,
    force: bool,
    dry_run: bool,
) -> None:
    """Take in the bundle in SOURCE: a bundle folder, or a .tar.gz or .zip file.

    It gets its own name, or NAME. It is checked before it appears in the store: every checksum,
    every file, what the graphs ask for, and that the model reads text.
    """
    store = BundleStore(context.settings.encoder.store)
    asked = moving.Pull(source, name, sha256, force)
    run = moving.plan_pull if dry_run else moving.pull
    with progress("checking", total=1) as tick:
        moved = run(asked, store)
        tick(1)
    _show(context, moved, "would be taken in" if dry_run else "taken in")


def _show(context: Context, moved: moving.Transfer, done: str) -> None:
    context.show(
        moved,
        lambda: tables.facts(
            {
                done: moved.place,
                "bundle": f"{moved.name} ({moved.fingerprint})",
                "size": tables.size(moved.size),
                "sha256": moved.sha256,
            }
        ),
    )

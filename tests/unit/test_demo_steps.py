"""What the demo says before it does it."""

from pathlib import Path

import click
import pytest

from seealso.cli import demo
from seealso.cluster.node import NodeInfo


class PlannedNode:
    """A node that runs already, or not."""

    running: NodeInfo | None = None

    def __init__(self, root: Path) -> None:
        self.root = root

    def status(self) -> NodeInfo | None:
        return self.running

    def start(self) -> None:
        click.echo("started")


@pytest.mark.parametrize("runs", [False, True])
def test_the_demo_says_whether_the_node_runs(
    runs: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = NodeInfo("3.3.1", "http://127.0.0.1:9200", 1, Path("h"), Path("d"), 9200, 9300)
    monkeypatch.setattr(PlannedNode, "running", info if runs else None)
    monkeypatch.setattr("seealso.cluster.node.Node", PlannedNode)
    demo.start_node(Path("root"))
    said = capsys.readouterr()
    assert "started" in said.out
    assert ("OpenSearch runs at http://127.0.0.1:9200" in said.err) is runs
    assert ("starting OpenSearch" in said.err) is not runs

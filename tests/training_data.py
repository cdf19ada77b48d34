"""What trainings are tested with: a checkerboard whose right answer is known, and small backbones.

Users and items are the ranks and files of the board: a user likes the items of one colour, all of
them, in an order of the user's own. So whoever has seen all but one of them wants that one: the
answer to every test question. The item texts do not tell the colour.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from seealso.config import Settings, load_settings
from seealso.encoder import BundleStore
from seealso.readers import EVENT_SCHEMA
from seealso.training import Backbone
from seealso.types import Item
from tests.bundles import tiny_source
from tests.integration.catalogues import Record, write_lines

WORDS = (
    "anchor", "basket", "candle", "drum", "eagle", "forest", "garden", "hammer",
    "island", "jacket", "kitchen", "lemon", "mirror", "needle", "orange", "pencil",
)  # fmt: skip
USERS = 40

START = datetime(2024, 1, 1, tzinfo=UTC)

QUICK = {
    "name": "board",
    "epochs": 10,
    "batch": 16,
    "learning_rate": 1e-3,
    "max_length": 16,
    "evaluate_every": 5.0,
    "tracking": "none",
}
"""Settings of ``[training]`` that learn the board in seconds."""


def board_items() -> list[Record]:
    """Return the items of the board."""
    return [{"item_id": f"i{n:02}", "title": word} for n, word in enumerate(WORDS)]


def colour(item_id: str) -> int:
    """Return 0 or 1, by turns."""
    return int(item_id[1:]) % 2


def board_events(users: int = 24) -> list[Record]:
    """Return what the users liked: every item of one colour, in an order of their own."""
    rng = Random(3)
    ids = [item["item_id"] for item in board_items()]
    events = []
    for user in range(users):
        own = [item_id for item_id in ids if colour(item_id) == user % 2]
        rng.shuffle(own)
        events += [
            {"user_id": f"u{user:02}", "item_id": item_id, "day": day}
            for day, item_id in enumerate(own)
        ]
    return events


def as_items(records: list[Record]) -> list[Item]:
    """Return records as the readers do."""
    return [
        Item(one["item_id"], {k: v for k, v in one.items() if k != "item_id"}) for one in records
    ]


def as_frame(events: list[Record]) -> pl.DataFrame:
    """Return events as the readers do."""
    rows = [
        {
            "user_id": event["user_id"],
            "item_id": event["item_id"],
            "type": "view",
            "value": 1.0,
            "time": START + timedelta(days=event["day"]),
        }
        for event in events
    ]
    return pl.DataFrame(rows, schema=EVENT_SCHEMA)


@dataclass(frozen=True)
class Board:
    """A board on disk, with settings.

    Attributes
    ----------
    folder
        Where everything is.
    backbone
        A model folder.
    """

    folder: Path
    backbone: str

    def sections(self, **changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return every setting that differs from its default, with `changes` by section."""
        whole: dict[str, dict[str, Any]] = {
            "catalogue": {"path": str(self.folder / "items.jsonl")},
            "events": {"path": str(self.folder / "events.jsonl"), "time": "day"},
            "encoder": {"store": str(self.folder / "bundles"), "cache": False, "threads": 1},
            "training": {
                **QUICK,
                "backbone": self.backbone,
                "folder": str(self.folder / "training"),
            },
        }
        for section, values in changes.items():
            whole[section] = {**whole.get(section, {}), **values}
        return whole

    def settings(self, **changes: Mapping[str, Any]) -> Settings:
        """Return the settings."""
        return load_settings(None, self.sections(**changes))

    def stock(self, items: list[Record], events: list[Record]) -> None:
        """Write other items and events."""
        write_lines(self.folder / "items.jsonl", items)
        days = [(START + timedelta(days=one["day"])).isoformat() for one in events]
        dated = [{**one, "day": day} for one, day in zip(events, days, strict=True)]
        write_lines(self.folder / "events.jsonl", dated)

    @property
    def store(self) -> BundleStore:
        """Where bundles appear."""
        return BundleStore(self.folder / "bundles")

    @property
    def checkpoints(self) -> list[Path]:
        """The checkpoints of all runs, oldest first."""
        found = (self.folder / "training").glob("*/checkpoint-*")
        return sorted(found, key=lambda place: int(place.name.rpartition("-")[2]))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small matrices are multiplied sooner by one thread, above all on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """The board, read by the tiny BERT."""
    made = Board(tmp_path, tiny_source())
    made.stock(board_items(), board_events())
    return made


def items() -> Iterator[list[Item]]:
    """Yield the board in two batches."""
    every = as_items(board_items())
    yield every[:10]
    yield every[10:]


def events() -> list[pl.DataFrame]:
    """Return the board's events in two frames."""
    every = as_frame(board_events())
    return [every[:100], every[100:]]


def word_tokenizer(special: list[str], **named: str) -> Any:
    """Return a fast tokenizer of the board's words."""
    import transformers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([item["title"] for item in board_items()], trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=64, **named
    )


@pytest.fixture(scope="session")
def gpt2_board(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A GPT-2 of two layers from scratch, with a tokenizer that knows the board."""
    import torch
    import transformers

    torch.manual_seed(21)
    folder = tmp_path_factory.mktemp("board-gpt2")
    tokenizer = word_tokenizer(["<|endoftext|>"], eos_token="<|endoftext|>")
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_positions=64, n_embd=64, n_layer=2, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    transformers.GPT2Model(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def xlmr_board(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An XLM-R, as multilingual e5 is one, of two layers from scratch."""
    import torch
    import transformers

    torch.manual_seed(22)
    folder = tmp_path_factory.mktemp("board-xlmr")
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokenizer = word_tokenizer(list(special.values()), **special)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    config = transformers.XLMRobertaConfig(
        vocab_size=len(tokenizer), hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=128, max_position_embeddings=66, pad_token_id=1,
    )  # fmt: skip
    transformers.XLMRobertaModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def weights(backbone: Backbone) -> dict[str, Any]:
    """Return the parameters that are read; the tiny BERT's pooler is not, and drawn anew."""
    state = backbone.model.state_dict()
    return {name: values for name, values in state.items() if not name.startswith("pooler.")}

"""Make what a shop would have from the raw files: its documents, and who bought what.

    python examples/shop/prepare.py FROM TO

FROM holds ``Games.item.gz`` (id and title) and ``Games-6k.test.inter.gz`` (each shopper's items in
the order of buying, and the last one); TO gets ``games.jsonl`` and ``bought.csv``.
"""

import html
import sys
from pathlib import Path

import polars as pl

PLATFORMS = {
    "PlayStation 4": r"playstation ?4|\bps4\b",
    "PlayStation 3": r"playstation ?3|\bps3\b",
    "PlayStation 2": r"playstation ?2|\bps2\b",
    "PS Vita": r"\bvita\b",
    "PSP": r"\bpsp\b",
    "PlayStation": r"playstation|\bpsx\b",
    "Xbox One": r"xbox ?one",
    "Xbox 360": r"xbox ?360",
    "Xbox": r"xbox",
    "Switch": r"nintendo switch",
    "Wii U": r"\bwii ?u\b",
    "Wii": r"\bwii\b",
    "3DS": r"\b3ds\b",
    "DS": r"\bdsi?\b",
    "GameCube": r"game ?cube",
    "Game Boy": r"game ?boy|\bgba\b",
    "Nintendo 64": r"nintendo 64|\bn64\b",
    "PC": r"\bpc\b|\bmac\b|windows|download\]|game code",
}
"""What a title says of its platform; the first that is found holds."""

ACCESSORY = (
    r"controller|gamepad|headset|headphone|charg|cable|adapter|\bcase\b|skin|cover|memory card"
    r"|keyboard|mouse|protector|\bgrip|battery|remote|joystick|console|system\b|\bdock"
)
"""What only titles of accessories and consoles say."""


def games(file: Path) -> pl.DataFrame:
    """Return the shop's documents: id, title, kind, and the platform where the title names one."""
    raw = pl.read_csv(file, separator="\t", quote_char=None, infer_schema_length=0)
    named = raw["title:token_seq"].map_elements(html.unescape, return_dtype=pl.String)
    title = pl.col("title")
    # a null for what no title says: the field is left out of the document
    platform = pl.lit(None, dtype=pl.String)
    for name, words in reversed(PLATFORMS.items()):
        found = title.str.contains(f"(?i){words}")
        platform = pl.when(found).then(pl.lit(name)).otherwise(platform)
    accessory = title.str.contains(f"(?i){ACCESSORY}")
    return raw.with_columns(title=named.str.strip_chars()).select(
        pl.col("item_id:token").alias("sku"),
        title,
        platform.alias("platform"),
        pl.when(accessory).then(pl.lit("accessory")).otherwise(pl.lit("game")).alias("kind"),
    )


def bought(file: Path) -> pl.DataFrame:
    """Return one row for each thing bought; a shopper's rows are in the order of buying."""
    raw = pl.read_csv(file, separator="\t", infer_schema_length=0)
    every = pl.col("item_id_list:token_seq") + " " + pl.col("item_id:token")
    rows = raw.select(pl.col("user_id:token").alias("shopper"), every.str.split(" ").alias("sku"))
    return rows.explode("sku", empty_as_null=False)


def main() -> None:
    """Read FROM, write TO."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    found = games(source / "Games.item.gz")
    sold = bought(source / "Games-6k.test.inter.gz")
    found.write_ndjson(target / "games.jsonl")
    sold.write_csv(target / "bought.csv")
    print(f"{found.height:,} games and accessories, {sold.height:,} bought")


if __name__ == "__main__":
    main()

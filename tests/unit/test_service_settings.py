"""Keys of the service: what cannot be one is refused when settings are read."""

from hashlib import sha256

import pytest
from pydantic import ValidationError

from seealso.config import ServiceSettings

SHOP = sha256(b"shop").hexdigest()
APP = sha256(b"app").hexdigest()


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ([("shop", sha256(b"").hexdigest())], "the hash of an empty text"),
        ([("shop", "shop")], "pattern"),
        ([("", SHOP)], "at least 1 character"),
        ([("shop", SHOP), ("shop", APP)], "same name: shop"),
        ([("shop", SHOP), ("app", SHOP)], f"same key: {SHOP}"),
    ],
)
def test_what_is_no_key_is_refused(keys: list[tuple[str, str]], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ServiceSettings.model_validate(
            {"keys": [{"name": name, "sha256": digest} for name, digest in keys]}
        )


@pytest.mark.parametrize(
    ("scopes", "reason"), [([], "at least 1 item"), (["write"], "'read', 'events' or 'admin'")]
)
def test_scopes_are_those_that_there_are(scopes: list[str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ServiceSettings.model_validate({"keys": [{"name": "a", "sha256": SHOP, "scopes": scopes}]})


def test_a_key_allows_reading_unless_it_says_more() -> None:
    found = ServiceSettings.model_validate({"keys": [{"name": "shop", "sha256": SHOP}]})
    assert found.keys[0].scopes == ("read",)


def test_each_caller_has_a_key() -> None:
    keys = [{"name": "shop", "sha256": SHOP}, {"name": "app", "sha256": APP}]
    assert [one.name for one in ServiceSettings.model_validate({"keys": keys}).keys] == [
        "shop",
        "app",
    ]

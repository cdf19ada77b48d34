"""What is counted of lists: why something was left out of them."""

from seealso.plugin.profiles.profile import Profile
from seealso.plugin.profiles.users import describe_blanks, describe_gaps
from seealso.plugin.ranking.answers import missing_part
from seealso.plugin.recommendations import join_notes
from seealso.plugin.service.metrics import find_whys
from seealso.types import User


def test_what_a_note_says_is_counted_under_a_name() -> None:
    lost = missing_part([{"_shards": {"total": 3, "successful": 2}}])
    unknown = describe_gaps(Profile(User("u1"), None))
    assert find_whys(lost) == {"part_missing"}
    assert find_whys(unknown) == {"unknown_user"}
    assert find_whys(join_notes(lost, unknown)) == {"part_missing", "unknown_user"}
    assert find_whys(describe_blanks(" \t")) == {"blank_words"}
    assert find_whys(describe_blanks("", "a castle")) == set()
    assert find_whys("3 items have no probability: ...") == {"no_probability"}
    assert find_whys("1 of 3 places are for films of 2020") == {"promises"}
    assert find_whys("") == set()

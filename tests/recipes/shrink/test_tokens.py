from modelmuster.recipes.shrink.sizes import VOCABULARY
from modelmuster.recipes.shrink.tokens import TokenIds


def test_equal_ids_stay_equal_and_different_ones_different():
    ids = TokenIds()
    moved = [ids.move(value) for value in (151655, 151656, 151655)]
    assert moved[0] == moved[2] != moved[1]
    assert all(value < VOCABULARY for value in moved)


def test_small_ids_stay():
    assert [TokenIds().move(value) for value in (0, 1, 2, -100)] == [0, 1, 2, -100]


def test_lists_keep_their_type_and_what_is_no_id_stays():
    ids = TokenIds()
    assert ids.move((50256, 2)) == (VOCABULARY - 1, 2)
    assert ids.move(None) is None
    assert ids.move(True) is True

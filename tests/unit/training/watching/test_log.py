from ftkit.training.watching.log import AT_MOST, find_lines


def test_lines_are_found_as_they_stand_whatever_their_capitals() -> None:
    found = find_lines(
        [b"Loading\n", b"Error: 3.5 [a]\n", b"the ERROR: 3x5 a\r\n", b"\xff error: 3.5 [A]"], "error: 3.5 ["
    )
    assert found.total == 2
    assert found.lines == ((2, "Error: 3.5 [a]"), (4, "\ufffd error: 3.5 [A]"))
    assert find_lines([], "x") == (0, ())


def test_of_many_lines_the_newest_are_given_and_all_are_counted() -> None:
    found = find_lines((b"step %d\n" % n for n in range(1, 1001)), "STEP")
    assert found.total == 1000
    assert [number for number, _ in found.lines] == list(range(1001 - AT_MOST, 1001))


def test_an_endless_line_is_cut() -> None:
    ((_, line),) = find_lines([b"x" * 1_000_000], "x").lines
    assert len(line) == 2000
    assert line.endswith("…")

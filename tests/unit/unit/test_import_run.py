"""What importers of one task share."""

from connector.unit.import_run import ImportRun, Outcome

A, B = ("shop.artist", "1"), ("shop.album", "1")


def test_created_is_not_overwritten_by_less():
    """
    A record met several times counts once, with the most that was done to it.
    """
    run = ImportRun()
    for outcome in (Outcome.UNCHANGED, Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED):
        run.note(A, outcome)
    run.note(B, Outcome.UPDATED)

    assert run.counts() == {"shop.album": {"updated": 1}, "shop.artist": {"created": 1}}


def test_going_back_forgets_what_came_after_the_mark():
    """
    A rolled back savepoint takes back outcomes, locks and what was under way.
    """
    run = ImportRun(outcomes={A: Outcome.CREATED}, locked={A})
    mark = run.mark()
    run.note(B, Outcome.CREATED)
    run.locked.add(B)
    run.writing.add(B)
    run.waiting.setdefault(A, set()).add(B)

    run.back_to(mark)

    assert run == ImportRun(outcomes={A: Outcome.CREATED}, locked={A})
    run.locked.add(B)
    assert mark.locked == {A}

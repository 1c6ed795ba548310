"""How often Python looks for garbage."""

import gc

COLLECT_AFTER_ALLOCATIONS = 50_000


def calm_the_collector() -> None:
    """Look for circles of garbage less often: requests and rows leave none, and looking took an eighth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_ALLOCATIONS)

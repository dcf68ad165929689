"""A retry budget: however much fails, retries stay a small share of the requests.

Source: Google, "Site Reliability Engineering", chapter 21, "Handling Overload": retries of a
client are held to 10 % of its requests, and of a request to three attempts. Without the first
bound every caller of a failing service multiplies its load just when it can bear none.
"""

MOST_ATTEMPTS = 3
"""Of one request."""


class RetryBudget:
    """A token bucket that requests fill and retries empty; it begins empty.

    Args:
        ratio: tokens that each request puts in; a retry takes one.
        most: tokens it holds.
    """

    def __init__(self, ratio: float, most: float = 10.0) -> None:
        self._ratio = ratio
        self._most = most
        self._tokens = 0.0

    def request(self) -> None:
        """A request came."""
        self._tokens = min(self._tokens + self._ratio, self._most)

    def retry(self) -> bool:
        """Whether one more attempt is within the budget; takes its token where it is."""
        # Tenths do not add up to one in binary; a token is due after ten requests all the same.
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens = max(self._tokens - 1, 0.0)
        return True

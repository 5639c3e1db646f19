"""What engagement/ knows by short names, in the words of a report."""

# Why the likes of a post are unknown: in short, and what it means.
REASONS = {
    "hidden": ("likes hidden", "The count is negative, which is how exports write hidden likes."),
    "empty": ("no likes given", "The cell of the CSV is empty."),
    "not_a_number": ("likes not a number", "The cell of the CSV holds something else."),
    "account_hides": (
        "account hides its likes",
        "The account's commonest count is 3, which some exports write for hidden likes.",
    ),
    "too_young": ("too young", "It was collected so soon after posting that its likes still grew."),
    "no_followers": (
        "followers unknown",
        "Likes per follower need the followers, which are not given or 0.",
    ),
    "no_account": ("account unknown", "An account's median needs the account, which is not given."),
    "few_posts": (
        "too few posts of its account",
        "The account has fewer than five posts with known likes, too few for a median.",
    ),
}

# What each rung of the ladder goes by.
RUNGS = {
    "majority": "Knows nothing, and says the same of every post.",
    "followers only": "How many followers the account has.",
    "account mean": "How often the account's earlier posts were high.",
    "time of posting": "The hour and the day of the week (UTC).",
    "picture only": "The classifier's score, and nothing else.",
    "all together": "All that is known above, and the caption's length and hashtags, if any.",
}


def rule_in_words(rule: str, bars: tuple[float, float] | None = None) -> str:
    """Say what "high" means; `bars` are the lowest and the highest that training posts set."""
    # Loaded here: whoever has a review to show has pandas already, and a tagger's page needs none.
    from engagement.labels import Rule  # noqa: PLC0415

    parsed = Rule.parse(rule)
    if parsed.amount is None:
        return "More likes than the median of the account's own posts with known likes."
    if parsed.kind == "likes":
        return f"More than {number(parsed.amount)} likes."
    if parsed.kind == "rate":
        return f"More than {number(parsed.amount)} likes per follower."
    told = f"The {number(parsed.amount)}% with the most likes, by a bar that training posts set"
    if bars is None:
        return f"{told}."
    lowest, highest = map(number, bars)
    if lowest == highest:
        return f"{told}: more than {lowest} likes."
    return f"{told}: more than {lowest} to {highest} likes, as each fold has its own."


def number(amount: float) -> str:
    """Write a bar: its thousands apart, and no more places than it has."""
    return f"{amount:,.10f}".rstrip("0").rstrip(".")

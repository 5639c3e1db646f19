"""What engagement/ knows by codes, in sentences: for pages, the terminal and JSON alike."""

from engagement.classes import HEAD
from engagement.findings import Auc, Finding, Note, Split, SplitFacts
from engagement.rules import Rule
from reports.language import Language

USUAL = 0.65
"""The ROC-AUC that pictures alone seldom pass (see the design notes on honest splits)."""


def rule_in_words(language: Language, rule: str, bars: tuple[float, float] | None = None) -> str:
    """Say what "high" means; `bars` are the lowest and the highest that training posts set."""
    parsed = Rule.parse(rule)
    said = {"amount": language.bar(parsed.amount)}
    if parsed.kind == "median":
        return language.gettext(
            "High is a post with more likes than the median of its account's posts with known"
            " likes."
        )
    if parsed.kind == "likes":
        return language.gettext("High is a post with more than %(amount)s likes.") % said
    if parsed.kind == "rate":
        return (
            language.gettext("High is a post with more than %(amount)s likes per follower.") % said
        )
    return _top_in_words(language, said, bars)


def _top_in_words(
    language: Language, said: dict[str, str], bars: tuple[float, float] | None
) -> str:
    if bars is None:
        return (
            language.gettext(
                "High are the %(amount)s%% of posts with the most likes, by a bar that training"
                " posts set."
            )
            % said
        )
    said |= {"low": language.bar(bars[0]), "high": language.bar(bars[1])}
    if said["low"] == said["high"]:
        return (
            language.gettext(
                "High are the %(amount)s%% of posts with the most likes, by a bar that training"
                " posts set: more than %(low)s likes."
            )
            % said
        )
    return (
        language.gettext(
            "High are the %(amount)s%% of posts with the most likes, by a bar that training posts"
            " set: more than %(low)s to %(high)s likes, as each fold has its own."
        )
        % said
    )


def split_in_words(language: Language, split: SplitFacts) -> str:
    """Say what was kept apart, and what that is worth."""
    if split.kind is Split.TIME and split.cut:
        return language.gettext(
            "By time: trained on posts before %(when)s, tested on the posts from then on."
        ) % {"when": language.moment(split.cut)}
    if split.kind is Split.ACCOUNT and split.tested > 1:
        return language.gettext(
            "Five folds by account: every post is scored by a model that never saw a post of its"
            " account."
        )
    if split.kind is Split.ACCOUNT:
        return language.gettext(
            "One fold of five by account: the posts of its accounts are scored by a model that"
            " never saw a post of theirs, the others are not measured."
        )
    if split.tested > 1:
        return language.gettext(
            "Five folds at random, which is worth little: where accounts post more than once they"
            " are on both sides, so that a score may do no more than recognise the account. It"
            " says nothing about accounts not seen yet."
        )
    return language.gettext(
        "One fold of five at random, which is worth little: where accounts post more than once"
        " they are on both sides, so that a score may do no more than recognise the account. The"
        " posts of the other folds are not measured."
    )


def finding_in_words(language: Language, finding: Finding) -> str:
    """Say in one sentence whether the picture tells more than the account that posted it."""
    if finding.auc is None:
        return _unmeasured(language, finding)
    said = _area(language, finding.auc)
    if finding.kind == "better":
        return (
            language.gettext(
                "The picture is better than chance inside accounts: AUC %(value)s (95 %%"
                " interval %(low)s to %(high)s; %(n)s posts), so of a high and a low post of one"
                " account it prefers the high one in %(share)s of cases."
            )
            % said
        )
    if finding.kind == "chance":
        return (
            language.gettext(
                "The picture is no better than chance inside accounts: AUC %(value)s (95 %%"
                " interval %(low)s to %(high)s; %(n)s posts)."
            )
            % said
        )
    return _unsaid(language, finding, said)


def _unmeasured(language: Language, finding: Finding) -> str:
    if finding.kind == "no_pictures":
        return language.gettext("Nothing to measure: not one picture could be had and read.")
    if finding.kind == "none_new":
        return language.gettext(
            "Nothing to measure: no labelled post with a picture is new to the classifier."
        )
    return language.gettext("No picture has a score, so nothing is said about the pictures.")


def _unsaid(language: Language, finding: Finding, said: dict[str, str]) -> str:
    if finding.kind == "no_interval":
        sentence = language.gettext(
            "Whether the picture matters inside accounts cannot be said: the AUC there is"
            " %(value)s, but %(n)s posts of so few accounts give no interval."
        )
        return sentence % said
    if finding.kind == "few_pairs":
        sentence = language.gettext(
            "Whether the picture matters inside accounts cannot be said: only %(n)s posts are in"
            " accounts with both high and low ones among those tested (AUC %(value)s, 95 %%"
            " interval %(low)s to %(high)s)."
        )
        return sentence % said
    return language.gettext(
        "Whether the picture matters inside accounts cannot be said: no account has both a high"
        " and a low post among those tested."
    )


def _area(language: Language, auc: Auc) -> dict[str, str]:
    ends = {"value": auc.value, "low": auc.low, "high": auc.high}
    said = {name: language.decimal(end, 2) for name, end in ends.items()}
    return said | {"n": language.count(auc.n), "share": language.percent(auc.value, 0)}


def note_in_words(language: Language, note: Note) -> str:
    """Say what a reader must not miss; what an older card says stays as it is, in English."""
    if note.code == "few_accounts":
        return _few_accounts(language, note.n or 0)
    if note.text and note.code == "said":
        return note.text
    if note.n is not None:
        return _counted(language, note.code, note.n)
    said = {
        "no_ladder_test": language.gettext(
            "There is no ladder: there is no labelled post to test on."
        ),
        "no_ladder_one_class": language.gettext(
            "There is no ladder: all training posts are high, or all low: there is nothing to tell"
            " apart."
        ),
        "no_together": language.gettext(
            "“All together” is left out: too few posts to learn from have a picture score by a"
            " model that was not trained on them, or anything else to go by."
        ),
        "suspicious": language.gettext(
            "A ROC-AUC of %(value)s from pictures alone is too good to be true: pictures seldom"
            " reach %(usual)s, so look for something in them that gives the likes away."
        ),
        "always": language.gettext(
            "The classifier says high of every post: it tells nothing apart."
        )
        if note.text == "high"
        else language.gettext("The classifier says low of every post: it tells nothing apart."),
        "fine_tuned": language.gettext(
            "Fine-tuning was better on validation and is kept; it is evaluated on one fold, and the"
            " out-of-fold figures are those of the frozen phase."
        ),
    }
    figures = {"value": language.decimal(note.value, 2), "usual": language.decimal(USUAL, 2)}
    return said[note.code] % figures


def _few_accounts(language: Language, accounts: int) -> str:
    if not accounts:
        return language.gettext(
            "No account is known, and five folds by account need five: the posts were split at"
            " random instead."
        )
    return language.ngettext(
        "Only one account is known, and five folds by account need five: the posts were split at"
        " random instead.",
        "Only %(num)s accounts are known, and five folds by account need five: the posts were split"
        " at random instead.",
        accounts,
    )


def _counted(language: Language, code: str, number: int) -> str:
    """Say a note about so many posts or pictures."""
    said = {
        "times_unread": language.ngettext(
            "%(num)s post has a time that can't be read (ISO 8601, or seconds since 1970, can): how"
            " old it was when it was collected is not known.",
            "%(num)s posts have a time that can't be read (ISO 8601, or seconds since 1970, can):"
            " how old they were when they were collected is not known.",
            number,
        ),
        "left_out": language.ngettext(
            "%(num)s labelled post is scored and not measured: the classifier has seen it, its"
            " account, its time or a picture like its own.",
            "%(num)s labelled posts are scored and not measured: the classifier has seen them,"
            " their account, their time or a picture like theirs.",
            number,
        ),
        "few_measured": language.ngettext(
            "Only %(num)s post could be measured: the figures mean little.",
            "Only %(num)s posts could be measured: the figures mean little.",
            number,
        ),
        "aside": language.ngettext(
            "%(num)s post is on no side of the first fold: pictures like its own are in that fold's"
            " test or validation. Other folds have it.",
            "%(num)s posts are on no side of the first fold: pictures like theirs are in that"
            " fold's test or validation. Other folds have them.",
            number,
        ),
        "unpictured": language.ngettext(
            "%(num)s labelled post has no picture that can be read.",
            "%(num)s labelled posts have no picture that can be read.",
            number,
        ),
        "undecodable": language.ngettext(
            "%(num)s picture could not be decoded and was left out.",
            "%(num)s pictures could not be decoded and were left out.",
            number,
        ),
    }
    return said[code]


def unknown_reason(language: Language, reason: str) -> tuple[str, str]:
    """Say why a post can't be labelled: in short, and what it means."""
    said = {
        "hidden": (
            language.gettext("Likes hidden"),
            language.gettext("The count is negative, which is how exports write hidden likes."),
        ),
        "empty": (
            language.gettext("No likes given"),
            language.gettext("The cell of the CSV is empty."),
        ),
        "not_a_number": (
            language.gettext("Likes not a number"),
            language.gettext("The cell of the CSV holds something else."),
        ),
        "account_hides": (
            language.gettext("Account hides its likes"),
            language.gettext(
                "The account's commonest count is 3, which some exports write for hidden likes."
            ),
        ),
        "too_young": (
            language.gettext("Too young"),
            language.gettext("It was collected so soon after posting that its likes still grew."),
        ),
        "no_followers": (
            language.gettext("Followers unknown"),
            language.gettext("Likes per follower need the followers, which are not given or 0."),
        ),
        "no_account": (
            language.gettext("Account unknown"),
            language.gettext("An account's median needs the account, which is not given."),
        ),
        "few_posts": (
            language.gettext("Too few posts of its account"),
            language.gettext(
                "The account has fewer than five posts with known likes, too few for a median."
            ),
        ),
    }
    return said.get(reason, (reason.replace("_", " "), ""))


def rung_in_words(language: Language, name: str) -> tuple[str, str]:
    """Say what a rung of the ladder is called, and what it goes by."""
    said = {
        "majority": (
            language.gettext("Majority"),
            language.gettext("Knows nothing, and says the same of every post."),
        ),
        "followers only": (
            language.gettext("Followers only"),
            language.gettext("How many followers the account has."),
        ),
        "account mean": (
            language.gettext("Account mean"),
            language.gettext("How often the account's earlier posts were high."),
        ),
        "time of posting": (
            language.gettext("Time of posting"),
            language.gettext("The hour and the day of the week (UTC)."),
        ),
        "picture only": (
            language.gettext("Picture only"),
            language.gettext("The classifier's score, and nothing else."),
        ),
        "all together": (
            language.gettext("All together"),
            language.gettext(
                "All that is known above, and the caption's length and hashtags, if any."
            ),
        ),
    }
    return said.get(name, (name, ""))


def label_in_words(language: Language, label: str) -> str:
    """Say high or low."""
    return language.gettext("high") if label == "high" else language.gettext("low")


def head_in_words(language: Language, name: str) -> str:
    """Name a head of a classifier; that of a fold by its number."""
    if name == HEAD:
        return language.gettext("engagement")
    return language.gettext("fold %(number)s") % {"number": name.removeprefix("fold_")}


def cause_in_words(language: Language, cause: str) -> str:
    """Say why a post has another label or guess than before."""
    said = {
        "rule": language.gettext("“High” means something else"),
        "bar": language.gettext("Training posts set another bar"),
        "age": language.gettext(
            "It was too young to be labelled, or is: its age when collected is another, or the"
            " least age asked for"
        ),
        "likes": language.gettext(
            "Other likes or followers, another account, or other posts of its account"
        ),
        "model": language.gettext("Another classifier"),
        "picture": language.gettext("Another picture"),
        "head": language.gettext("Another head of the classifier, with its own threshold"),
    }
    return said.get(cause, cause)

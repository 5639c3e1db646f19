"""What charts and tables about posts say, each in a sentence made of its figures."""

from collections.abc import Sequence

from catalog.models.calibration import by_chance, chance_error
from engagement.findings import Curves, Evaluation, Review
from reports.engagement import SIZES, LikedPost, SizeBand
from reports.hours import Hour, level_of, outstanding, overall
from reports.language import Language
from reports.wording import rung_in_words

WITHOUT_PICTURE = ("followers only", "account mean", "time of posting")


def ladder_finding(language: Language, review: Review) -> str:
    """Say how the picture compares, inside accounts, with the best of what is known without it."""
    inside = {rung.name: rung.inside.value for rung in review.ladder}
    others = {name: inside[name] for name in WITHOUT_PICTURE if inside.get(name) is not None}
    best = max(others, key=lambda name: others[name] or 0.0, default=None)
    picture = inside.get("picture only")
    if best is None:
        return language.gettext("What each kind of knowledge gets on the same posts")
    said = {
        "rung": rung_in_words(language, best)[0],
        "area": language.decimal(others[best], 2),
        "picture": language.decimal(picture, 2),
    }
    if picture is None:
        return (
            language.gettext(
                "Of what is known without a picture “%(rung)s” alone gets furthest inside accounts:"
                " ROC-AUC %(area)s"
            )
            % said
        )
    return (
        language.gettext(
            "Inside accounts the picture reaches a ROC-AUC of %(picture)s, “%(rung)s” %(area)s"
        )
        % said
    )


def confusion_finding(language: Language, evaluation: Evaluation) -> str:
    """Say how many of the high posts were found."""
    (_, false_alarms), (missed, found) = evaluation.confusion
    return language.gettext(
        "%(found)s of %(high)s high posts were called high, and so were %(alarms)s of %(low)s low"
        " ones"
    ) % {
        "found": language.count(found),
        "high": language.count(found + missed),
        "alarms": language.count(false_alarms),
        "low": language.count(sum(evaluation.confusion[0])),
    }


def calibration_finding(language: Language, evaluation: Evaluation) -> str:
    """Say how far scores are from shares, beside what chance would do to calibrated ones."""
    bins = evaluation.reliability
    said = {
        "error": language.decimal(100 * (evaluation.ece or 0.0), 1),
        "chance": language.decimal(100 * (chance_error(bins) or 0.0), 1),
    }
    if by_chance(bins):
        return (
            language.gettext(
                "On average a score is %(error)s points away from the share of such posts that was"
                " high, no more than chance may give with so many posts (on average %(chance)s)"
            )
            % said
        )
    return (
        language.gettext(
            "On average a score is %(error)s points away from the share of such posts that was"
            " high, more than chance gives with so many posts (on average %(chance)s)"
        )
        % said
    )


def roc_finding(language: Language, curves: Curves) -> str:
    """Say what share of the high posts is found while a fifth of the low ones is called high."""
    price = 0.2
    found = _at(curves.roc, price)
    return language.gettext(
        "Where %(price)s of the low posts are called high, %(found)s of the high ones are"
    ) % {"price": language.percent(price, 0), "found": language.percent(found, 0)}


def recall_finding(language: Language, curves: Curves, evaluation: Evaluation) -> str:
    """Say how many of the highest scores were high, beside all posts."""
    top = next((cutoff for cutoff in reversed(curves.cutoffs) if cutoff.called), None)
    if top is None:
        return language.gettext("Most posts share the highest score, which doesn't tell them apart")
    return language.ngettext(
        "Of the %(num)s post with the highest score %(precision)s was high, of all posts %(base)s",
        "Of the %(num)s posts with the highest scores %(precision)s were high, of all posts"
        " %(base)s",
        top.called,
    ) % {
        "precision": language.percent(top.precision, 0),
        "base": language.percent(evaluation.base_rate, 0),
    }


def threshold_finding(language: Language, curves: Curves, evaluation: Evaluation) -> str:
    """Say what the model's own thresholds come to."""
    own = curves.frozen
    said = {
        "share": language.percent(own.called / evaluation.n, 0),
        "precision": language.percent(own.precision, 0),
        "recall": language.percent(own.recall, 0),
    }
    if own.precision is None:
        return language.gettext("The model's own threshold calls no post high")
    return (
        language.gettext(
            "The model's own threshold calls %(share)s of the posts high: %(precision)s of those"
            " were, and it finds %(recall)s of the high ones"
        )
        % said
    )


def hours_finding(language: Language, hours: Sequence[Hour]) -> str:
    """Say whether an hour stands out, and by how much; one of few posts or accounts never does."""
    judged = [each for each in hours if each.enough]
    if not judged:
        return language.gettext("No hour has posts and accounts enough to be called the best")
    found, level = outstanding(hours), level_of(hours)
    best = found or max(judged, key=lambda each: each.share)
    said = {
        "hour": clock(best.hour),
        "share": language.percent(best.share, 0),
        "level": language.percent(level),
        "interval": language.percent_span(*best.interval(level), 0),
        "overall": language.percent(overall(hours), 0),
    }
    if found is None:
        return (
            language.gettext(
                "No hour stands out: the best, %(hour)s UTC, has %(share)s high posts (%(level)s"
                " interval: %(interval)s), all together %(overall)s"
            )
            % said
        )
    return (
        language.gettext(
            "Posts of %(hour)s UTC stand out: %(share)s of them were high (%(level)s interval:"
            " %(interval)s), of all posts %(overall)s"
        )
        % said
    )


def sizes_finding(language: Language, bands: Sequence[SizeBand]) -> str:
    """Say what the median post gets of its followers, where that is most and where it is least."""
    enough = [band for band in bands if band.enough]
    if not enough:
        return language.gettext("No size has posts and accounts enough to be compared")
    most, least = (choose(enough, key=lambda band: band.median) for choose in (max, min))
    said = {
        "most": language.percent(most.median, 2),
        "size": size_in_words(language, most),
        "least": language.percent(least.median, 2),
        "other": size_in_words(language, least),
    }
    if len(bands) == 1:
        return (
            language.gettext(
                "The median post engages %(most)s of the followers; all accounts have %(size)s"
            )
            % said
        )
    return _sizes_compared(language, said, len(enough))


def _sizes_compared(language: Language, said: dict[str, str], compared: int) -> str:
    """The same where accounts are of several sizes, of which some may have too few posts."""
    if compared == 1:
        return (
            language.gettext(
                "The median post engages %(most)s of the followers where an account has %(size)s;"
                " other sizes have too few posts or accounts"
            )
            % said
        )
    if said["most"] == said["least"]:
        return (
            language.gettext(
                "The median post engages %(most)s of the followers, whatever the size of the"
                " account"
            )
            % said
        )
    return (
        language.gettext(
            "The median post engages %(most)s of the followers where an account has %(size)s,"
            " %(least)s where it has %(other)s"
        )
        % said
    )


def extremes_finding(language: Language, extremes: Sequence[LikedPost]) -> str:
    """Say how far apart the best and the worst posts are, and how many were guessed."""
    compared = [post for post in extremes if post.right is not None]
    if not compared:
        return language.gettext("The posts that were liked most, and least")
    right = sum(bool(post.right) for post in compared)
    return language.ngettext(
        "Of the best and worst posts %(num)s can be compared, and the picture told %(right)s"
        " rightly",
        "Of the %(num)s best and worst posts the picture told %(right)s rightly",
        len(compared),
    ) % {"right": language.count(right)}


def size_in_words(language: Language, band: SizeBand) -> str:
    """Name a band of followers."""
    place = SIZES.index(band.least)
    if place + 1 == len(SIZES):
        return language.gettext("%(least)s or more") % {"least": language.count(band.least)}
    above = language.count(SIZES[place + 1])
    if not place:
        return language.gettext("fewer than %(above)s") % {"above": above}
    said = {"least": language.count(band.least), "most": language.count(SIZES[place + 1] - 1)}
    return language.gettext("%(least)s to %(most)s") % said


def clock(hour: int) -> str:
    """Write the hour of a day."""
    return f"{hour:02}:00"


def _at(points: Sequence[tuple[float, float]], across: float) -> float:
    """Read a curve [n, 2] that goes to the right, between its points."""
    before = max((point for point in points if point[0] <= across), default=points[0])
    after = min((point for point in points if point[0] >= across), default=points[-1])
    if after[0] == before[0]:
        return before[1]
    share = (across - before[0]) / (after[0] - before[0])
    return before[1] + share * (after[1] - before[1])

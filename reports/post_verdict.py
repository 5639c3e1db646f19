"""The first screen of a report on posts, in sentences: what was done, and is next."""

from collections.abc import Iterator

from engagement.findings import Review
from reports.engagement import Change, EngagementReport
from reports.headline import Figure, Headline
from reports.language import Language
from reports.leftovers import alarms, to_do


def done(language: Language, report: EngagementReport) -> str:
    """Say how many posts there are, and what is known of them."""
    counts = report.run.counts
    said = {name: language.count(counts[name]) for name in ("scored", "labelled", "unknown")}
    said["high"] = language.count(report.review.high)
    if not report.run.model:
        return (
            language.ngettext(
                "%(num)s post was read, and no picture was looked at: %(labelled)s is labelled"
                " (%(high)s high), %(unknown)s can't be.",
                "%(num)s posts were read, and no picture was looked at: %(labelled)s are labelled"
                " (%(high)s of them high), %(unknown)s can't be.",
                counts["posts"],
            )
            % said
        )
    return (
        language.ngettext(
            "%(num)s post was read: %(scored)s is scored by its picture, %(labelled)s is labelled"
            " (%(high)s high), %(unknown)s can't be.",
            "%(num)s posts were read: %(scored)s are scored by their picture, %(labelled)s are"
            " labelled (%(high)s of them high), %(unknown)s can't be.",
            counts["posts"],
        )
        % said
    )


def changed(language: Language, report: EngagementReport) -> tuple[str, ...]:
    """Say what is different from the run before."""
    change = report.change
    if change is None:
        return (language.gettext("There is no earlier run over these posts to compare with."),)
    return (
        *_gone(language, report.run.counts.get("gone", 0)),
        *_areas(language, report.review, report.headline, change),
        *_answers(language, change),
        *_moved(language, change),
    )


def _gone(language: Language, gone: int) -> Iterator[str]:
    if gone:
        yield language.ngettext(
            "%(num)s post has left the CSV.", "%(num)s posts have left the CSV.", gone
        )


def _areas(language: Language, review: Review, headline: Headline, change: Change) -> Iterator[str]:
    """The area inside accounts, then and now, where both are of the same rule and kind of split."""
    if change.rule is not None and change.rule != review.rule:
        yield language.gettext(
            "In the run before “high” meant something else (%(rule)s): its figures can't be"
            " compared."
        ) % {"rule": change.rule}
        return
    if change.split is not None and change.split is not review.split.kind:
        yield language.gettext(
            "In the run before another split kept training and test apart: its areas can't be"
            " compared."
        )
        return
    before, now = _inside(change.figures), _inside(headline.figures)
    if before and now:
        yield language.gettext(
            "The ROC-AUC inside accounts was %(before)s (%(before_interval)s) in the run before and"
            " is %(now)s (%(now_interval)s) now."
        ) % {
            "before": language.decimal(before.value),
            "before_interval": language.span(before.low, before.high),
            "now": language.decimal(now.value),
            "now_interval": language.span(now.low, now.high),
        }


def _inside(figures: tuple[Figure, ...]) -> Figure | None:
    found = (each for each in figures if each.name == "roc_auc_inside" and each.value is not None)
    return next(found, None)


def _answers(language: Language, change: Change) -> Iterator[str]:
    paired = change.paired
    if not paired.n:
        return
    said = {
        "before": language.count(paired.then.right),
        "now": language.count(paired.now.right),
        "mended": language.count(paired.mended),
        "broken": language.count(paired.broken),
    }
    if not paired.mended and not paired.broken:
        yield (
            language.ngettext(
                "Of %(num)s post measured both times by the same rule the same %(now)s is called"
                " rightly, by the likes of today.",
                "Of %(num)s posts measured both times by the same rule the same %(now)s are called"
                " rightly, by the likes of today.",
                paired.n,
            )
            % said
        )
        return
    yield (
        language.ngettext(
            "Of %(num)s post measured both times by the same rule %(before)s was called rightly"
            " then and %(now)s now, by the likes of today: %(mended)s became right, %(broken)s"
            " wrong.",
            "Of %(num)s posts measured both times by the same rule %(before)s were called rightly"
            " then and %(now)s now, by the likes of today: %(mended)s became right, %(broken)s"
            " wrong.",
            paired.n,
        )
        % said
    )


def _moved(language: Language, change: Change) -> Iterator[str]:
    said = {
        "new": language.count(change.new),
        "labels": language.count(sum(each.posts for each in change.moved if each.what == "label")),
        "guesses": language.count(sum(each.posts for each in change.moved if each.what == "guess")),
    }
    yield (
        language.gettext(
            "Posts that are new: %(new)s; with another label than before: %(labels)s; with another"
            " guess: %(guesses)s."
        )
        % said
    )


def next_steps(language: Language, report: EngagementReport) -> tuple[str, ...]:
    """Say what a person can do next: about the rows and pictures, and about the finding."""
    told = advice(language, report.review, pictured=bool(report.pictured))
    return (*alarms(report.run.counts, language), *to_do(report.left, language), told)


def advice(language: Language, review: Review, *, pictured: bool) -> str:
    """Say what the finding is good for; `pictured` where there are pictures to look at."""
    kind = review.finding.kind
    said = {
        "better": language.gettext(
            "Use the score to choose among pictures of one account, and not to promise likes."
        ),
        "chance": language.gettext(
            "Do not choose pictures by this score. More posts of more accounts may tell more."
        ),
        "metadata": language.gettext(
            "Run without --metadata-only to learn whether the pictures matter."
        )
        if pictured
        else language.gettext("Give posts with pictures to learn whether the pictures matter."),
        "no_pictures": language.gettext("See below why no picture could be had."),
        "none_new": language.gettext(
            "Give posts that the classifier has not learned from, or train another one."
        ),
    }
    more = language.gettext("Give more posts of more accounts, so that something can be said.")
    return said.get(kind, more)

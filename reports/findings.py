"""What the figures of a tagger's pages show, each in a sentence made from its values."""

from catalog.decisions import BINS, FEWEST, RIGHT
from catalog.models.calibration import by_chance, chance_error
from reports.alike import Alike
from reports.change import Change, Paired
from reports.coverage import Coverage
from reports.decided import Decided, HeadDecided
from reports.evidence import Curves, HeadSides, ModelEvidence
from reports.language import UNDEFINED, Language
from reports.leftovers import Leftovers
from reports.measured import (
    LEAST_ROWS,
    ConfusedPair,
    Evaluation,
    HeadResult,
    Macro,
    WeakClass,
)
from reports.pages import quoted, words
from reports.reasons import failure, refusal
from reports.sureness import Sureness
from reports.tested import TestedPictures

WIDE = 0.10
"""A gap of accuracy between train and test, 0 to 1, from which on it is told as a fault."""
CLOSE = 0.02
"""A difference between how sure and how often right, 0 to 1, that is not worth a word."""


def accuracy(evaluation: Evaluation, language: Language, *, of_classes: bool = False) -> str:
    """Tell the best and the weakest attribute, of those that have rows enough.

    A model `of_classes` has no attributes: it is told how right it is.
    """
    if of_classes and not evaluation.ranked:
        return language.gettext("Too few test pictures to tell how right it is")
    if not evaluation.ranked:
        return language.gettext(
            "Too few labelled products to tell how right the tags are: no attribute has %(least)s"
        ) % {"least": language.count(LEAST_ROWS)}
    best, weakest = evaluation.ranked[0], evaluation.ranked[-1]
    told = best_and_weakest(evaluation, language)
    if best is weakest:
        return language.gettext("%(best)s is right for %(most)s of %(best_n)s") % told
    return (
        language.gettext(
            "%(best)s is right for %(most)s of %(best_n)s and %(weakest)s, the weakest attribute,"
            " for %(least)s of %(weakest_n)s"
        )
        % told
    )


def best_and_weakest(evaluation: Evaluation, language: Language) -> dict[str, str]:
    """Write the accuracy of the best and of the weakest attribute, each with its own rows."""
    best, weakest = evaluation.ranked[0], evaluation.ranked[-1]
    return {
        "best": words(best.head),
        "most": language.percent(best.accuracy),
        "best_n": language.count(best.n),
        "weakest": words(weakest.head),
        "least": language.percent(weakest.accuracy),
        "weakest_n": language.count(weakest.n),
    }


def unranked(evaluation: Evaluation, language: Language) -> str:
    """Tell which attributes have too few rows to be called the best or the weakest."""
    return language.gettext("Not ranked, for fewer than %(least)s rows: %(heads)s.") % {
        "least": language.count(LEAST_ROWS),
        "heads": ", ".join(words(head.head) for head in evaluation.unranked),
    }


def macro(averages: Macro, language: Language) -> str:
    """Tell which classes the macro averages are over, and which are left out."""
    if not averages.left_out:
        return language.ngettext(
            "Macro over %(num)s class.",
            "Macro over all %(num)s classes.",
            averages.classes,
        )
    told = {
        "least": language.count(averages.least),
        "rare": ", ".join(map(quoted, averages.rare)),
    }
    left_out = _left_out(averages, language) % told
    if not averages.classes:
        return " ".join(
            (
                language.gettext("No macro average: no class has %(least)s rows or more.") % told,
                left_out,
            )
        )
    counted = (
        language.ngettext(
            "Macro over %(num)s class of at least %(least)s rows.",
            "Macro over %(num)s classes of at least %(least)s rows.",
            averages.classes,
        )
        % told
    )
    return f"{counted} {left_out}"


def _left_out(averages: Macro, language: Language) -> str:
    if len(averages.rare) < averages.left_out:
        return language.ngettext(
            "%(num)s rarer one is left out, such as %(rare)s.",
            "%(num)s rarer ones are left out, such as %(rare)s.",
            averages.left_out,
        )
    return language.ngettext(
        "%(num)s rarer one is left out: %(rare)s.",
        "%(num)s rarer ones are left out: %(rare)s.",
        averages.left_out,
    )


def confusion(head: HeadResult, language: Language) -> str:
    """Tell the commonest mistake of a head."""
    worst = max(head.classes, key=lambda each: each.taken, default=None)
    if worst is None:
        return language.ngettext(
            "The model never learned the label of the only row",
            "The model never learned any label of the %(num)s rows",
            head.n,
        )
    if not worst.taken or worst.taken_for is None:
        return language.ngettext(
            "No class is taken for another in %(num)s row",
            "No class is taken for another in %(num)s rows",
            head.n - head.outside,
        )
    return language.gettext("%(truth)s is taken for %(guess)s in %(rows)s of %(n)s") % {
        "truth": quoted(worst.label),
        "guess": quoted(worst.taken_for),
        "rows": language.count(worst.taken),
        "n": language.count(worst.n),
    }


def weakest(classes: tuple[WeakClass, ...], language: Language, *, of_classes: bool = False) -> str:
    """Tell the class that is recognised least often; one `of_classes` has no attribute."""
    worst = classes[0]
    told = {
        "label": quoted(worst.scores.label),
        "head": words(worst.head),
        "right": language.count(worst.scores.right),
        "n": language.count(worst.scores.n),
    }
    if of_classes:
        return language.gettext("%(label)s is recognised in %(right)s of %(n)s") % told
    return language.gettext("%(label)s (%(head)s) is recognised in %(right)s of %(n)s") % told


def confused(pairs: tuple[ConfusedPair, ...], language: Language) -> str:
    """Tell the pair of classes that is confused most often."""
    worst = pairs[0]
    return language.gettext("%(truth)s is taken for %(guess)s in %(rows)s of %(n)s") % {
        "truth": quoted(worst.truth),
        "guess": quoted(worst.guess),
        "rows": language.count(worst.rows),
        "n": language.count(worst.n),
    }


def reliability(head: HeadResult, language: Language) -> str:
    """Tell whether a head is surer than it is right, where it is, and whether it may be chance."""
    error, over = head.calibration_error or 0.0, head.overconfidence or 0.0
    told = {"head": words(head.head), "points": language.decimal(100 * abs(over), 1)}
    if error < CLOSE:
        return language.gettext("%(head)s is about as often right as it is sure") % told
    if by_chance(head.reliability):
        return (
            language.ngettext(
                "%(head)s is as often right as it is sure, as far as %(num)s row can tell",
                "%(head)s is as often right as it is sure, as far as %(num)s rows can tell",
                head.n,
            )
            % told
        )
    astray = [each for each in head.reliability if each.beyond_chance]
    surest = max(astray, key=lambda each: each.score - each.share, default=None)
    shyest = min(astray, key=lambda each: each.score - each.share, default=None)
    if surest and shyest and surest.score > surest.share and shyest.score < shyest.share:
        return language.gettext(
            "%(head)s is right for %(fewer)s where it is %(surer)s sure, and for %(more)s where it"
            " is %(less)s sure"
        ) % {
            "head": words(head.head),
            "fewer": language.percent(surest.share, 0),
            "surer": language.percent(surest.score, 0),
            "more": language.percent(shyest.share, 0),
            "less": language.percent(shyest.score, 0),
        }
    if over > 0:
        return language.gettext("%(head)s is surer than it is right, by %(points)s points") % told
    return (
        language.gettext("%(head)s is more often right than it is sure, by %(points)s points")
        % told
    )


def calibration_error(head: HeadResult, language: Language) -> str:
    """Tell the calibration error beside the one that chance alone would make."""
    return language.ngettext(
        "Expected calibration error (ECE; bins of equal mass: %(bins)s): %(error)s. On %(num)s"
        " row a model whose probabilities are right has %(chance)s on average.",
        "Expected calibration error (ECE; bins of equal mass: %(bins)s): %(error)s. On %(num)s"
        " rows a model whose probabilities are right has %(chance)s on average.",
        head.n,
    ) % {
        "bins": language.count(len(head.reliability)),
        "error": language.decimal(head.calibration_error),
        "chance": language.decimal(chance_error(head.reliability)),
    }


def sureness(rows: Sureness, language: Language) -> str:
    """Tell how many pictures reach the line of a head, or else how sure it is of its mistakes."""
    if rows.line is None:
        return _mistakes(rows, language)
    told = {
        "head": words(rows.head),
        "part": language.count(rows.reaching.n),
        "right": language.percent(rows.reaching.value),
    }
    if not rows.reaching.n:
        return (
            language.ngettext(
                "%(head)s does not reach its line in %(num)s test picture",
                "%(head)s reaches its line in none of %(num)s test pictures",
                rows.n,
            )
            % told
        )
    return (
        language.ngettext(
            "%(head)s reaches its line in %(part)s of %(num)s test picture, and is right for"
            " %(right)s of these",
            "%(head)s reaches its line in %(part)s of %(num)s test pictures, and is right for"
            " %(right)s of these",
            rows.n,
        )
        % told
    )


def _mistakes(rows: Sureness, language: Language) -> str:
    """Tell how sure a head is where it is wrong."""
    told = {"head": words(rows.head), "sure": language.percent(rows.sure_mistake, 0)}
    if not rows.mistakes:
        return (
            language.ngettext(
                "%(head)s is not wrong in %(num)s test picture",
                "%(head)s is wrong in none of %(num)s test pictures",
                rows.n,
            )
            % told
        )
    return (
        language.ngettext(
            "%(head)s was %(sure)s sure when it made its %(num)s mistake",
            "Half of the %(num)s mistakes of %(head)s were made with a confidence of at least"
            " %(sure)s",
            rows.mistakes,
        )
        % told
    )


def decided(said: Decided, language: Language) -> str:
    """Tell how many rows are right in all heads at once as they are decided, and each alone."""
    if not said.decided.n:
        return language.gettext("How its labels are decided")
    told = {
        "share": language.percent(said.decided.value),
        "alone": language.percent(said.alone.value),
        "n": language.count(said.decided.n),
    }
    if not said.together:
        return (
            language.gettext(
                "All attributes are right at once for %(share)s of %(n)s test pictures"
            )
            % told
        )
    return (
        language.gettext(
            "All attributes are right at once for %(share)s of %(n)s test pictures as decided"
            " together, for %(alone)s each by itself"
        )
        % told
    )


def accepted_from(head: HeadDecided, language: Language) -> str:
    """Tell the confidence from which labels of a head are accepted."""
    if head.line is None:
        return UNDEFINED
    if head.line.threshold is None:
        return language.gettext("none reaches %(right)s") % {"right": language.percent(RIGHT, 0)}
    return language.percent(head.line.threshold)


def deciding(said: Decided, language: Language) -> list[str]:
    """Tell what the figures of decided labels mean, and which of them disappoint."""
    told = {
        "together": ", ".join(map(words, said.together)),
        "bins": language.count(BINS),
        "right": language.percent(RIGHT, 0),
        "fewest": language.count(FEWEST),
    }
    sentences = [
        language.gettext(
            "As decided: of the combinations of %(together)s that stand together in the labels it"
            " learned from, the likeliest one; every other attribute by itself."
        )
        if said.together
        else language.gettext("As decided: every attribute by itself, its likeliest label."),
        language.gettext(
            "Calibration error (ECE): how far the confidence of a decided label lies from how often"
            " such labels are right, on average over %(bins)s bins of equal mass; 0 is the best."
        ),
        language.gettext(
            "Temperature: above 1, the model was too sure of itself and its probabilities were"
            " evened out; below 1, too shy. A dash: fewer than %(fewest)s labelled validation"
            " pictures to fit it on."
        ),
        language.gettext(
            "Accepted from: the lowest confidence from which on %(right)s of the labels of the"
            " validation side were right; what is less sure is to review. A dash: fewer than"
            " %(fewest)s labelled validation pictures, so nothing is said about it."
        ),
    ]
    disappointing = [_disappointing(head, language) for head in said.heads]
    return [sentence % told for sentence in sentences] + [each for each in disappointing if each]


def _disappointing(head: HeadDecided, language: Language) -> str:
    """Tell where a head accepts nothing, or fewer of its accepted labels are right than should."""
    told = {"head": words(head.head), "right": language.percent(RIGHT, 0)}
    if head.line and head.line.threshold is None:
        return (
            language.gettext(
                "%(head)s: at no confidence %(right)s of its labels were right, so nothing is"
                " accepted and all is to review."
            )
            % told
        )
    share = head.accepted_right.value
    if share is None or share >= RIGHT:
        return ""
    low, high = head.accepted_right.interval or (None, None)
    told |= {"share": language.percent(share), "span": language.percent_span(low, high)}
    return (
        language.gettext(
            "%(head)s: on the test side %(share)s of the accepted are right (%(span)s), less than"
            " the %(right)s that its line was drawn for."
        )
        % told
    )


def curves(each: Curves, language: Language) -> str:
    """Tell where the curves of a head ended."""
    name = words(each.head) if each.head else language.gettext("All attributes together")
    if each.accuracy is None:
        return language.gettext("%(name)s: loss %(train)s, on validation %(validation)s") % {
            "name": name,
            "train": language.decimal(each.loss.train[-1], 2),
            "validation": language.decimal(each.loss.validation[-1], 2),
        }
    return language.gettext("%(name)s: accuracy %(train)s, on validation %(validation)s") % {
        "name": name,
        "train": language.percent(each.accuracy.train[-1], 0),
        "validation": language.percent(each.accuracy.validation[-1], 0),
    }


def gap(model: ModelEvidence, language: Language) -> str:
    """Tell by how much a model is better on what it learned from than on the test side."""
    known = [each for each in model.gaps if each.gap is not None]
    if not known:
        return language.gettext("How right it is on each side of the split")
    widest = max(known, key=lambda each: each.gap or 0.0)
    told = {
        "head": words(widest.head),
        "points": language.decimal(100 * (widest.gap or 0.0), 1),
        "train": language.percent(widest.train, 0),
        "test": language.percent(widest.test, 0),
    }
    if (widest.gap or 0.0) >= WIDE:
        return _wide(widest, language) % told
    if len(model.card.vocabulary) == 1:
        sides = {"train": language.percent(widest.train), "test": language.percent(widest.test)}
        return _narrow(widest, language) % (told | sides)
    if (widest.gap or 0.0) <= 0:
        return language.gettext(
            "No attribute is better on what was trained on than on the test side"
        )
    return (
        language.gettext(
            "No attribute is more than %(points)s points better on what was trained on than on"
            " the test side"
        )
        % told
    )


def _narrow(sides: HeadSides, language: Language) -> str:
    """Tell the gap of the only head."""
    if (sides.gap or 0.0) <= 0:
        return language.gettext(
            "%(head)s is not better on what was trained on (%(train)s) than on the test side"
            " (%(test)s)"
        )
    return language.gettext(
        "%(head)s is %(points)s points better on what was trained on (%(train)s) than on the test"
        " side (%(test)s)"
    )


def tested(pictures: TestedPictures, language: Language, *, of_classes: bool) -> str:
    """Tell how many of the pictures kept aside are wrong."""
    told = {"wrong": language.count(pictures.mistakes)}
    if of_classes:
        return (
            language.ngettext(
                "%(wrong)s of %(num)s test picture is wrong",
                "%(wrong)s of %(num)s test pictures are wrong",
                pictures.n,
            )
            % told
        )
    return (
        language.ngettext(
            "%(wrong)s of %(num)s test picture is wrong in some attribute",
            "%(wrong)s of %(num)s test pictures are wrong in some attribute",
            pictures.n,
        )
        % told
    )


def _wide(sides: HeadSides, language: Language) -> str:
    if sides.by_heart:
        return language.gettext(
            "%(head)s is right for %(train)s of what was trained on and for %(test)s of the"
            " test side: a gap of %(points)s points, learned by heart"
        )
    if not sides.tested:
        return language.gettext(
            "%(head)s is right for %(train)s of what was trained on and for %(test)s of the"
            " test side: a gap of %(points)s points"
        )
    return language.ngettext(
        "%(head)s is right for %(train)s of what was trained on and for %(test)s of the"
        " test side: a gap of %(points)s points, which may be chance on %(num)s row",
        "%(head)s is right for %(train)s of what was trained on and for %(test)s of the"
        " test side: a gap of %(points)s points, which may be chance on %(num)s rows",
        sides.tested,
    )


def change(since: Change, language: Language) -> str:
    """Tell whether a run is better than the one before it.

    Where no product was compared in several attributes it is told of the attribute that changed
    the most surely.
    """
    if since.rows is not None:
        return paired(since.rows, len(since.together), language)
    if not since.heads:
        return language.gettext("No product was measured both then and now")
    return paired(min(since.heads, key=lambda head: (head.p, -head.n)), 1, language)


def paired(pair: Paired, attributes: int, language: Language) -> str:
    """Tell how many of the same products were right then, and now, in so many attributes."""
    told = {
        "attributes": language.count(attributes),
        "head": words(pair.head or ""),
        "then": language.percent(pair.then.value),
        "now": language.percent(pair.now.value),
        "points": language.points(pair.difference),
    }
    same = not pair.mended and not pair.broken
    return (
        _of_one(pair.n, same, language) if pair.head else _of_all(pair.n, same, language)
    ) % told


def _of_one(products: int, same: bool, language: Language) -> str:
    if same:
        return language.ngettext(
            "%(head)s is right for %(now)s of %(num)s product, as before",
            "%(head)s is right for %(now)s of %(num)s products, as before",
            products,
        )
    return language.ngettext(
        "%(head)s is right for %(now)s of the same %(num)s product, before for %(then)s"
        " (%(points)s points)",
        "%(head)s is right for %(now)s of the same %(num)s products, before for %(then)s"
        " (%(points)s points)",
        products,
    )


def _of_all(products: int, same: bool, language: Language) -> str:
    if same:
        return language.ngettext(
            "%(attributes)s attributes at once are right for %(now)s of %(num)s product, as before",
            "%(attributes)s attributes at once are right for %(now)s of %(num)s products, as"
            " before",
            products,
        )
    return language.ngettext(
        "%(attributes)s attributes at once are right for %(now)s of the same %(num)s product,"
        " before for %(then)s (%(points)s points)",
        "%(attributes)s attributes at once are right for %(now)s of the same %(num)s products,"
        " before for %(then)s (%(points)s points)",
        products,
    )


def coverage(covered: Coverage, language: Language) -> str:
    """Tell how many products have tags."""
    whole = covered.whole
    return language.ngettext(
        "%(tagged)s of %(num)s product has tags (%(share)s)",
        "%(tagged)s of %(num)s products have tags (%(share)s)",
        whole.products,
    ) % {
        "tagged": language.count(whole.tagged),
        "share": language.percent(whole.tagged / whole.products if whole.products else None),
    }


def review(covered: Coverage, language: Language) -> str:
    """Tell how many labels of the model alone are accepted, and how many are to review."""
    return language.ngettext(
        "%(num)s tag of the model alone is accepted, %(to_review)s to review",
        "%(num)s tags of the model alone are accepted, %(to_review)s to review",
        covered.accepted,
    ) % {"to_review": language.count(covered.to_review)}


def not_products(number: int, language: Language) -> str:
    """Tell how many products have no picture that looks like one."""
    if not number:
        return language.gettext("No product has only pictures that do not look like a product")
    return language.ngettext(
        "%(num)s product has no picture that looks like a product",
        "%(num)s products have no picture that looks like a product",
        number,
    )


def refusals(left: Leftovers, language: Language) -> str:
    """Tell the commonest reason for which rows were refused."""
    most = left.reject_reasons[0]
    return language.ngettext(
        "%(part)s of %(num)s refused row: %(reason)s",
        "%(part)s of %(num)s refused rows: %(reason)s",
        left.refused,
    ) % {"part": language.count(most.refused), "reason": refusal(language, most.reason)}


def failures(left: Leftovers, language: Language) -> str:
    """Tell the commonest reason for which pictures failed."""
    most = left.failure_reasons[0]
    return language.ngettext(
        "%(part)s of %(num)s failed picture: %(reason)s",
        "%(part)s of %(num)s failed pictures: %(reason)s",
        left.lost + left.retried,
    ) % {"part": language.count(most.pictures), "reason": failure(language, most.reason)}


def alike(found: Alike, language: Language) -> str:
    """Tell how many pictures look like another one."""
    if not found.groups:
        return language.ngettext(
            "None of %(num)s picture looks like another",
            "None of %(num)s pictures looks like another",
            found.compared,
        )
    return language.ngettext(
        "%(alike)s of %(compared)s pictures look like another one, in %(num)s group",
        "%(alike)s of %(compared)s pictures look like another one, in %(num)s groups",
        found.groups,
    ) % {"alike": language.count(found.alike), "compared": language.count(found.compared)}

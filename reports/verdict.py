"""The first screen of a run's page: what was done, how good, what changed, what to do next."""

from reports import findings, recipe_words
from reports.change import Change
from reports.coverage import UNSURE, Coverage
from reports.evidence import ModelEvidence
from reports.language import Language
from reports.leftovers import alarms, to_do
from reports.measured import Evaluation
from reports.pages import quoted, words
from reports.recipe import Recipe
from reports.results import RunFacts, RunReport


def verdict(report: RunReport, language: Language) -> tuple[str, ...]:
    """The run in a few sentences: what was done, how right the tags are, what changed."""
    return (
        _done(report, language),
        _quality(report.evaluation, language),
        _changed(report.change, language),
    )


def model_verdict(
    model: ModelEvidence, recipe: Recipe | None, language: Language
) -> tuple[str, ...]:
    """A training in a few sentences: how right the model is where it has not learned.

    What its `recipe` came to goes first, the source's figure beside ours.
    """
    ran = recipe_words.told(recipe, language) if recipe else ()
    tested = model.tested
    if tested is None or not tested.n:
        nothing = language.gettext("Nothing was kept aside that the model could be measured on.")
        return (*ran, nothing)
    told = [*ran, f"{findings.gap(model, language)}."]
    said = recipe is not None and recipe.figure is not None
    if not said or len(tested.heads) > 1:
        told.insert(len(ran), _of_model(model, tested, language))
    if tested.rows.n and not said:
        told.append(at_once(tested, language))
    return tuple(told)


def next_steps(report: RunReport, language: Language) -> tuple[str, ...]:
    """What a person can do now, a sentence each, the first one first."""
    told = [*alarms(report.run.counts, language), *to_do(report.left, language)]
    told += _to_review(report.coverage, language)
    return tuple(told) or (language.gettext("Nothing is left to do."),)


def _to_review(covered: Coverage, language: Language) -> list[str]:
    """Say which products and labels a person should look at."""
    told = []
    if covered.not_products:
        told.append(
            language.ngettext(
                "Look at %(num)s product: to the model none of its pictures shows one.",
                "Look at %(num)s products: to the model none of their pictures shows one.",
                covered.not_products,
            )
        )
    if covered.to_review:
        told.append(
            language.ngettext(
                "Look at %(num)s tag that the model is not sure enough of: “catalog query"
                " review_list” lists it.",
                "Look at %(num)s tags that the model is not sure enough of: “catalog query"
                " review_list” lists them, the least sure first.",
                covered.to_review,
            )
        )
    if covered.unsure:
        told.append(
            language.ngettext(
                "Look at %(num)s label that the model alone gave with a confidence below"
                " %(below)s: “catalog query review_list” lists it.",
                "Look at %(num)s labels that the model alone gave with a confidence below"
                " %(below)s: “catalog query review_list” lists them, the least sure first.",
                covered.unsure,
            )
            % {"below": language.percent(UNSURE, 0)}
        )
    return told


def _done(report: RunReport, language: Language) -> str:
    covered = report.coverage
    told = [_tagged(report.run, language)]
    if covered.accepted or covered.to_review:
        told.append(f"{findings.review(covered, language)}.")
    return " ".join(told)


def _tagged(run: RunFacts, language: Language) -> str:
    told = {
        "tagged": language.count(run.counts.get("tagged", 0)),
        "model": quoted(run.model or ""),
    }
    products = run.counts.get("products", 0)
    if run.model is None:
        return (
            language.ngettext(
                "%(tagged)s of %(num)s product has tags.",
                "%(tagged)s of %(num)s products have tags.",
                products,
            )
            % told
        )
    return (
        language.ngettext(
            "%(tagged)s of %(num)s product is tagged by %(model)s.",
            "%(tagged)s of %(num)s products are tagged by %(model)s.",
            products,
        )
        % told
    )


def _quality(evaluation: Evaluation | None, language: Language) -> str:
    if evaluation is None:
        return language.gettext(
            "Nothing can be measured: no product has both a label of the shop's and a guess."
        )
    if not evaluation.n:
        return language.gettext(
            "Nothing can be measured: the model trained on every labelled product of this"
            " catalogue."
        )
    told = [_measured(evaluation, language)]
    if evaluation.rows.n:
        told.append(at_once(evaluation, language))
    outside = sum(head.outside for head in evaluation.heads)
    if outside:
        told.append(
            language.ngettext(
                "%(num)s label of the shop's is a word that the model does not have, and counts as"
                " wrong, whatever the picture shows.",
                "%(num)s labels of the shop's are words that the model does not have, and count as"
                " wrong, whatever the pictures show.",
                outside,
            )
        )
    return " ".join(told)


def at_once(evaluation: Evaluation, language: Language) -> str:
    """Say how many products are right in every attribute that has rows enough."""
    low, high = evaluation.rows.interval or (None, None)
    told = {
        "some": language.count(len(evaluation.together)),
        "all": language.count(len(evaluation.heads)),
        "share": language.percent(evaluation.rows.value),
        "n": language.count(evaluation.rows.n),
        "span": language.percent_span(low, high),
    }
    if len(evaluation.together) < len(evaluation.heads):
        return (
            language.gettext(
                "%(some)s of the %(all)s attributes are right at once for %(share)s of %(n)s"
                " (%(span)s)."
            )
            % told
        )
    return (
        language.gettext(
            "All %(all)s attributes are right at once for %(share)s of %(n)s (%(span)s)."
        )
        % told
    )


def _of_model(model: ModelEvidence, tested: Evaluation, language: Language) -> str:
    if not model.of_classes:
        return _measured(tested, language)
    if not tested.ranked:
        return f"{findings.accuracy(tested, language, of_classes=True)}."
    share = tested.heads[0].share
    low, high = share.interval or (None, None)
    return language.gettext(
        "Of pictures that the model never trained on, it is right for %(share)s of %(n)s"
        " (%(span)s)."
    ) % {
        "share": language.percent(share.value),
        "n": language.count(share.n),
        "span": language.percent_span(low, high),
    }


def _measured(evaluation: Evaluation, language: Language) -> str:
    if not evaluation.ranked:
        return f"{findings.accuracy(evaluation, language)}."
    told = findings.best_and_weakest(evaluation, language)
    if len(evaluation.ranked) == 1:
        return (
            language.gettext(
                "Of labelled products that the model never trained on, %(best)s is right for"
                " %(most)s of %(best_n)s."
            )
            % told
        )
    return (
        language.gettext(
            "Of labelled products that the model never trained on, %(best)s is right for"
            " %(most)s of %(best_n)s and %(weakest)s, the weakest attribute, for %(least)s of"
            " %(weakest_n)s."
        )
        % told
    )


def _changed(since: Change | None, language: Language) -> str:
    if since is None:
        return language.gettext(
            "This is the first run over this source: there is no other to compare with."
        )
    told = [_relabelled(since, language)]
    if since.gone:
        told.append(
            language.ngettext(
                "%(num)s product has left the CSV.",
                "%(num)s products have left the CSV.",
                since.gone,
            )
        )
    if since.heads:
        told.append(f"{findings.change(since, language)}.")
    if since.certain:
        heads = ", ".join(words(head.head or "") for head in since.certain)
        told.append(language.gettext("Changed by more than chance: %(heads)s.") % {"heads": heads})
    return " ".join(told)


def _relabelled(since: Change, language: Language) -> str:
    labels = sum(cause.labels for cause in since.causes)
    if not labels:
        return language.gettext("Since the last run no label changed.")
    return language.ngettext(
        "Since the last run %(num)s label changed.",
        "Since the last run %(num)s labels changed.",
        labels,
    )

"""The first screen of a run's page: what was done, how good, what changed, what to do next."""

from reports import findings
from reports.change import Change
from reports.coverage import UNSURE
from reports.evidence import ModelEvidence
from reports.language import Language
from reports.leftovers import to_do
from reports.measured import Evaluation
from reports.pages import quoted, words
from reports.results import RunFacts, RunReport


def verdict(report: RunReport, language: Language) -> tuple[str, ...]:
    """The run in a few sentences: what was done, how right the tags are, what changed."""
    return (
        _done(report.run, language),
        _quality(report.evaluation, language),
        _changed(report.change, language),
    )


def model_verdict(model: ModelEvidence, language: Language) -> tuple[str, ...]:
    """A training in a few sentences: how right the model is where it has not learned."""
    tested = model.tested
    if tested is None or not tested.ranked:
        return (language.gettext("Nothing was kept aside that the model could be measured on."),)
    told = (_measured(tested, language), f"{findings.gap(model, language)}.")
    return (*told, at_once(tested, language)) if tested.rows.n else told


def next_steps(report: RunReport, language: Language) -> tuple[str, ...]:
    """What a person can do now, a sentence each, the first one first."""
    told = list(to_do(report.left, language))
    if report.coverage.unsure:
        told.append(
            language.ngettext(
                "Look at %(num)s label that the model alone gave with a confidence below"
                " %(below)s: “catalog query review_list” lists it.",
                "Look at %(num)s labels that the model alone gave with a confidence below"
                " %(below)s: “catalog query review_list” lists them, the least sure first.",
                report.coverage.unsure,
            )
            % {"below": language.percent(UNSURE, 0)}
        )
    return tuple(told) or (language.gettext("Nothing is left to do."),)


def _done(run: RunFacts, language: Language) -> str:
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
    if not evaluation.ranked:
        return language.gettext(
            "Nothing can be measured: the model trained on every labelled product of this"
            " catalogue."
        )
    told = [_measured(evaluation, language)]
    if evaluation.rows.n:
        told.append(at_once(evaluation, language))
    return " ".join(told)


def at_once(evaluation: Evaluation, language: Language) -> str:
    """Say how many products are right in every attribute."""
    low, high = evaluation.rows.interval or (None, None)
    return language.ngettext(
        "Its %(num)s attribute is right for %(share)s of %(n)s (%(span)s).",
        "All %(num)s attributes are right at once for %(share)s of %(n)s (%(span)s).",
        len(evaluation.heads),
    ) % {
        "share": language.percent(evaluation.rows.value),
        "n": language.count(evaluation.rows.n),
        "span": language.percent_span(low, high),
    }


def _measured(evaluation: Evaluation, language: Language) -> str:
    best, weakest = evaluation.ranked[0], evaluation.ranked[-1]
    told = {
        "best": words(best.head),
        "most": language.percent(best.accuracy),
        "weakest": words(weakest.head),
        "least": language.percent(weakest.accuracy),
    }
    if best is weakest:
        return (
            language.ngettext(
                "On %(num)s labelled product that the model never trained on, %(best)s is right"
                " for %(most)s.",
                "On %(num)s labelled products that the model never trained on, %(best)s is right"
                " for %(most)s.",
                evaluation.measured,
            )
            % told
        )
    return (
        language.ngettext(
            "On %(num)s labelled product that the model never trained on, %(best)s is right"
            " for %(most)s and %(weakest)s, the weakest attribute, for %(least)s.",
            "On %(num)s labelled products that the model never trained on, %(best)s is right"
            " for %(most)s and %(weakest)s, the weakest attribute, for %(least)s.",
            evaluation.measured,
        )
        % told
    )


def _changed(since: Change | None, language: Language) -> str:
    if since is None:
        return language.gettext(
            "This is the first run over this source: there is no other to compare with."
        )
    labels = sum(cause.labels for cause in since.causes)
    relabelled = (
        language.ngettext(
            "Since the last run %(num)s label changed.",
            "Since the last run %(num)s labels changed.",
            labels,
        )
        if labels
        else language.gettext("Since the last run no label changed.")
    )
    if since.rows is None or not since.rows.n:
        return relabelled
    told = [relabelled, f"{findings.change(since, language)}."]
    if since.certain:
        heads = ", ".join(words(head.head or "") for head in since.certain)
        told.append(language.gettext("Changed by more than chance: %(heads)s.") % {"heads": heads})
    return " ".join(told)

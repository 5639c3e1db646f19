"""The words on the controls of the served page; templates/serve_*.j2 has its other sentences."""

from dataclasses import dataclass

from reports.language import Language
from reports.reasons import failure, stage


@dataclass(frozen=True, slots=True)
class Controls:
    """What tabs, fields and tables of the page are called."""

    picture_tab: str
    doubts_tab: str
    drop: str
    drop_hint: str
    failures: str
    unsure: str
    below: str
    select: str
    login: str
    failure_columns: tuple[str, ...]
    unsure_columns: tuple[str, ...]


def controls(language: Language) -> Controls:
    """Say the controls of the page in a language."""
    gettext = language.gettext
    return Controls(
        picture_tab=gettext("A picture"),
        doubts_tab=gettext("Failures and doubts"),
        drop=gettext("Picture"),
        drop_hint=gettext("Drop a picture here, or choose one"),
        failures=gettext("Pictures that can't be had or read now"),
        unsure=gettext("Labels that the tagger is least sure of"),
        below=gettext("Confidence below, in per cent"),
        select=gettext("Select a row to see its picture."),
        login=gettext("This page wants the name and the password that it was started with."),
        failure_columns=(
            gettext("Of"),
            gettext("Source"),
            gettext("Id"),
            gettext("Failed at"),
            gettext("Why"),
            gettext("Next try (UTC)"),
            gettext("Tries"),
            gettext("Location"),
        ),
        unsure_columns=(
            gettext("Source"),
            gettext("Id"),
            gettext("Title"),
            gettext("Attribute"),
            gettext("Predicted"),
            gettext("Confidence, %"),
            gettext("Given by the shop"),
        ),
    )


def failure_row(language: Language, row: dict[str, object]) -> list[object]:
    """Write a row of queries/serve_failures.sql in words."""
    kinds = {"product": language.gettext("product"), "post": language.gettext("post")}
    kind = str(row["kind"])
    return [
        kinds.get(kind, kind),
        row["source"],
        row["id"],
        stage(language, str(row["stage"])),
        failure(language, str(row["reason"])),
        row["next_try"] or language.gettext("never"),
        row["attempts"],
        row["location"],
    ]


def shown_of(language: Language, shown: int, total: int, to_review: int = 0) -> str:
    """Say how many of all rows a table has, and how many of all are there to be reviewed."""
    if not to_review:
        return _shown_of(language, shown, total)
    reviewed = language.ngettext(
        "%(num)s is to review and comes first, however sure the tagger is.",
        "%(num)s are to review and come first, however sure the tagger is.",
        to_review,
    )
    return f"{_shown_of(language, shown, total)} {reviewed}"


def _shown_of(language: Language, shown: int, total: int) -> str:
    if not total:
        return language.gettext("None.")
    said = {"shown": language.count(shown), "total": language.count(total)}
    if shown < total:
        return language.gettext("The first %(shown)s of %(total)s.") % said
    return language.ngettext("%(num)s in all.", "%(num)s in all.", total)

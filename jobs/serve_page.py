"""The page of `catalog serve`: what stands where, and what each control asks. Gradio loads here."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from markupsafe import Markup

from engagement.rules import Rule
from jobs.errors import BadInput, JobError
from jobs.models import CLASSIFIER, TAGGER, find_model
from jobs.serve_looking import Looker, Score
from jobs.serve_store import MOST_ROWS, Catalogue
from reports.language import Language
from reports.pages import render
from reports.reasons import failure
from reports.serve_words import Controls, controls, failure_row, shown_of
from reports.wording import rule_in_words

BELOW = 50  # per cent
SWEEP = (60, 600)  # seconds: how often, and how old an upload is that nobody asked about
LOCATION, SOURCE, ID = 7, 0, 1  # places of columns

# No font of the theme's own: Gradio would fetch it, or at least carry it.
FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")

COMMANDS = {
    name: Markup("<code>{}</code>").format(command)
    for name, command in {
        "tag": "catalog tag products.csv",
        "engage": "catalog engage posts.csv",
    }.items()
}
"""What makes what the page would show; each trains the model that it lacks."""


@dataclass(frozen=True)
class Answers:
    """What the controls ask, answered in a language as HTML and as rows."""

    catalogue: Catalogue
    looker: Looker
    language: Language

    def store(self) -> str:
        """What the page has to go by."""
        troubles: list[str] = []
        names = {}
        for task in (TAGGER, CLASSIFIER):
            try:
                found = find_model(self.catalogue.store, task, None)
            except BadInput as error:
                troubles.append(error.message)
                found = None
            names[task] = found.card.model if found else None
        counts = None
        if self.catalogue.is_there:
            try:
                [counts] = self.catalogue.ask("serve_counts").to_pylist()
            except JobError as error:
                troubles.append(error.message)
        return render(
            "serve_store.html.j2",
            self.language,
            commands=COMMANDS,
            store=self.catalogue.store.root.name,
            tagger=names[TAGGER],
            classifier=names[CLASSIFIER],
            counts=counts,
            troubles=troubles,
        )

    def picture(self, path: str | None) -> tuple[None, str]:
        """What the models say of an upload, which is then gone from the disk."""
        if path is None:
            return None, ""
        try:
            look = self.looker.look(Path(path))
        finally:
            # Gradio keeps an upload in a folder of its own.
            with suppress(OSError):
                Path(path).unlink(missing_ok=True)
                Path(path).parent.rmdir()
        rule = self._rule(look.score) if look.score else ""
        return None, render(
            "serve_seen.html.j2", self.language, look=look, rule=rule, commands=COMMANDS
        )

    def failures(self) -> tuple[list[list[object]], str]:
        """The failures of the store, and how many of all these are."""
        return self._table("serve_failures", {}, lambda row: failure_row(self.language, row))

    def unsure(self, below: float) -> tuple[list[list[object]], str]:
        """The labels to review, or below a confidence in per cent, and how many these are."""
        params = {"below": below / 100}
        return self._table("serve_unsure", params, _unsure_row)

    def failed(self, location: str) -> str:
        """What is known of a location that failed, with its picture where there is one."""
        found = self._asked("serve_failed", {"location": location})
        picture = found[0]["picture"] if found else None
        why = failure(self.language, found[0]["reason"]) if found else ""
        return self._row(picture, f"{location} · {why}" if why else location)

    def product(self, source: str, product: str) -> str:
        """The picture of a product."""
        found = self._asked("product_pictures", {"source": source, "ids": [product]})
        picture, title = (found[0]["picture"], found[0]["title"]) if found else (None, None)
        return self._row(picture, f"{title} · {product}" if title else product)

    def _row(self, picture: str | None, title: str) -> str:
        shown = self.looker.show(picture) if picture else None
        return render("serve_row.html.j2", self.language, picture=shown, title=title)

    def _rule(self, score: Score) -> str:
        with suppress(ValueError):  # of another version
            bars = None if score.bar is None else (score.bar, score.bar)
            return rule_in_words(self.language, str(Rule.parse(score.rule)), bars)
        return ""

    def _table(
        self, query: str, params: dict[str, Any], write: Callable[[dict[str, Any]], list[object]]
    ) -> tuple[list[list[object]], str]:
        rows = self._asked(query, params | {"top": MOST_ROWS})
        total, to_review = (rows[0]["total"], rows[0].get("to_review", 0)) if rows else (0, 0)
        return [write(row) for row in rows], shown_of(self.language, len(rows), total, to_review)

    def _asked(self, query: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        """Rows; none without a database, which the page says at its top."""
        if not self.catalogue.is_there:
            return []
        try:
            found: list[dict[str, Any]] = self.catalogue.ask(query, params).to_pylist()
        except JobError as error:
            raise gr.Error(error.message, print_exception=False) from error
        return found


def page(answers: Answers) -> gr.Blocks:
    """Put the page together; `launching` has what else its launch needs."""
    said = controls(answers.language)
    made: gr.Blocks
    with gr.Blocks(title="Vitrina", analytics_enabled=False, delete_cache=SWEEP) as made:
        store = gr.HTML(answers.store, elem_id="store")
        with gr.Tab(said.picture_tab):
            _picture_tab(answers, said)
        with gr.Tab(said.doubts_tab) as doubts:
            _doubts_tab(answers, said, made, doubts)
        made.load(answers.store, outputs=store, **_QUIET)
    return made


def launching(language: Language) -> dict[str, Any]:
    """How the page looks, and that it needs nothing from outside."""
    said = controls(language)
    hint = json.dumps(said.drop_hint, ensure_ascii=False)
    css = resources.files("reports").joinpath("templates", "serve.css").read_text("utf-8")
    return {
        "theme": gr.themes.Default(primary_hue="blue", font=FONTS, font_mono=FONTS).set(
            body_text_color_subdued="*neutral_600"
        ),
        # Gradio's own words there would be in the browser's language, not in the page's.
        "css": f"{css}#drop .wrap::after {{ content: {hint}; }}\n",
        "auth_message": said.login,
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "num_workers": 0,
        "inbrowser": False,
    }


_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal"}


def _picture_tab(answers: Answers, said: Controls) -> None:
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            drop = gr.File(label=said.drop, elem_id="drop", height=180)
            _take_files_only(drop)
        with gr.Column(scale=2, min_width=300):
            seen = gr.HTML(elem_id="seen")
    drop.upload(answers.picture, drop, [drop, seen], **_QUIET | {"show_progress": "full"})


def _take_files_only(drop: Any) -> None:
    """Refuse an address in place of an upload: Gradio would have this machine fetch it.

    It is done to the one object: Gradio writes a file beside the module of each class of its own.
    """
    keep = drop.async_move_resource_to_block_cache

    async def keep_file(path: str | Path | None) -> str | None:
        if "://" in str(path):
            refusal = "a picture is dropped here, not named by an address"
            raise gr.Error(refusal, print_exception=False)
        kept: str | None = await keep(path)
        return kept

    drop.async_move_resource_to_block_cache = keep_file
    # As it would, but for the empty file that it leaves beside each upload.
    drop.preprocess = lambda upload: upload.path if upload else None


def _doubts_tab(answers: Answers, said: Controls, made: gr.Blocks, tab: gr.Tab) -> None:
    _heading(said.failures)
    failed, failed_note, failed_row = _browser(said.failure_columns, said.select, FAILED)
    _heading(said.unsure)
    below = gr.Slider(1, 100, BELOW, step=1, label=said.below, buttons=[])
    unsure, unsure_note, unsure_row = _browser(said.unsure_columns, said.select, UNSURE)

    def show_failed(event: gr.SelectData) -> str:
        return answers.failed(str(event.row_value[LOCATION]))

    def show_product(event: gr.SelectData) -> str:
        return answers.product(str(event.row_value[SOURCE]), str(event.row_value[ID]))

    for event in (made.load, tab.select):
        event(answers.failures, outputs=[failed, failed_note], **_QUIET)
        event(answers.unsure, below, [unsure, unsure_note], **_QUIET)
    below.release(answers.unsure, below, [unsure, unsure_note], **_QUIET)
    failed.select(show_failed, outputs=failed_row, **_QUIET)
    unsure.select(show_product, outputs=unsure_row, **_QUIET)


@dataclass(frozen=True)
class _Browsed:
    """A table: its name on the page, the widths of its columns in pixels, the one of numbers."""

    name: str
    widths: tuple[int, ...]
    number: int

    @property
    def kinds(self) -> list[Literal["str", "number"]]:
        """What each column holds, by which it is sorted."""
        return ["number" if place == self.number else "str" for place in range(len(self.widths))]


FAILED = _Browsed("failed", (78, 100, 92, 94, 150, 112, 72, 180), number=6)
UNSURE = _Browsed("unsure", (100, 92, 236, 116, 120, 110, 104), number=5)


def _heading(title: str) -> None:
    gr.HTML(Markup('<div class="v"><h2>{}</h2></div>').format(title), padding=False)


def _browser(
    columns: tuple[str, ...], select: str, table: _Browsed
) -> tuple[gr.Dataframe, gr.HTML, gr.HTML]:
    """A table, a note on how much of all it shows, and a place for the picture of a row."""
    note = gr.HTML(elem_classes="v", elem_id=f"{table.name}-note", padding=False)
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            rows = gr.Dataframe(
                headers=list(columns),
                column_count=len(columns),
                column_widths=list(table.widths),
                datatype=table.kinds,
                type="array",
                interactive=False,
                wrap=True,
                max_height=380,
                buttons=[],
                elem_id=table.name,
            )
        with gr.Column(scale=1, min_width=220):
            invited = Markup('<div class="v"><p>{}</p></div>').format(select)
            row = gr.HTML(invited, elem_id=f"{table.name}-row", padding=False)
    return rows, note, row


def _unsure_row(row: dict[str, Any]) -> list[object]:
    return [
        row["source"],
        row["id"],
        row["title"] or "",
        row["attribute"].replace("_", " "),
        row["predicted"],
        round(100 * row["confidence"], 1),
        row["given"] or "",
    ]

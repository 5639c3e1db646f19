"""The command `catalog query`: the named queries are its commands, their parameters the flags."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from jobs.settings import store_of
from sql import questions
from sql.questions import Parameter, Query

# As jobs.answers has them, which takes pyarrow to load.
FORMATS = ("table", "csv", "json", "parquet", "markdown")


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    """The flags that say where an answer goes, and in which form."""
    command = click.option(
        "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file."
    )(command)
    return click.option(
        "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True
    )(command)


class NamedQueries(click.Group):
    """A group whose commands are the files of sql/queries."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Tell the named queries."""
        del ctx
        return questions.names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command of a named query."""
        del ctx
        return _command(questions.read(cmd_name)) if cmd_name in questions.names() else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Tell a name that is no query's clearly."""
        if args and args[0] not in questions.names():
            close = get_close_matches(args[0], questions.names(), 1)
            meant = f"did you mean {close[0]}? " if close else ""
            raise click.UsageError(
                f"no query is named {args[0]!r}; {meant}`catalog query` lists them", ctx
            )
        return super().resolve_command(ctx, args)


@click.group(cls=NamedQueries, invoke_without_command=True, subcommand_metavar="[NAME [ARGS]...]")
@click.option("-c", "sql", metavar="SQL", help="Ask this SELECT instead of a named query.")
@output_options
@click.pass_context
def query(context: click.Context, sql: str | None, form: str, output: Path | None) -> None:
    """Ask the database: a named query, or a SELECT; without either, list the named queries."""
    if context.invoked_subcommand is None:
        if sql is None:
            click.echo(_listing())
        else:
            _answer(context, sql, {}, form, output)
    elif sql is not None:
        raise click.UsageError("give the name of a query, or -c, not both")
    elif context.get_parameter_source("form") is not click.core.ParameterSource.DEFAULT or output:
        raise click.UsageError("--format and --output come after the name of the query")


def _listing() -> str:
    names = questions.names()
    width = max(map(len, names))
    return "\n".join(f"{name:{width}}  {questions.read(name).question}" for name in names)


def _command(asked: Query) -> click.Command:
    @output_options
    @click.pass_context
    def ask(context: click.Context, /, form: str, output: Path | None, **params: Any) -> None:
        _answer(context, asked.sql, params, form, output)

    made = click.command(
        asked.name,
        help=f"{asked.question}\n\n{asked.grain}",
        short_help=asked.question,
    )(ask)
    made.params = [*map(_option, asked.parameters), *made.params]
    return made


def _option(parameter: Parameter) -> click.Option:
    # Click takes a default of None for one that was chosen, and then requires nothing.
    default: dict[str, Any] = {} if parameter.default is None else {"default": parameter.default}
    return click.Option(
        [f"--{parameter.name}", parameter.name],
        type=click.IntRange(min=0) if parameter.kind is int else str,
        required=parameter.required,
        show_default=True,
        help=f"{parameter.meaning[0].upper()}{parameter.meaning[1:]}.",
        **default,
    )


def _answer(
    context: click.Context, sql: str, params: Mapping[str, Any], form: str, output: Path | None
) -> None:
    from jobs import answers  # noqa: PLC0415 - so that --help starts at once
    from jobs.query import answer  # noqa: PLC0415

    if form == answers.PARQUET and output is None:
        raise click.UsageError("--format parquet needs --output FILE")
    store = store_of(context.obj.settings)
    if output is not None and output.resolve().is_relative_to(store.root):
        raise click.UsageError(f"--output does not write into the store {store.root}")
    with answer(store, sql, params) as rows:
        if output is not None:
            answers.save(rows, form, output)
        else:
            _print(answers.WRITERS[form](rows))


def _print(texts: Iterable[str]) -> None:
    """Print until whoever reads has enough, as `head` has."""
    try:
        for text in texts:
            click.echo(text, nl=False)
    except BrokenPipeError:
        # Python flushes once more when it ends, which would be told as a fault.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""The commands that only get pictures: fetch and retry."""

import sys
from pathlib import Path
from typing import Any

import click

from jobs.options import (
    ALLOW_HOST,
    AS_JSON,
    FILE,
    MAX_FAILED,
    Context,
    catalogue_of,
    input_options,
    posts_of,
    with_hosts,
    with_input,
)


@click.command()
@click.argument("csv", type=FILE, metavar="PRODUCTS_CSV | POSTS_CSV")
@click.option("--posts", "are_posts", is_flag=True, help="The CSV lists posts.")
@input_options
@MAX_FAILED
@AS_JSON
@click.pass_obj
def fetch(
    context: Context,
    /,
    csv: Path,
    are_posts: bool,
    max_failed: float | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Get the pictures of a CSV, and no more: `tag` or `engage` then finds them in the store."""
    from jobs.fetching import fetch as job  # noqa: PLC0415 - so that --help starts at once

    settings = with_input(context.settings, given)
    catalogue = (posts_of if are_posts else catalogue_of)(csv, given, settings)
    told = job(catalogue, settings, context.console, refetch=given["refetch"])
    click.echo(told.as_json() if as_json else told)
    sys.exit(told.exit_code(settings.max_failed if max_failed is None else max_failed))


@click.command()
@click.option("--source", help="Only what this one's products or posts name [all].")
@ALLOW_HOST
@MAX_FAILED
@AS_JSON
@click.pass_obj
def retry(
    context: Context,
    /,
    source: str | None,
    allow_hosts: tuple[str, ...],
    max_failed: float | None,
    as_json: bool,
) -> None:
    """Ask again, now, for the pictures that failed and may pass; `tag` then takes them up."""
    from jobs.fetching import retry as job  # noqa: PLC0415 - as above

    settings = with_hosts(context.settings, allow_hosts)
    told = job(settings, context.console, source)
    click.echo(told.as_json() if as_json else told)
    sys.exit(told.exit_code(settings.max_failed if max_failed is None else max_failed))

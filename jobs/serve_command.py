"""The command `catalog serve`."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from jobs.options import FILE, LANG, Context
from jobs.settings import store_of


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65_535), default=7860, show_default=True)
@click.option("--user", metavar="NAME", help="Ask for this name, and for CATALOG_PASSWORD.")
@click.option("--password-file", type=FILE, help="Its first line is the password.")
@click.option("--share", is_flag=True, help="Give the page a public address; needs --user.")
@LANG
@click.pass_obj
def serve(
    context: Context,
    /,
    host: str,
    port: int,
    user: str | None,
    password_file: Path | None,
    share: bool,
    lang: str | None,
) -> None:
    """Serve a page: what the models say of a picture, what is like it, what failed."""
    from jobs import serve as job  # noqa: PLC0415 - so that --help starts at once
    from jobs.serve_door import key_of  # noqa: PLC0415

    address = job.Address(host, port, key_of(user, password_file), share)
    if share:
        click.echo(job.SHARING, err=True)
    settings = replace(context.settings, lang=lang or context.settings.lang)
    job.serve(store_of(settings), settings, address, click.echo)
    # At once: threads of the server still wait, and DuckDB prints what they hold.
    sys.stdout.flush()
    os._exit(0)

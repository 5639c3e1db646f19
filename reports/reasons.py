"""Why rows were refused and pictures failed, in words; one of another version keeps its name."""

from reports.language import Language


def failure(language: Language, reason: str) -> str:
    """Say why a picture can't be had or read (catalog/images/reasons.py)."""
    said = _asking(language) | _answers(language) | _bytes(language)
    return said.get(reason, reason.replace("_", " "))


def refusal(language: Language, reason: str) -> str:
    """Say why a row of a CSV was refused (catalog/tables.py)."""
    said = {
        "too_few_fields": language.gettext("too few fields"),
        "too_many_fields": language.gettext("too many fields"),
        "row_too_large": language.gettext("the row is too large"),
        "quote_broken": language.gettext("a quote is never closed"),
        "not_text": language.gettext("the row is not text"),
        "id_empty": language.gettext("the id is empty"),
        "duplicate_id": language.gettext("the id was there before"),
        "picture_empty": language.gettext("no picture is named"),
        "picture_invalid": language.gettext("the picture's address is not valid"),
        "picture_scheme": language.gettext("the picture's address is neither http nor https"),
        "path_outside": language.gettext("the picture lies outside the folder of the CSV"),
        "too_many_pictures": language.gettext("too many pictures"),
    }
    return said.get(reason, reason.replace("_", " "))


def stage(language: Language, name: str) -> str:
    """Say at what a picture failed."""
    said = {"fetch": language.gettext("fetching"), "decode": language.gettext("reading")}
    return said.get(name, name)


def _asking(language: Language) -> dict[str, str]:
    """What went wrong before a server answered."""
    return {
        "bad_url": language.gettext("not a valid address"),
        "port_refused": language.gettext("a port that is not allowed"),
        "address_refused": language.gettext("an address that is not public"),
        "host_down": language.gettext("the host did not answer earlier in the run"),
        "dns": language.gettext("the host's name can't be resolved"),
        "connection": language.gettext("no connection"),
        "tls": language.gettext("no secure connection"),
        "timeout": language.gettext("no answer in time"),
        "deadline": language.gettext("not finished in time"),
    }


def _answers(language: Language) -> dict[str, str]:
    """What a server said."""
    return {
        "protocol": language.gettext("an answer that is not HTTP"),
        "bad_redirect": language.gettext("a redirect that leads nowhere"),
        "not_found": language.gettext("not found"),
        "forbidden": language.gettext("forbidden"),
        "client_error": language.gettext("refused by the server"),
        "rate_limited": language.gettext("too many requests"),
        "server_error": language.gettext("an error of the server"),
        "unexpected_status": language.gettext("an unexpected answer"),
        "opted_out": language.gettext("the site opts out of machine use"),
    }


def _bytes(language: Language) -> dict[str, str]:
    """What was wrong with a file, or with reading it."""
    return {
        "bad_encoding": language.gettext("an encoding that is not understood"),
        "truncated": language.gettext("cut short"),
        "too_large": language.gettext("too large"),
        "empty": language.gettext("empty"),
        "file_missing": language.gettext("no such file"),
        "file_unreadable": language.gettext("the file can't be read"),
        "not_a_picture": language.gettext("not a picture"),
        "damaged": language.gettext("damaged"),
        "too_many_pixels": language.gettext("too many pixels"),
        "out_of_memory": language.gettext("too large for the memory allowed"),
        "decoder_died": language.gettext("it broke the decoder"),
        "decoder_timeout": language.gettext("decoding took too long"),
    }

"""The columns of every table, with what each means and in which unit.

These comments end up in the Parquet files and, through `COMMENT ON`, in the database.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")

# Facts are about pictures and locations; a killed run's finished parts are adopted as they are.
FACTS = ("fetches", "pictures", "scores", "predictions", "embeddings")
# Snapshots say how a run saw a source; a killed run's are thrown away.
SNAPSHOTS = (
    *("products", "posts", "rejects", "tags"),
    *("engagement", "engagement_evaluation", "engagement_ladder"),
    "results",
)

_PICTURE = "SHA-256 of the picture's bytes, in hex"
_MODEL = "the model, as name/version"
_SOURCE = "the CSV that the product comes from (--source, by default the file's stem)"
_ID = "the shop's id of the product, as text"
_POSTS_SOURCE = "the CSV that the post comes from (--source, by default the file's stem)"
_POST_ID = "id of the post, as text; its line in a CSV without ids"
_RULE = "what high means, as --high says it"
_SPLIT = "what test and training posts never share: account, time or random (nothing)"
_POSTS_MODEL = f"{_MODEL}; null when no picture was looked at"


def _column(name: str, kind: pa.DataType, comment: str, *, null: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=null, metadata={"comment": comment})


def _table(name: str, comment: str, *columns: pa.Field) -> pa.Schema:
    """Build a schema that says whose it is; `comment` tells what a row is, and the grain."""
    return pa.schema(
        columns,
        metadata={"vitrina.table": name, "vitrina.version": "1", "comment": comment},
    )


_FETCHES = _table(
    "fetches",
    "Attempts to get a picture. One row a location and run; the newest is what is known.",
    _column("location", pa.string(), "URL, or absolute path of a local file"),
    _column("picture", pa.string(), f"{_PICTURE}; null when there is none", null=True),
    _column("outcome", pa.string(), "fetched, unchanged or failed"),
    _column("reason", pa.string(), "why it failed, from a closed list", null=True),
    _column("host", pa.string(), "host of the URL; null for a local file", null=True),
    _column("http_status", pa.int16(), "status of the last HTTP answer", null=True),
    _column("etag", pa.string(), "ETag of the last HTTP answer", null=True),
    _column("last_modified", pa.string(), "Last-Modified of the last HTTP answer", null=True),
    _column("size", pa.int64(), "size of the picture, in bytes", null=True),
    _column("mtime_ns", pa.int64(), "when a local file last changed, ns since 1970", null=True),
    _column("attempts", pa.int8(), "tries made in this run"),
    _column("seconds", pa.float32(), "time that all tries took, in seconds"),
    _column("fetched_at", TIME, "when the last try ended (UTC)"),
    _column("next_try", TIME, "when it will be asked for again (UTC); null if dead", null=True),
    _column("dead", pa.bool_(), "whether trying again is pointless"),
)

_PICTURES = _table(
    "pictures",
    "Pictures that were decoded, or could not be. One row a picture and decoding.",
    _column("picture", pa.string(), _PICTURE),
    _column("outcome", pa.string(), "ok or failed"),
    _column("reason", pa.string(), "why it can't be read, from a closed list", null=True),
    _column("format", pa.string(), "what the bytes are, such as JPEG", null=True),
    _column("width", pa.int32(), "width in pixels, after EXIF rotation", null=True),
    _column("height", pa.int32(), "height in pixels, after EXIF rotation", null=True),
    _column("bytes", pa.int64(), "size of the file, in bytes"),
    _column("fingerprint", pa.string(), "perceptual hash, in hex; near means alike", null=True),
    _column("decoded_at", TIME, "when it was decoded (UTC)"),
)

_SCORES = _table(
    "scores",
    "All scores of a model about a picture. One row a picture, model and head.",
    _column("picture", pa.string(), _PICTURE),
    _column("model", pa.string(), _MODEL),
    _column("head", pa.string(), "the attribute that is scored"),
    _column(
        "scores",
        pa.list_(pa.float32()),
        "a probability for each label, 0 to 1, in the order of the model's vocabulary",
    ),
    _column(
        "trained_on",
        pa.bool_(),
        "whether the model was trained or validated on this picture or one like it",
    ),
)

_PREDICTIONS = _table(
    "predictions",
    "The five best labels of a model for a picture. One row a picture, model, head and rank.",
    _column("picture", pa.string(), _PICTURE),
    _column("model", pa.string(), _MODEL),
    _column("head", pa.string(), "the attribute that is predicted"),
    _column("rank", pa.int8(), "1 for the best label, to 5"),
    _column("label", pa.string(), "the label"),
    _column("score", pa.float32(), "probability that the model gives the label, 0 to 1"),
)

_EMBEDDINGS = _table(
    "embeddings",
    "What a model sees in a picture, as numbers. One row a picture and model.",
    _column("picture", pa.string(), _PICTURE),
    _column("model", pa.string(), _MODEL),
    _column(
        "embedding",
        pa.list_(pa.float32()),
        "pooled features, at most 128 numbers; near means alike, within one model",
    ),
)

_PRODUCTS = _table(
    "products",
    "Products as a CSV had them. One row a product and run that found it new, changed or gone.",
    _column("source", pa.string(), _SOURCE),
    _column("id", pa.string(), _ID),
    _column("title", pa.string(), "the product's title", null=True),
    _column("given", pa.map_(pa.string(), pa.string()), "attribute to the label in the CSV"),
    _column("pictures", pa.list_(pa.string()), "locations of its pictures, in order"),
    _column("extra", pa.map_(pa.string(), pa.string()), "other columns of the CSV, as text"),
    _column("line", pa.int64(), "line of the CSV, the header is 1"),
    _column("row_hash", pa.string(), "hash of everything but the line: another means changed"),
    _column("gone", pa.bool_(), "whether the product has left its CSV"),
    _column("seen_at", TIME, "when the run that wrote this row began (UTC)"),
)

_POSTS = _table(
    "posts",
    "Posts as a CSV had them. One row a post and run that found it new, changed or gone.",
    _column("source", pa.string(), _POSTS_SOURCE),
    _column("id", pa.string(), _POST_ID),
    _column("account", pa.string(), "the account that posted it", null=True),
    _column("followers", pa.int64(), "followers of the account; null if unknown", null=True),
    _column(
        "likes",
        pa.int64(),
        "likes as the CSV counts them, negative when hidden; null if that is no whole number",
        null=True,
    ),
    _column("comments", pa.int64(), "comments; null if unknown", null=True),
    _column("posted_at", TIME, "when it was posted (UTC); null if unknown", null=True),
    _column("collected_at", TIME, "when its likes were counted (UTC); null if unknown", null=True),
    _column("caption", pa.string(), "its text, spaces and line ends made single", null=True),
    _column("product_id", pa.string(), "the shop's id of the product that it shows", null=True),
    _column("given", pa.map_(pa.string(), pa.string()), "each of these columns to its text"),
    _column("pictures", pa.list_(pa.string()), "locations of its pictures, in order"),
    _column("extra", pa.map_(pa.string(), pa.string()), "other columns of the CSV, as text"),
    _column("line", pa.int64(), "line of the CSV, the header is 1"),
    _column("row_hash", pa.string(), "hash of everything but the line: another means changed"),
    _column("gone", pa.bool_(), "whether the post has left its CSV"),
    _column("seen_at", TIME, "when the run that wrote this row began (UTC)"),
)

_REJECTS = _table(
    "rejects",
    "Rows of a CSV that were refused. One row a refused row and run.",
    _column("source", pa.string(), "the source that the CSV stands for (--source)"),
    _column("file", pa.string(), "path of the CSV"),
    _column("line", pa.int64(), "line of the CSV, the header is 1"),
    _column("first_line", pa.int64(), "the line that a duplicate id repeats", null=True),
    _column("column", pa.string(), "the column at fault, if it is one", null=True),
    _column("reason", pa.string(), "why it was refused, from a closed list"),
    _column("detail", pa.string(), "the cell at fault, at most 200 characters", null=True),
)

_TAGS = _table(
    "tags",
    "Labels of products. One row a product and run that changed them.",
    _column("source", pa.string(), _SOURCE),
    _column("id", pa.string(), _ID),
    _column("model", pa.string(), f"{_MODEL}; null when it saw no picture", null=True),
    _column(
        "cause",
        pa.string(),
        "why the row was written: new, picture, model, vocabulary, labels or human",
    ),
    _column("pictures", pa.list_(pa.string()), "pictures that were looked at, in order"),
    _column("tagged", pa.bool_(), "whether the model saw at least one picture"),
    _column(
        "not_a_product",
        pa.bool_(),
        "whether none of its pictures looks like a product: nothing is predicted then; null where"
        " that can't be told",
        null=True,
    ),
    _column("tagged_at", TIME, "when the run that wrote this row began (UTC)"),
)

_ENGAGEMENT = _table(
    "engagement",
    "Posts told high or low. One row a post and run that changed that.",
    _column("source", pa.string(), _POSTS_SOURCE),
    _column("id", pa.string(), _POST_ID),
    _column("label", pa.string(), "high or low by its likes; null when unknown", null=True),
    _column("reason", pa.string(), "why the label is unknown, from a closed list", null=True),
    _column(
        "score",
        pa.float32(),
        "probability of high that the model sees in its picture, 0 to 1; null without a picture",
        null=True,
    ),
    _column("threshold", pa.float32(), "score above which the guess is high", null=True),
    _column("guess", pa.string(), "high or low by the score", null=True),
    _column("head", pa.string(), "which of the model's heads gave the score", null=True),
    _column(
        "evaluated",
        pa.bool_(),
        "whether label and score tell the quality: the head never saw the post's side in training",
    ),
    _column("model", pa.string(), _POSTS_MODEL, null=True),
    _column("rule", pa.string(), _RULE),
    _column(
        "bar",
        pa.float64(),
        "what the rule's figure must be more than; null when each account has its own",
        null=True,
    ),
    _column("pictures", pa.list_(pa.string()), "pictures that were looked at, in order"),
    _column("decided_at", TIME, "when the run that wrote this row began (UTC)"),
)

_ENGAGEMENT_EVALUATION = _table(
    "engagement_evaluation",
    "How well scores tell high from low. One row a run, source and metric.",
    _column("source", pa.string(), _POSTS_SOURCE),
    _column("model", pa.string(), _POSTS_MODEL, null=True),
    _column("rule", pa.string(), _RULE),
    _column("split", pa.string(), _SPLIT),
    _column("metric", pa.string(), "what was measured, such as roc_auc or precision"),
    _column("value", pa.float64(), "the figure; null when it is not defined", null=True),
    _column("low", pa.float64(), "lower end of its 95 % interval", null=True),
    _column("high", pa.float64(), "upper end of its 95 % interval", null=True),
    _column("n", pa.int64(), "posts that it was measured on"),
    _column("evaluated_at", TIME, "when the run that wrote this row began (UTC)"),
)

_ENGAGEMENT_LADDER = _table(
    "engagement_ladder",
    "What simpler predictors reach on the same posts. One row a run, source and rung.",
    _column("source", pa.string(), _POSTS_SOURCE),
    _column("model", pa.string(), _POSTS_MODEL, null=True),
    _column("rule", pa.string(), _RULE),
    _column("split", pa.string(), _SPLIT),
    _column("place", pa.int8(), "its place on the ladder, 1 is the lowest rung"),
    _column("rung", pa.string(), "what it knows, such as followers only"),
    _column("roc_auc", pa.float64(), "area under the ROC curve; 0.5 is chance", null=True),
    _column("roc_auc_low", pa.float64(), "lower end of its 95 % interval", null=True),
    _column("roc_auc_high", pa.float64(), "upper end of its 95 % interval", null=True),
    _column(
        "inside_accounts",
        pa.float64(),
        "share of pairs of a high and a low post of one account put in order; 0.5 is chance",
        null=True,
    ),
    _column("inside_accounts_low", pa.float64(), "lower end of its 95 % interval", null=True),
    _column("inside_accounts_high", pa.float64(), "upper end of its 95 % interval", null=True),
    _column("n", pa.int64(), "posts that it was measured on"),
    _column("evaluated_at", TIME, "when the run that wrote this row began (UTC)"),
)

_RESULTS = _table(
    "results",
    "What the reports of runs show, before it is drawn. One row a run and part of its report.",
    _column("source", pa.string(), "the source that the report is about", null=True),
    _column("page", pa.string(), "which kind of report: tag, engage, tagger or classifier"),
    _column("part", pa.string(), "the part of the report, such as heads or failures"),
    _column("value", pa.string(), "its figures and rows, as JSON"),
)

# Not tables of parts, but what the views read beside them.
SPLITS = _table(
    "splits",
    "What models were trained, validated and tested on. One row a model and picture.",
    _column("picture", pa.string(), _PICTURE),
    _column("title", pa.string(), "title of the product that it shows", null=True),
    _column("fingerprint", pa.string(), "its perceptual hash, in hex", null=True),
    _column("group", pa.int64(), "number of its picture group, within the model", null=True),
    _column("side", pa.string(), "train, validation or test"),
)
MANIFESTS = _table(
    "manifests",
    "Finished runs, as their manifests say. One row a run; ids sort by time.",
    _column("run", pa.string(), "id of the run"),
    _column("job", pa.string(), "the command, such as tag or train"),
    _column("source", pa.string(), "the source whose CSV was read; null for none", null=True),
    _column("started", pa.string(), "when it began (UTC)"),
    _column("finished", pa.string(), "when its manifest was written (UTC)"),
    _column("seconds", pa.float64(), "wall time, in seconds"),
    _column("version", pa.string(), "version of the catalog that ran"),
    _column("model", pa.string(), "the model used or trained, as name/version", null=True),
    _column("report", pa.string(), "path of its report, relative to the store", null=True),
    _column("arguments", pa.string(), "what it was asked to do, as JSON"),
    _column("counts", pa.string(), "what it counted (rows, pictures, products), as JSON"),
    _column("rows", pa.int64(), "rows that it added to tables, adopted ones too"),
    _column("bytes", pa.int64(), "size of the parts that it added, in bytes"),
    _column("adopted", pa.list_(pa.string()), "killed runs whose finished parts it took over"),
)
CARDS = _table(
    "cards",
    "Models in the store. One row a model: name and version.",
    _column("model", pa.string(), _MODEL),
    _column("current", pa.bool_(), "whether it serves its task now"),
    _column("card", pa.string(), "everything a later run needs to trust it, as JSON", null=True),
)

TABLES: Mapping[str, pa.Schema] = MappingProxyType(
    {
        "fetches": _FETCHES,
        "pictures": _PICTURES,
        "scores": _SCORES,
        "predictions": _PREDICTIONS,
        "embeddings": _EMBEDDINGS,
        "products": _PRODUCTS,
        "posts": _POSTS,
        "rejects": _REJECTS,
        "tags": _TAGS,
        "engagement": _ENGAGEMENT,
        "engagement_evaluation": _ENGAGEMENT_EVALUATION,
        "engagement_ladder": _ENGAGEMENT_LADDER,
        "results": _RESULTS,
    }
)


def tags_schema(attributes: Iterable[str]) -> pa.Schema:
    """Tell the columns of `tags` for these attributes: the fixed ones, then five for each.

    Two columns of one name (to SQL, upper and lower case are one) are a ValueError.
    """
    columns = [column for name in attributes for column in _tag_columns(name)]
    schema = pa.schema([*_TAGS, *columns], metadata=_TAGS.metadata)
    seen = {"run", "filename"}  # the views add these
    for name in schema.names:
        if name.casefold() in seen:
            raise ValueError(f"an attribute needs another name: tags has a column {name!r} already")
        seen.add(name.casefold())
    return schema


def attributes_of(columns: Collection[str]) -> tuple[str, ...]:
    """Tell the attributes of a table of tags from the names of its columns, review or not.

    Older runs did not say what is for review.
    """
    known = set(columns)
    return tuple(
        name
        for name in columns
        if {column.name for column in _tag_columns(name)} - {f"{name}_review"} <= known
    )


def comments(schema: pa.Schema) -> dict[str, str]:
    """Tell what each column of a schema means."""
    return {column.name: column.metadata[b"comment"].decode() for column in schema}


def _tag_columns(name: str) -> list[pa.Field]:
    """Tell the columns of one attribute, named as the attribute is."""
    return [
        _column(f"{name}_given", pa.string(), f"{name} in the CSV", null=True),
        _column(f"{name}_predicted", pa.string(), f"{name} that the model sees", null=True),
        _column(
            f"{name}_confidence",
            pa.float32(),
            f"probability that the model gives the predicted {name}, 0 to 1",
            null=True,
        ),
        _column(
            f"{name}_review",
            pa.bool_(),
            f"whether somebody should look at the {name}: it is predicted, and not surely enough",
            null=True,
        ),
        _column(name, pa.string(), f"{name}: given, else predicted", null=True),
    ]

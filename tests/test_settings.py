"""What `catalog.toml`, the environment and the flags add up to."""

import re
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.images.settings import DecodeSettings, FetchSettings
from engagement.findings import Split
from engagement.settings import SPLITS, TRAINING, EngagementSettings
from jobs.errors import BadInput
from jobs.settings import Settings, load

README = Path(__file__).resolve().parent.parent / "README.md"


def test_without_a_file_the_defaults_hold(tmp_path, monkeypatch):
    """No catalog.toml, no variable: ./store and the five attributes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CATALOG_STORE", raising=False)
    settings = load(None, None)
    assert settings.store == Path("store")
    assert [one.name for one in settings.attributes] == [
        "gender",
        "category",
        "subcategory",
        "product_type",
        "colour",
    ]
    assert settings.recheck_after == timedelta(days=7)


def test_the_flag_beats_the_variable_and_the_variable_the_file(tmp_path, monkeypatch):
    """--store, else CATALOG_STORE, else catalog.toml of the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("catalog.toml").write_text('store = "written"')
    monkeypatch.delenv("CATALOG_STORE", raising=False)
    assert load(None, None).store == Path("written")
    monkeypatch.setenv("CATALOG_STORE", "/var/store")
    assert load(None, None).store == Path("/var/store")
    assert load(None, Path("given")).store == Path("given")


def test_every_section_is_read(tmp_path):
    """Columns, attributes of any name, limits of downloads and choices of training."""
    config = tmp_path / "shop.toml"
    config.write_text(
        """
        image_root = "pictures"
        recheck_after_days = 0.5
        max_failed = 0.25
        [columns]
        image = ["Front", "Back"]
        [attributes]
        fabric = "Material"
        [fetch]
        per_host = 8
        allow_hosts = ["cdn.local:8080"]
        [decode]
        max_megapixels = 20
        [train]
        backbone = "cnn"
        weights = "none"
        [engagement]
        high = "top 30%"
        min_age_hours = 24
        split = "time"
        [train_engagement]
        epochs = 3
        """
    )
    settings = load(config, None)
    assert settings.image_root == tmp_path / "pictures"
    assert settings.recheck_after == timedelta(hours=12)
    assert settings.columns == {"image": ("Front", "Back")}
    assert [(one.name, one.synonyms) for one in settings.attributes] == [("fabric", ("Material",))]
    assert (settings.fetch.per_host, settings.fetch.allow_hosts) == (8, ("cdn.local:8080",))
    assert settings.decode == DecodeSettings(max_megapixels=20)
    assert (settings.train.backbone, settings.train.weights) == ("cnn", "none")
    assert settings.engagement == EngagementSettings("top 30%", 24, "time")
    assert settings.train_engagement == replace(TRAINING, epochs=3)


def test_the_readme_shows_every_limit_and_its_default(tmp_path):
    """The file in the README changes nothing, and names every setting of a download or decoding."""
    [shown] = re.findall(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    config = tmp_path / "catalog.toml"
    config.write_text(shown)
    assert load(config, None) == replace(Settings(), store=tmp_path / "store")
    limits = [field.name for one in (FetchSettings, DecodeSettings) for field in fields(one)]
    assert [
        name for name in limits if not re.search(rf"^(# )?{name} = ", shown, re.MULTILINE)
    ] == []


def test_a_classifier_is_trained_otherwise_than_a_tagger(tmp_path):
    """MobileNetV2 whose last fifty layers are fine-tuned; what one section says stays in it."""
    config = tmp_path / "shop.toml"
    config.write_text("[train]\nepochs = 3\nbackbone = 'cnn'")
    settings = load(config, None)
    assert settings.train_engagement == TRAINING
    assert (TRAINING.backbone, TRAINING.fine_tune_layers) == ("mobilenetv2", 50)
    assert settings.engagement == EngagementSettings(None, None, None)


@pytest.mark.parametrize("split", list(Split))
def test_every_split_can_be_asked_for(tmp_path, split):
    """By the names that the splits have."""
    config = tmp_path / "shop.toml"
    config.write_text(f'[engagement]\nsplit = "{split}"')
    assert load(config, None).engagement.split == split
    assert len(SPLITS) == len(Split)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stor = 1", "unknown setting stor"),
        ("[fetch]\nper_hots = 3", "unknown setting fetch.per_hots"),
        ("max_failed = 3", "share from 0 to 1"),
        ("encoding = 3", "encoding must be a str"),
        ("[columns]\nimage = 3", "columns.image"),
        ("[attributes]\nUPPER = []", "UPPER"),
        ('[fetch]\nallow_hosts = ["nowhere"]', "HOST:PORT"),
        ("[fetch]\ndeadline = inf", "deadline must be a number of seconds from 0.01 to 3,600"),
        ("[decode]\nmemory_mb = 5", "memory_mb must be a whole number from 128"),
        ("[train]\nepochs = 0", "epochs"),
        ("[train]\nepochs = 'ten'", "epochs"),
        ("[engagement]\nsplit = 'week'", "account, time, random"),
        ("[engagement]\nmin_age_hours = -1", "min_age_hours is 0 to"),
        ("[engagement]\nmin_age_hours = nan", "min_age_hours is 0 to"),
        ("[engagement]\nmin_age_hours = '48'", "min_age_hours is 0 to"),
        ("[engagement]\nhigh = 10000", 'a rule such as "likes > 10000"'),
        ("[engagement]\nlikes = 3", "unknown setting engagement.likes"),
        ("[train_engagement]\nepochs = 0", "epochs"),
        ("no toml at all", "not TOML"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(tmp_path, text, says):
    """One line that names the file and the setting."""
    config = tmp_path / "catalog.toml"
    config.write_text(text)
    with pytest.raises(BadInput, match=r"catalog\.toml") as refused:
        load(config, None)
    assert says in refused.value.message


def test_a_config_that_is_not_there_is_refused(tmp_path):
    """--config names a file: another one is never taken in its place."""
    with pytest.raises(BadInput, match="there is no file"):
        load(tmp_path / "none.toml", None)

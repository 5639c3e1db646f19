"""What a recipe came to, in sentences made from its figures."""

from reports.language import Language
from reports.pages import quoted, words
from reports.recipe import Recipe


def told(recipe: Recipe, language: Language) -> tuple[str, ...]:
    """The recipe in a few sentences: which, how right, the source beside it, what was asked."""
    said = [ran(recipe, language)]
    if recipe.figure is not None:
        said += [_figure(recipe, language), against_source(recipe, language)]
    if recipe.reached is not None:
        said.append(_asked(recipe, language))
    if recipe.gain is not None:
        said.append(f"{phases(recipe, language)}.")
    return tuple(said)


def title(recipe: Recipe, language: Language) -> str:
    """Set our figure beside the source's."""
    figures = {
        "recipe": quoted(recipe.name),
        "ours": language.percent(recipe.figure),
        "published": language.percent(recipe.published),
    }
    if recipe.figure is None:
        return language.gettext("The recipe %(recipe)s") % figures
    if recipe.published is not None:
        return (
            language.gettext("The recipe %(recipe)s: %(ours)s right, at its source %(published)s")
            % figures
        )
    if recipe.at_once:
        return (
            language.gettext("The recipe %(recipe)s: %(ours)s right in all attributes at once")
            % figures
        )
    return language.gettext("The recipe %(recipe)s: %(ours)s right") % figures


def ran(recipe: Recipe, language: Language) -> str:
    """Tell which recipe it is, and whose settings it has."""
    name = {"recipe": quoted(recipe.name)}
    if recipe.variant == "faithful":
        return (
            language.gettext("This is the recipe %(recipe)s with the settings of its source.")
            % name
        )
    if recipe.variant == "ours":
        return language.gettext("This is the recipe %(recipe)s with settings of our own.") % name
    name["variant"] = quoted(recipe.variant)
    return language.gettext("This is the recipe %(recipe)s in the variant %(variant)s.") % name


def against_source(recipe: Recipe, language: Language) -> str:
    """Tell where the source's figure lies, seen from ours and its interval.

    It is told in the source's own words too: they may say that it is of other data.
    """
    if recipe.published is None and recipe.source:
        return language.gettext("The source says “%(words)s”, of other classes than these.") % {
            "words": quoted(recipe.source)
        }
    if recipe.published is None:
        return language.gettext("There is no published figure to compare with.")
    published = language.percent(recipe.published)
    if recipe.source and recipe.source != f"{recipe.published:g}".lstrip("0"):
        worded = {"published": published, "words": quoted(recipe.source)}
        published = language.gettext("%(published)s (“%(words)s”)") % worded
    said = {
        "above": language.gettext(
            "The source's figure is %(published)s: above the interval of ours."
        ),
        "inside": language.gettext(
            "The source's figure is %(published)s: inside the interval of ours."
        ),
        "below": language.gettext(
            "The source's figure is %(published)s: below the interval of ours."
        ),
        None: language.gettext("The source's figure is %(published)s."),
    }
    return said[recipe.published_lies] % {"published": published}


def phases(recipe: Recipe, language: Language) -> str:
    """Tell whether the last phase of the training made the model better on the test set."""
    first, last = recipe.phases[0], recipe.phases[-1]
    gain = recipe.gain or 0.0
    figures = {
        "first": phase(first.name, language),
        "last": phase(last.name, language),
        "before": language.percent(first.share.value),
        "after": language.percent(last.share.value),
        "points": language.decimal(100 * abs(gain), 1),
    }
    if gain > 0 and recipe.phases_overlap:
        said = language.gettext(
            "After the phase “%(last)s” %(after)s are right, after “%(first)s” %(before)s: better"
            " by %(points)s points, which may be chance, for the 95%% intervals overlap"
        )
    elif gain > 0:
        said = language.gettext(
            "After the phase “%(last)s” %(after)s are right, after “%(first)s” %(before)s: better"
            " by %(points)s points, and the 95%% intervals do not overlap"
        )
    elif gain < 0:
        said = language.gettext(
            "After the phase “%(last)s” %(after)s are right, after “%(first)s” %(before)s: worse"
            " by %(points)s points"
        )
    else:
        said = language.gettext(
            "After the phase “%(last)s” %(after)s are right, as after “%(first)s”"
        )
    return said % figures


def phase(name: str, language: Language) -> str:
    """Say what a phase of a training is called."""
    known = {
        "heads": language.gettext("frozen backbone"),
        "fine-tuning": language.gettext("fine-tuning"),
    }
    return known.get(name, quoted(words(name)))


def spread(recipe: Recipe, language: Language) -> str:
    """Tell how far the seeds differ."""
    shares = [seed.share.value for seed in recipe.seeds]
    return language.ngettext(
        "%(num)s seed came to %(mean)s on average, from %(lowest)s to %(highest)s; standard"
        " deviation %(deviation)s points",
        "%(num)s seeds came to %(mean)s on average, from %(lowest)s to %(highest)s; standard"
        " deviation %(deviation)s points",
        len(recipe.seeds),
    ) % {
        "mean": language.percent(recipe.mean, 2),
        "lowest": language.percent(min(share or 0.0 for share in shares), 2),
        "highest": language.percent(max(share or 0.0 for share in shares), 2),
        "deviation": language.decimal(100 * (recipe.deviation or 0.0), 2),
    }


def _figure(recipe: Recipe, language: Language) -> str:
    low, high = recipe.interval or (None, None)
    figures = {
        "share": language.percent(recipe.figure),
        "n": language.count(recipe.rows),
        "span": language.percent_span(low, high),
        "attributes": language.count(len(recipe.heads)),
        "seeds": language.count(len(recipe.seeds)),
    }
    if recipe.mean is None and recipe.at_once:
        said = language.gettext(
            "All %(attributes)s attributes are right at once for %(share)s of %(n)s test pictures"
            " (%(span)s)."
        )
    elif recipe.mean is None:
        said = language.gettext("It is right for %(share)s of %(n)s test pictures (%(span)s).")
    elif recipe.at_once:
        said = language.gettext(
            "In the mean of %(seeds)s seeds all %(attributes)s attributes are right at once for"
            " %(share)s of %(n)s test pictures (%(span)s)."
        )
    else:
        said = language.gettext(
            "In the mean of %(seeds)s seeds it is right for %(share)s of %(n)s test pictures"
            " (%(span)s)."
        )
    return said % figures


def _asked(recipe: Recipe, language: Language) -> str:
    short = (recipe.least or 0.0) - (recipe.figure or 0.0)
    figures = {
        "least": language.percent(recipe.least),
        "points": language.decimal(100 * abs(short), 2),
    }
    if recipe.reached:
        return language.gettext("At least %(least)s was asked, and it is reached.") % figures
    return (
        language.gettext("At least %(least)s was asked, and it is missed by %(points)s points.")
        % figures
    )

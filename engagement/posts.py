"""The columns of posts.csv and what must be there."""

from catalog.attributes import Attribute
from catalog.records import Layout

# They travel as text, as the attributes of products do; sql/steps/staged_posts.sql reads the
# numbers and times.
FIELDS = (
    Attribute("likes", ("like_count", "likes_count", "num_likes", "number_of_likes")),
    Attribute(
        "comments", ("comment_count", "comments_count", "num_comments", "number_of_comments")
    ),
    Attribute(
        "followers", ("follower_count", "followers_count", "num_followers", "number_of_followers")
    ),
    Attribute("account", ("username", "account_id", "account_name", "handle", "shop")),
    Attribute(
        "posted_at", ("timestamp", "taken_at", "date", "created_at", "published_at", "post_date")
    ),
    Attribute("collected_at", ("scraped_at", "fetched_at", "crawled_at", "retrieved_at")),
    Attribute("caption", ("text", "description", "message")),
    Attribute("product_id", ("sku", "product_sku")),
)

_NAMES = {
    "id": ("post_id", "id", "shortcode", "media_id"),
    "image": (
        *("image", "image_url", "picture", "picture_url", "photo", "photo_url"),
        *("media_url", "display_url"),
    ),
}

POSTS = Layout(kind="post", names=_NAMES, required=("id", "image", "likes"))
# For what can be said without looking at a picture.
METADATA = Layout(kind="post", names=_NAMES, required=("likes",))

"""What the properties of GraphQL share."""

from tests.shop import filled as filled
from tests.shop import shop as shop

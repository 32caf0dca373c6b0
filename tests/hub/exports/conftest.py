"""The shop, and files made of it."""

from tests.shop import filled as filled
from tests.shop import shop as shop

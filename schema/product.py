"""What is sold, and where."""

import strawberry

from hub import models
from schema.connection import Money, Node
from schema.plan.mapping import column, entity, global_id, money
from schema.source import Source, of_source


@entity(models.Product, "Something that is sold.", scope="products:read")
class Product(Node):
    id: strawberry.ID = global_id("Its id in the hub.")
    external_id: str = column(models.Product.external_id, "Its id at its source.")
    name: str = column(models.Product.name, "Its name; empty while only orders named it.")
    sku: str = column(models.Product.sku, "Stock keeping unit.")
    brand: str = column(models.Product.brand, "Its brand.")
    category: str = column(models.Product.category_, "Its category, as its source names it.")
    price: Money | None = money(
        models.Product.price, "Its price, if known.", currency='{t}."currency"'
    )
    source: Source = of_source()


@entity(models.Store, "A place where things are sold, or a web shop.", scope="stores:read")
class Store(Node):
    id: strawberry.ID = global_id("Its id in the hub.")
    external_id: str = column(models.Store.external_id, "Its id at its source.")
    name: str = column(models.Store.name, "Its name.")
    city: str = column(models.Store.city, "The city it is in.")
    address: str = column(models.Store.address, "Its postal address.")
    source: Source = of_source()

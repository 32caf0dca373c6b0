"""What is sold, where, and what people bought."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, categorised
from hub.models.search import sortable, start, words


def _own_record() -> Mapped[UUID]:
    """A thing is known by the record that told of it."""
    return mapped_column(ForeignKey("source_record.id", ondelete="CASCADE"), primary_key=True)


class Product(Base):
    """Something that is sold. Named by an order before its own record came, it is a bare id."""

    __tablename__ = "product"
    __table_args__ = (
        Index(None, "sort_name", "id"),
        Index("ix_product_name", text(start("name"))),
        Index("ix_product_sku", text(start("sku"))),
        Index("ix_product_brand", text(start("brand")), "sort_name", "id"),
        Index("ix_product_category", text(start("category")), "sort_name", "id"),
        Index(None, "search", postgresql_using="gin"),
    )
    merge = Merge.KEEP
    category = "open"
    reach = None

    id: Mapped[UUID] = _own_record()
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    sku: Mapped[str] = mapped_column(server_default="")
    brand: Mapped[str] = mapped_column(server_default="")
    category_: Mapped[str] = mapped_column("category", server_default="")
    price: Mapped[Decimal | None]
    currency: Mapped[str] = mapped_column(server_default="")
    sort_name: Mapped[str] = mapped_column(Computed(sortable("name"), persisted=True))
    search: Mapped[str] = mapped_column(TSVECTOR, Computed(words("name", "brand"), persisted=True))


class Store(Base):
    """A place where things are sold, or a web shop."""

    __tablename__ = "store"
    merge = Merge.KEEP
    category = "open"
    reach = None

    id: Mapped[UUID] = _own_record()
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    city: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")


class Order(Base):
    """An order; `total` is in `currency` (ISO 4217)."""

    __tablename__ = "order"
    __table_args__ = (
        Index(None, "record_id"),
        Index(None, "customer_id", "ordered_at", "id"),
        Index(None, "ordered_at", "id"),
        Index(None, "store_id", "ordered_at", "id"),
        Index(None, "source_id", "ordered_at", "id"),
        Index("ix_order_status", text(start("status")), "ordered_at", "id"),
        Index("ix_order_channel", text(start("channel")), "ordered_at", "id"),
        Index("ix_order_number", text(start("number"))),
        Index(None, "total"),
    )
    merge = Merge.FOLLOW
    category = "trade"

    id: Mapped[UUID] = _own_record()
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    external_id: Mapped[str]
    record_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("source_record.id"), info=categorised("provenance")
    )
    customer_id: Mapped[UUID | None]
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("store.id"))
    number: Mapped[str]
    status: Mapped[str]
    channel: Mapped[str]
    ordered_at: Mapped[datetime]
    currency: Mapped[str]
    total: Mapped[Decimal]


class OrderLine(Base):
    """One line of an order, which carries the customer of its order: to look an order up for each
    list of lines takes a fifth of the time of a customer's card.
    """

    __tablename__ = "order_line"
    merge = Merge.FOLLOW
    category = "trade"
    part_of = "order"

    order_id: Mapped[UUID] = mapped_column(
        ForeignKey("order.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    customer_id: Mapped[UUID | None]
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("product.id"))
    name: Mapped[str]
    quantity: Mapped[Decimal]
    unit_price: Mapped[Decimal | None]
    discount: Mapped[Decimal | None]
    total: Mapped[Decimal]

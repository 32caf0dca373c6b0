"""Shopfront: a shop with a plain REST interface, GET /customers?limit=&after=&since=&until=&ids="""

from hub import adapter, paging, reading, records


def ask(wanted: adapter.Ask) -> adapter.Call:
    told = {
        "limit": str(wanted.size),
        "after": wanted.after,
        "since": wanted.since and wanted.since.isoformat(),
        "until": wanted.until and wanted.until.isoformat(),
        "ids": ",".join(wanted.ids),
    }
    query = tuple((name, value) for name, value in told.items() if value)
    return adapter.Call(method="GET", path="/customers", query=query)


def customer(item: adapter.Item, _: adapter.Values) -> records.Customer:
    email = reading.text(item, "email")
    return records.Customer(
        external_id=reading.own_id(item),
        observed_at=reading.instant(item, "changed"),
        given_name=reading.text(item, "first"),
        family_name=reading.text(item, "last"),
        identifiers=(records.Identifier(type="email", value=email),) if email else (),
    )


CUSTOMERS = adapter.Stream(
    key="customers",
    title="Customers",
    kind=records.Customer,
    ask=ask,
    map=customer,
    fields=(),
    items=("data",),
    pages=paging.ById(200),
    cursor=adapter.Cursor(field="changed"),
    deletions=adapter.Reconcile(),
)
ADAPTER = adapter.Adapter(
    key="shopfront",
    title="Shopfront",
    family="erp",
    docs="https://shopfront.example.com/docs",
    settings=(
        adapter.Setting(key="url", title="Address", pattern="https?://.+"),
        adapter.Setting(key="key", title="Key", secret=True),
    ),
    base="{url}",
    auth=adapter.Key(),
    check=lambda _: adapter.Call(method="GET", path="/customers", query=(("limit", "1"),)),
    limits=(adapter.Limit(10, 1.0),),
    streams=(CUSTOMERS,),
    privacy=adapter.Privacy(holds=("identity", "contact"), by_hand="Delete them in the shop."),
)

"""Shopfront for shops whose owner gives leave in a browser; the rest is the other one's."""

from dataclasses import replace

from shopfront import ADAPTER as SHOPFRONT

from hub import adapter

ADAPTER = replace(
    SHOPFRONT,
    key="shopfront_oauth",
    title="Shopfront, by leave",
    settings=(
        adapter.Setting(key="url", title="Address", pattern="https?://.+"),
        adapter.Setting(key="client_id", title="Client", help="Settings > Apps > the hub's id"),
        adapter.Setting(key="client_secret", title="The client's secret", secret=True),
    ),
    auth=adapter.AuthorizationCode(
        authorize="{url}/oauth/authorize",
        scopes=("customers",),
        issuer="{url}",
        tokens=adapter.TokenEndpoint(url="{url}/oauth/token", revoke="{url}/oauth/revoke"),
    ),
)

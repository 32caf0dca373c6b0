"""A client's token for itself (`client_credentials`)."""

from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from auth.server.grants.giving import Giving, narrowed
from auth.tokens import Said


class CredentialsGrant(Giving, ClientCredentialsGrant):
    """All that the client has, or what it names of it."""

    def validate_token_request(self) -> None:
        client = self.proven_client()
        self.asking.client = client
        self.demand_resource()
        rights = narrowed(client.client.rights, self.asking.words)
        self.said = Said(client.id, rights.scopes, rights.purposes)

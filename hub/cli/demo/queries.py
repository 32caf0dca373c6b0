"""What to ask a demo first. The README shows the same, with answers."""

from collections.abc import Mapping

CARD = """{
  customer(by: {email: "egor.sokolov.9@example.org"}) {
    displayName
    sourceRecords { source { key } externalId }
    orders(first: 1) {
      totalCount
      nodes {
        orderedAt
        total { amount currency }
        lines(first: 3) { name quantity total { amount } }
      }
    }
    consents { purpose { key } state }
  }
}"""
"""Somebody who is in Tryton under two spellings, in Odoo, and in the file of consents."""

SEARCH = """{
  customers(first: 2, where: {search: "соколов"}) {
    totalCount
    nodes {
      displayName
      identifiers { type value }
      lastOrderedAt
    }
  }
}"""

SYNC = """{
  integrations {
    name
    state
    streams { stream readAt }
    runs(first: 1) { nodes { mode state finishedAt } }
  }
}"""

QUERIES: Mapping[str, str] = {
    "One customer out of several systems, with what he bought and allowed": CARD,
    "People by what one types into a search box": SEARCH,
    "The connected systems, and how reading them went": SYNC,
}

"""What the pretended Tryton has of Tryton 8's models; whatever else is asked for is refused."""

from adapters.sandbox.model import Models, declared

MODELS: Models = declared(
    {
        "country.country": """
            name          char
            code          char
            active        boolean

            subdivisions  one2many country.subdivision country
        """,
        "country.subdivision": """
            name      char
            code      char
            ^country  many2one country.country
            active    boolean
        """,
        "currency.currency": """
            name    char
            code    char
            symbol  char
            active  boolean
        """,
        "ir.lang": """
            name    char
            code    char
            active  boolean
        """,
        "party.address": """
            ^party       many2one party.party
            street       text
            city         char
            postal_code  char
            country      many2one country.country
            subdivision  many2one country.subdivision
            active       boolean
            invoice      boolean
            delivery     boolean
        """,
        "party.contact_mechanism": """
            ^party         many2one party.party
            type           selection
            value          char
            value_compact  char
            name           char
            active         boolean
        """,
        "party.party": """
            name                char
            code                char
            active              boolean
            lang                many2one ir.lang
            replaced_by         many2one party.party

            email               char
            phone               char
            mobile              char
            fax                 char
            website             char
            categories          many2many party.category
            addresses           one2many party.address party
            contact_mechanisms  one2many party.contact_mechanism party
        """,
        "product.product": """
            ^template        many2one product.template
            code             char
            suffix_code      char
            active           boolean

            name             char
            type             selection
            default_uom      many2one product.uom
            list_price       numeric
            list_price_used  numeric
        """,
        "product.template": """
            name         char
            code         char
            type         selection
            list_price   numeric
            default_uom  many2one product.uom
            salable      boolean
            active       boolean

            categories   many2many product.category
            products     one2many product.product template
        """,
        "product.uom": """
            name    char
            symbol  char
            active  boolean
        """,
        "sale.line": """
            ^sale        many2one sale.sale
            sequence     integer
            type         selection
            product      many2one product.product
            description  text
            quantity     float
            unit         many2one product.uom
            unit_price   numeric
            amount       numeric
        """,
        "sale.sale": """
            number           char
            reference        char
            ^party           many2one party.party
            state            selection
            sale_date        date
            currency         many2one currency.currency
            company          many2one company.company
            invoice_address  many2one party.address
            untaxed_amount   numeric
            tax_amount       numeric
            total_amount     numeric

            lines            one2many sale.line sale
        """,
    },
    everywhere="""
        id                integer
        create_date       timestamp
        write_date        timestamp
        last_modified_at  timestamp
    """,
    independent=frozenset({"sale.sale"}),
)

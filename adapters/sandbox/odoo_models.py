"""What the pretended Odoo has of Odoo 19's models; whatever else is asked for is refused."""

from adapters.sandbox.model import Models, declared

MODELS: Models = declared(
    {
        "product.product": """
            ^product_tmpl_id  many2one product.template
            default_code      char
            barcode           char
            active            boolean

            name              char
            list_price        float
            lst_price         float
            type              selection
            sale_ok           boolean
            currency_id       many2one res.currency
            categ_id          many2one product.category
        """,
        "product.template": """
            name                 char
            list_price           float
            type                 selection
            sale_ok              boolean
            currency_id          many2one res.currency
            active               boolean

            categ_id             many2one product.category
            product_variant_ids  one2many product.product product_tmpl_id
        """,
        "res.country": """
            code  char
            name  char
        """,
        "res.currency": """
            name            char
            symbol          char
            rounding        float
            decimal_places  integer
            active          boolean
        """,
        "res.partner": """
            name           char
            is_company     boolean
            ^parent_id     many2one res.partner
            type           selection
            email          char
            phone          char
            street         char
            street2        char
            city           char
            zip            char
            country_id     many2one res.country
            vat            char
            ref            char
            lang           selection
            category_id    many2many res.partner.category
            website        char
            comment        html
            active         boolean
            customer_rank  integer

            country_code   char
            child_ids      one2many res.partner parent_id
        """,
        "res.partner.category": """
            name    char
            active  boolean
        """,
        "sale.order": """
            name              char
            client_order_ref  char
            origin            char
            ^partner_id       many2one res.partner
            state             selection
            date_order        datetime
            currency_id       many2one res.currency
            amount_untaxed    monetary
            amount_tax        monetary
            amount_total      monetary
            invoice_status    selection

            team_id           many2one crm.team
            order_line        one2many sale.order.line order_id
        """,
        "sale.order.line": """
            ^order_id        many2one sale.order
            sequence         integer
            display_type     selection
            product_id       many2one product.product
            name             text
            product_uom_qty  float
            price_unit       float
            discount         float
            price_subtotal   monetary
            price_tax        float
            price_total      monetary
        """,
    },
    everywhere="""
        id           integer
        create_date  datetime
        write_date   datetime
    """,
    independent=frozenset({"sale.order", "res.partner"}),
)

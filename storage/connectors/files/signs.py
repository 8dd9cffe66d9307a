"""What a table must hold to be of an object, and what its name hints at."""

NEEDS: dict[str, tuple[frozenset[str], ...]] = {
    "person": (frozenset({"name", "email"}), frozenset({"team", "manager", "email", "active", "region"})),
    "product": (frozenset({"name"}),),
    "customer": (frozenset({"name"}),),
    "lead": (frozenset({"id", "name"}), frozenset({"created", "qualified_on"})),
    "deal": (
        frozenset({"status", "stage", "won_on", "closed"}),
        frozenset({"amount", "owner", "customer", "created", "id", "name"}),
    ),
    "contract": (frozenset({"customer"}), frozenset({"starts_on"})),
    "purchase": (frozenset({"customer"}), frozenset({"purchased"})),
    "spend": (frozenset({"amount"}), frozenset({"month", "starts_on"})),
    # Without both currencies, a rate may be read either way round.
    "rate": (frozenset({"rate"}), frozenset({"base"}), frozenset({"currency"}), frozenset({"starts_on"})),
}
"""One field of each set must be there, or the table is not of this object."""

HINTS: dict[str, tuple[str, ...]] = {
    "rate": ("rate", "rates", "exchange", "taux", "change", "devises", "currencies", "cours", "fx"),
    "person": (
        "people",
        "person",
        "users",
        "team",
        "teams",
        "equipe",
        "equipes",
        "commerciaux",
        "utilisateurs",
        "reps",
        "agents",
        "owners",
    ),
    "product": ("product", "products", "produit", "produits", "catalogue", "articles"),
    "customer": (
        "customer",
        "customers",
        "account",
        "accounts",
        "client",
        "clients",
        "companies",
        "company",
        "entreprises",
        "comptes",
        "organizations",
        "organisations",
        "societes",
        "tiers",
    ),
    "lead": ("lead", "leads", "piste", "pistes", "prospect", "prospects", "mql", "contacts"),
    "deal": (
        "deal",
        "deals",
        "pipeline",
        "opportunity",
        "opportunities",
        "opportunites",
        "opportunite",
        "transactions",
        "affaires",
        "affaire",
        "ventes",
        "sales",
        "devis",
    ),
    "contract": ("contract", "contracts", "contrat", "contrats", "abonnement", "abonnements", "subscriptions"),
    "purchase": ("purchase", "purchases", "orders", "order", "commandes", "achats", "factures", "invoices"),
    "spend": ("spend", "depenses", "couts", "budget", "marketing", "expenses", "costs", "frais"),
}
"""Words of a file's or sheet's name that hint at its object."""

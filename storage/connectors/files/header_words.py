"""A field of a table, and the headers that name what several kinds of table hold, in French and English.

The headers are those of HubSpot, Pipedrive, Salesforce and Koban exports and of everyday spreadsheets, written without
accents, capitals or punctuation (`headers.fold`).
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "id", "amount", "date", "month", "status", "flag", "currency", "kind", "reference", "rate"]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    words: tuple[str, ...]
    weight: int = 1
    """How strongly the header says that the table is of this object."""
    object: str | None = None
    """What a reference names."""


def field(name: str, kind: Kind, words: str, weight: int = 1, to: str | None = None) -> Field:
    return Field(name, kind, tuple(word.strip() for word in words.split("|")), weight, to)


MODIFIED = field(
    "modified",
    "date",
    "last modified date|last modified|modified|modified on|modified at|update time|updated at|updated on|updated|"
    "modifie le|date de modification|date de derniere modification|derniere modification|mise a jour|mis a jour le|"
    "date de mise a jour|last activity date modified|system modstamp",
)
DELETED = field("deleted", "flag", "is deleted|deleted|supprime|supprimee|est supprime", 1)
CURRENCY = field(
    "currency",
    "currency",
    "currency|deal currency|deal currency code|currency code|currency iso code|amount currency|currency of value|"
    "devise|monnaie|code devise|devise du montant|devise de l opportunite",
)
CUSTOMER = (
    "customer|customer name|customer id|client|nom du client|nom client|id client|code client|numero client|account|"
    "account name|compte|nom du compte|company|company name|associated company|associated company primary|"
    "entreprise|nom de l entreprise|entreprise associee|nom de la societe|societe|raison sociale|organization|"
    "organisation|organization name|nom de l organisation|tiers|nom du tiers|buyer|acheteur|company account|"
    "societe compte"
)
CUSTOMER_IDS = "|account id|company id|organization id|id du compte|id de l entreprise"
"""Columns that name a customer by its id, where none names it by its name."""
OWNER = (
    "owner|deal owner|owner name|opportunity owner|account owner|lead owner|contact owner|sales rep|"
    "sales representative|rep|salesperson|sales agent|agent|seller|vendeur|vendeuse|commercial|commerciale|"
    "nom du commercial|proprietaire|proprietaire de la transaction|proprietaire de l opportunite|responsable|"
    "charge d affaires|ingenieur commercial|assigned to|assigne a|attribue a|affecte a|suivi par|gere par|"
    "proprietaire du lead|proprietaire du contact|proprietaire de l affaire|owner full name|sr id|account manager|"
    "account executive|user|utilisateur"
)
PRODUCT = (
    "product|product name|produit|nom du produit|article|offre|gamme|line item|sku|reference produit|product id|"
    "item|product code|code produit|products|produits"
)
SEGMENT = (
    "segment|customer segment|business segment|segment client|market segment|industry|sector|secteur|"
    "secteur d activite|industrie|marche|type de client|customer type|account type|categorie client|activite|"
    "vertical|typologie"
)
ORIGIN = (
    "source|lead source|origin|origine|deal source|original source|original source type|original traffic source|"
    "source d origine|source du lead|source de la piste|source du contact|canal|channel|source channel|provenance|"
    "canal d acquisition|origine du lead|origine de la piste|origine du contact|utm source|acquisition channel|"
    "source origin|campaign source|primary campaign source|origine de la source"
)
REGION = (
    "region|regional office|office|office location|territory|territoire|secteur geographique|agence|bureau|zone|"
    "pays|country|ville|city|billing country|localisation|location|site"
)
AMOUNT = (
    "amount|deal amount|value|deal value|close value|price|total|total amount|montant|montant ht|montant total|"
    "montant de la transaction|montant de l opportunite|montant de l affaire|valeur|valeur de l affaire|ca|"
    "chiffre d affaires|prix|montant hors taxes|total ht|amount in company currency|montant ht eur|revenue|net amount|"
    "montant net|valeur de la transaction|amount eur|montant eur|amountprev|montant previsionnel|contract value|acv|arr"
)

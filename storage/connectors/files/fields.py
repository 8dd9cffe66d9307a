"""What each kind of table may hold: its fields and the headers that name them, in French and English.

The headers are those of HubSpot, Pipedrive, Salesforce and Koban exports and of everyday spreadsheets, written without
accents, capitals or punctuation (`headers.fold`).
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "id", "amount", "date", "month", "status", "flag", "currency", "kind", "reference"]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    words: tuple[str, ...]
    weight: int = 1
    """How strongly the header says that the table is of this object."""
    object: str | None = None
    """What a reference names."""


def _field(name: str, kind: Kind, words: str, weight: int = 1, to: str | None = None) -> Field:
    return Field(name, kind, tuple(word.strip() for word in words.split("|")), weight, to)


_MODIFIED = _field(
    "modified",
    "date",
    "last modified date|last modified|modified|modified on|modified at|update time|updated at|updated on|updated|"
    "modifie le|date de modification|date de derniere modification|derniere modification|mise a jour|mis a jour le|"
    "date de mise a jour|last activity date modified|system modstamp",
)
_DELETED = _field("deleted", "flag", "is deleted|deleted|supprime|supprimee|est supprime", 1)
_CURRENCY = _field(
    "currency",
    "currency",
    "currency|deal currency|deal currency code|currency code|currency iso code|amount currency|currency of value|"
    "devise|monnaie|code devise|devise du montant|devise de l opportunite",
)
_CUSTOMER = (
    "customer|customer name|customer id|client|nom du client|nom client|id client|code client|numero client|account|"
    "account name|compte|nom du compte|company|company name|associated company|associated company primary|"
    "entreprise|nom de l entreprise|entreprise associee|nom de la societe|societe|raison sociale|organization|"
    "organisation|organization name|nom de l organisation|tiers|nom du tiers|buyer|acheteur|company account|"
    "societe compte"
)
_CUSTOMER_IDS = "|account id|company id|organization id|id du compte|id de l entreprise"
"""Columns that name a customer by its id, where none names it by its name."""
_OWNER = (
    "owner|deal owner|owner name|opportunity owner|account owner|lead owner|contact owner|sales rep|"
    "sales representative|rep|salesperson|sales agent|agent|seller|vendeur|vendeuse|commercial|commerciale|"
    "nom du commercial|proprietaire|proprietaire de la transaction|proprietaire de l opportunite|responsable|"
    "charge d affaires|ingenieur commercial|assigned to|assigne a|attribue a|affecte a|suivi par|gere par|"
    "proprietaire du lead|proprietaire du contact|proprietaire de l affaire|owner full name|sr id|account manager|"
    "account executive|user|utilisateur"
)
_PRODUCT = (
    "product|product name|produit|nom du produit|article|offre|gamme|line item|sku|reference produit|product id|"
    "item|product code|code produit|products|produits"
)
_SEGMENT = (
    "segment|customer segment|business segment|segment client|market segment|industry|sector|secteur|"
    "secteur d activite|industrie|marche|type de client|customer type|account type|categorie client|activite|"
    "vertical|typologie"
)
_ORIGIN = (
    "source|lead source|origin|origine|deal source|original source|original source type|original traffic source|"
    "source d origine|source du lead|source de la piste|source du contact|canal|channel|source channel|provenance|"
    "canal d acquisition|origine du lead|origine de la piste|origine du contact|utm source|acquisition channel|"
    "source origin|campaign source|primary campaign source|origine de la source"
)
_REGION = (
    "region|regional office|office|office location|territory|territoire|secteur geographique|agence|bureau|zone|"
    "pays|country|ville|city|billing country|localisation|location|site"
)
_AMOUNT = (
    "amount|deal amount|value|deal value|close value|price|total|total amount|montant|montant ht|montant total|"
    "montant de la transaction|montant de l opportunite|montant de l affaire|valeur|valeur de l affaire|ca|"
    "chiffre d affaires|prix|montant hors taxes|total ht|amount in company currency|montant ht eur|revenue|net amount|"
    "montant net|valeur de la transaction|amount eur|montant eur|amountprev|montant previsionnel|contract value|acv|arr"
)

DEAL = (
    _field(
        "id",
        "id",
        "opportunity id|deal id|record id|record id deal|id|id de la transaction|id transaction|id opportunite|"
        "id de l opportunite|id affaire|id de l affaire|numero d affaire|n affaire|"
        "n d affaire|no affaire|n opportunite|n d opportunite|numero d opportunite|n devis|numero|reference|ref|"
        "code|guid|identifiant|id de fiche d informations|object id|case safe id",
        2,
    ),
    _field(
        "name",
        "text",
        "deal name|opportunity name|deal title|title|name|nom de la transaction|nom de l opportunite|"
        "nom de l affaire|intitule|titre|nom|libelle|objet|affaire|opportunite|deal|opportunity|transaction|sujet",
    ),
    _field(
        "status",
        "status",
        "status|deal status|statut|statut de l affaire|statut de l opportunite|resultat|result|etat|outcome|"
        "statut de la transaction|won lost|gagne perdu|issue",
        3,
    ),
    _field(
        "stage",
        "status",
        "deal stage|stage|stage name|sales stage|opportunity stage|etape|phase|phase de la transaction|"
        "etape de la transaction|etape de l opportunite|etape de vente|phase de vente|etape du pipeline|"
        "etape de l affaire|step|avancement|pipeline stage",
        3,
    ),
    _field("pipeline", "reference", "pipeline|deal pipeline|pipeline name|process|processus|entonnoir", 2, "pipeline"),
    _field(
        "customer", "reference", _CUSTOMER + _CUSTOMER_IDS + "|deal organization|deal contact person", 1, "customer"
    ),
    _field(
        "owner", "reference", _OWNER + "|owner email|email du proprietaire|owner id|id du proprietaire", 1, "person"
    ),
    _field("product", "reference", _PRODUCT, 1, "product"),
    _field(
        "lead",
        "reference",
        "lead|lead id|mql id|id lead|id piste|id du lead|piste|source lead id|lead reference",
        1,
        "lead",
    ),
    _field("segment", "text", _SEGMENT),
    _field("origin", "text", _ORIGIN),
    _field("amount", "amount", _AMOUNT, 2),
    _CURRENCY,
    _field(
        "created",
        "date",
        "create date|created date|created|creation date|created at|created on|date created|engage date|deal created|"
        "date de creation|cree le|creation|add time|date creation|date d ouverture|open date|opened on|opening date|"
        "ouvert le|date ouverture|start date|date de debut|date d entree|creee le|affaire creee|"
        "affaire creee le|cree|creee",
        2,
    ),
    _field(
        "closed",
        "date",
        "close date|closed date|closing date|closed|closed at|closed on|date de cloture|date de fermeture|cloture|"
        "cloture le|cloturee le|affaire cloturee le|ferme le|"
        "date cloture|date de fin|fermee le|deal closed on|close time|date de decision|dresult|"
        "date de resultat|deal close date",
        3,
    ),
    _field(
        "won_on",
        "date",
        "won date|won on|won time|won at|date won|date gagne|gagnee le|gagne le|date de signature|signature|signe le|"
        "signee le|date de gain|signed on|signature date|date signature|deal won time",
        3,
    ),
    _field(
        "lost_on",
        "date",
        "lost date|lost on|lost time|lost at|date perdu|perdue le|perdu le|date de perte|deal lost time",
        3,
    ),
    _field(
        "kind",
        "kind",
        "deal type|type|opportunity type|type de transaction|type d opportunite|type d affaire|type de vente|"
        "nature|nature de la vente",
    ),
    _DELETED,
    _MODIFIED,
)

CUSTOMER = (
    _field(
        "id",
        "id",
        "customer id|account id|company id|id|id client|code client|numero client|n client|record id|id du compte|"
        "id de l entreprise|identifiant|organization id|code|code tiers|reference client",
    ),
    _field("name", "text", _CUSTOMER + "|name|nom|organization name", 2),
    _field("segment", "text", _SEGMENT, 2),
    _field("origin", "text", _ORIGIN),
    _field("region", "text", _REGION),
    _DELETED,
    _MODIFIED,
)

LEAD = (
    _field(
        "id",
        "id",
        "lead id|mql id|id lead|id du lead|id piste|id de la piste|n piste|n lead|contact id|record id|id|"
        "identifiant|numero|"
        "id contact|reference",
        2,
    ),
    _field(
        "name",
        "text",
        "lead name|full name|name|last name|nom de famille|nom du lead|nom de la piste|lead|piste|prospect|nom|titre|"
        "title|contact|nom du prospect|nom complet|lead title",
    ),
    _field("first_name", "text", "first name|firstname|given name|prenom", 1),
    _field(
        "created",
        "date",
        "first contact date|create date|created date|created|creation date|created at|created on|date de creation|"
        "cree le|date created|date du premier contact|premier contact|lead created|date d entree|lead date|date",
        2,
    ),
    _field(
        "qualified_on",
        "date",
        "qualified date|qualified on|qualification date|date de qualification|qualifie le|date mql|mql date|"
        "became a marketing qualified lead date|date de qualification marketing|date entered marketing qualified lead",
        3,
    ),
    _field("qualified", "flag", "qualified|qualifie|is qualified|lead qualifie|est qualifie|mql", 3),
    _field("inbound", "flag", "inbound|entrant|is inbound|lead entrant|est entrant", 3),
    _field("converted", "flag", "converted|converti|is converted|convertie|est converti|transforme", 3),
    _field(
        "converted_on",
        "date",
        "converted date|conversion date|date de conversion|converti le|converted on|converted at",
        3,
    ),
    _field("customer", "reference", _CUSTOMER + _CUSTOMER_IDS, 1, "customer"),
    _field("owner", "reference", _OWNER + "|owner id|id du proprietaire", 1, "person"),
    _field("segment", "text", _SEGMENT),
    _field("origin", "text", _ORIGIN, 2),
    _DELETED,
    _MODIFIED,
)

PERSON = (
    _field("id", "id", "user id|owner id|id|identifiant|person id|id utilisateur|matricule|employee id"),
    _field(
        "name",
        "text",
        "full name|name|nom complet|nom et prenom|prenom et nom|last name|surname|nom de famille|nom|collaborateur|"
        "salarie|employee|" + _OWNER,
        2,
    ),
    _field("first_name", "text", "first name|firstname|given name|prenom", 1),
    _field("email", "text", "email|e mail|mail|courriel|adresse e mail|adresse email|email address|user email", 2),
    _field(
        "team", "text", "team|team name|equipe|sales team|hubspot team|nom de l equipe|equipe commerciale|service", 3
    ),
    _field(
        "manager",
        "text",
        "manager|manager name|sales manager|responsable d equipe|chef d equipe|chef des ventes|responsable|n 1",
        3,
    ),
    _field("parent", "text", "parent team|equipe parente|direction|division|equipe mere", 1),
    _field("region", "text", _REGION),
    _field("active", "flag", "active|actif|active user|is active|est actif|activated|actif inactif", 2),
    _MODIFIED,
)

PRODUCT = (
    _field("id", "id", "product id|id|id produit|sku|reference|ref|code produit|product code|code article|identifiant"),
    _field("name", "text", "product|product name|produit|nom du produit|article|designation|libelle|name|nom|offre", 3),
    _MODIFIED,
)

CONTRACT = (
    _field(
        "id",
        "id",
        "contract id|contract number|id contrat|numero de contrat|n contrat|n de contrat|contrat|reference|id|ref|"
        "subscription id|id abonnement",
        3,
    ),
    _field("customer", "reference", _CUSTOMER + _CUSTOMER_IDS, 1, "customer"),
    _field(
        "starts_on",
        "date",
        "start date|contract start date|starts on|start|date de debut|debut|date debut|debut du contrat|"
        "date de debut du contrat|debut le|valid from|subscription start|date d effet|contract start",
        3,
    ),
    _field(
        "ends_on",
        "date",
        "end date|contract end date|ends on|end|date de fin|fin|date fin|fin du contrat|date de fin du contrat|"
        "fin le|valid to|valid until|expiry date|expiration date|date d expiration|date d echeance|echeance|"
        "subscription end|contract end|date de resiliation",
        3,
    ),
    _field("amount", "amount", _AMOUNT),
    _CURRENCY,
    _MODIFIED,
)

PURCHASE = (
    _field(
        "id",
        "id",
        "order id|order number|invoice id|invoice number|numero de commande|n commande|n de commande|id commande|"
        "numero de facture|n facture|n de facture|facture|commande|transaction id|purchase id|id|reference",
        2,
    ),
    _field("customer", "reference", _CUSTOMER + _CUSTOMER_IDS, 1, "customer"),
    _field(
        "purchased",
        "date",
        "date|purchase date|order date|invoice date|date d achat|date de commande|date de facture|date achat|"
        "purchased on|ordered on|date facture|date commande|transaction date|date de facturation",
        3,
    ),
    _field("product", "reference", _PRODUCT, 1, "product"),
    _field("amount", "amount", _AMOUNT, 2),
    _CURRENCY,
    _MODIFIED,
)

SPEND = (
    _field("id", "id", "id|reference|ref|expense id|id depense"),
    _field(
        "kind",
        "kind",
        "kind|type|nature|categorie|category|poste|type de depense|spend type|expense type|nature de la depense|budget",
        2,
    ),
    _field(
        "month",
        "month",
        "month|mois|period|periode|date|mois de depense|spend month",
        2,
    ),
    _field("starts_on", "date", "start date|starts on|date de debut|debut|du|from|start|date debut", 2),
    _field("ends_on", "date", "end date|ends on|date de fin|fin|au|to|end|date fin|until", 2),
    _field("origin", "text", _ORIGIN + "|campaign|campagne|levier|platform|plateforme", 1),
    _field(
        "amount",
        "amount",
        _AMOUNT + "|spend|cost|depense|cout|depenses|couts|marketing spend|amount spent|"
        "montant depense|budget depense|expense|expenses",
        2,
    ),
    _CURRENCY,
    _MODIFIED,
)

OBJECTS: dict[str, tuple[Field, ...]] = {
    "person": PERSON,
    "product": PRODUCT,
    "customer": CUSTOMER,
    "lead": LEAD,
    "deal": DEAL,
    "contract": CONTRACT,
    "purchase": PURCHASE,
    "spend": SPEND,
}
"""In the order in which tables are loaded, so that a row can name the rows of an earlier table."""

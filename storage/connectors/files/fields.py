"""What each kind of table may hold: its fields and the headers that name them, in French and English."""

from storage.connectors.files import header_words
from storage.connectors.files.header_words import Field, field

DEAL = (
    field(
        "id",
        "id",
        "opportunity id|deal id|record id|record id deal|id|id de la transaction|id transaction|id opportunite|"
        "id de l opportunite|id affaire|id de l affaire|numero d affaire|n affaire|"
        "n d affaire|no affaire|n opportunite|n d opportunite|numero d opportunite|n devis|numero|reference|ref|"
        "code|guid|identifiant|id de fiche d informations|object id|case safe id",
        2,
    ),
    field(
        "name",
        "text",
        "deal name|opportunity name|deal title|title|name|nom de la transaction|nom de l opportunite|"
        "nom de l affaire|intitule|titre|nom|libelle|objet|affaire|opportunite|deal|opportunity|transaction|sujet",
    ),
    field(
        "status",
        "status",
        "status|deal status|statut|statut de l affaire|statut de l opportunite|resultat|result|etat|outcome|"
        "statut de la transaction|won lost|gagne perdu|issue",
        3,
    ),
    field(
        "stage",
        "status",
        "deal stage|stage|stage name|sales stage|opportunity stage|etape|phase|phase de la transaction|"
        "etape de la transaction|etape de l opportunite|etape de vente|phase de vente|etape du pipeline|"
        "etape de l affaire|step|avancement|pipeline stage",
        3,
    ),
    field("pipeline", "reference", "pipeline|deal pipeline|pipeline name|process|processus|entonnoir", 2, "pipeline"),
    field(
        "customer",
        "reference",
        header_words.CUSTOMER + header_words.CUSTOMER_IDS + "|deal organization|deal contact person",
        1,
        "customer",
    ),
    field(
        "owner",
        "reference",
        header_words.OWNER + "|owner email|email du proprietaire|owner id|id du proprietaire",
        1,
        "person",
    ),
    field("product", "reference", header_words.PRODUCT, 1, "product"),
    field(
        "lead",
        "reference",
        "lead|lead id|mql id|id lead|id piste|id du lead|piste|source lead id|lead reference",
        1,
        "lead",
    ),
    field("segment", "text", header_words.SEGMENT),
    field("origin", "text", header_words.ORIGIN),
    field("amount", "amount", header_words.AMOUNT, 2),
    header_words.CURRENCY,
    field(
        "created",
        "date",
        "create date|created date|created|creation date|created at|created on|date created|engage date|deal created|"
        "date de creation|cree le|creation|add time|date creation|date d ouverture|open date|opened on|opening date|"
        "ouvert le|date ouverture|start date|date de debut|date d entree|creee le|affaire creee|"
        "affaire creee le|cree|creee",
        2,
    ),
    field(
        "closed",
        "date",
        "close date|closed date|closing date|closed|closed at|closed on|date de cloture|date de fermeture|cloture|"
        "cloture le|cloturee le|affaire cloturee le|ferme le|"
        "date cloture|date de fin|fermee le|deal closed on|close time|date de decision|dresult|"
        "date de resultat|deal close date",
        3,
    ),
    field(
        "won_on",
        "date",
        "won date|won on|won time|won at|date won|date gagne|gagnee le|gagne le|date de signature|signature|signe le|"
        "signee le|date de gain|signed on|signature date|date signature|deal won time",
        3,
    ),
    field(
        "lost_on",
        "date",
        "lost date|lost on|lost time|lost at|date perdu|perdue le|perdu le|date de perte|deal lost time",
        3,
    ),
    field(
        "kind",
        "kind",
        "deal type|type|opportunity type|type de transaction|type d opportunite|type d affaire|type de vente|"
        "nature|nature de la vente",
    ),
    header_words.DELETED,
    header_words.MODIFIED,
)

CUSTOMER = (
    field(
        "id",
        "id",
        "customer id|account id|company id|id|id client|code client|numero client|n client|record id|id du compte|"
        "id de l entreprise|identifiant|organization id|code|code tiers|reference client",
    ),
    field("name", "text", header_words.CUSTOMER + "|name|nom|organization name", 2),
    field("segment", "text", header_words.SEGMENT, 2),
    field("origin", "text", header_words.ORIGIN),
    field("region", "text", header_words.REGION),
    header_words.DELETED,
    header_words.MODIFIED,
)

LEAD = (
    field(
        "id",
        "id",
        "lead id|mql id|id lead|id du lead|id piste|id de la piste|n piste|n lead|contact id|record id|id|"
        "identifiant|numero|"
        "id contact|reference",
        2,
    ),
    field(
        "name",
        "text",
        "lead name|full name|name|last name|nom de famille|nom du lead|nom de la piste|lead|piste|prospect|nom|titre|"
        "title|contact|nom du prospect|nom complet|lead title",
    ),
    field("first_name", "text", "first name|firstname|given name|prenom", 1),
    field(
        "created",
        "date",
        "first contact date|create date|created date|created|creation date|created at|created on|date de creation|"
        "cree le|date created|date du premier contact|premier contact|lead created|date d entree|lead date|date",
        2,
    ),
    field(
        "qualified_on",
        "date",
        "qualified date|qualified on|qualification date|date de qualification|qualifie le|date mql|mql date|"
        "became a marketing qualified lead date|date de qualification marketing|date entered marketing qualified lead",
        3,
    ),
    field("qualified", "flag", "qualified|qualifie|is qualified|lead qualifie|est qualifie|mql", 3),
    field("inbound", "flag", "inbound|entrant|is inbound|lead entrant|est entrant", 3),
    field("converted", "flag", "converted|converti|is converted|convertie|est converti|transforme", 3),
    field(
        "converted_on",
        "date",
        "converted date|conversion date|date de conversion|converti le|converted on|converted at",
        3,
    ),
    field("customer", "reference", header_words.CUSTOMER + header_words.CUSTOMER_IDS, 1, "customer"),
    field("owner", "reference", header_words.OWNER + "|owner id|id du proprietaire", 1, "person"),
    field("segment", "text", header_words.SEGMENT),
    field("origin", "text", header_words.ORIGIN, 2),
    header_words.DELETED,
    header_words.MODIFIED,
)

PERSON = (
    field("id", "id", "user id|owner id|id|identifiant|person id|id utilisateur|matricule|employee id"),
    field(
        "name",
        "text",
        "full name|name|nom complet|nom et prenom|prenom et nom|last name|surname|nom de famille|nom|collaborateur|"
        "salarie|employee|" + header_words.OWNER,
        2,
    ),
    field("first_name", "text", "first name|firstname|given name|prenom", 1),
    field("email", "text", "email|e mail|mail|courriel|adresse e mail|adresse email|email address|user email", 2),
    field(
        "team", "text", "team|team name|equipe|sales team|hubspot team|nom de l equipe|equipe commerciale|service", 3
    ),
    field(
        "manager",
        "text",
        "manager|manager name|sales manager|responsable d equipe|chef d equipe|chef des ventes|responsable|n 1",
        3,
    ),
    field("parent", "text", "parent team|equipe parente|direction|division|equipe mere", 1),
    field("region", "text", header_words.REGION),
    field("active", "flag", "active|actif|active user|is active|est actif|activated|actif inactif", 2),
    header_words.MODIFIED,
)

PRODUCT = (
    field("id", "id", "product id|id|id produit|sku|reference|ref|code produit|product code|code article|identifiant"),
    field("name", "text", "product|product name|produit|nom du produit|article|designation|libelle|name|nom|offre", 3),
    header_words.MODIFIED,
)

CONTRACT = (
    field(
        "id",
        "id",
        "contract id|contract number|id contrat|numero de contrat|n contrat|n de contrat|contrat|reference|id|ref|"
        "subscription id|id abonnement",
        3,
    ),
    field("customer", "reference", header_words.CUSTOMER + header_words.CUSTOMER_IDS, 1, "customer"),
    field(
        "starts_on",
        "date",
        "start date|contract start date|starts on|start|date de debut|debut|date debut|debut du contrat|"
        "date de debut du contrat|debut le|valid from|subscription start|date d effet|contract start",
        3,
    ),
    field(
        "ends_on",
        "date",
        "end date|contract end date|ends on|end|date de fin|fin|date fin|fin du contrat|date de fin du contrat|"
        "fin le|valid to|valid until|expiry date|expiration date|date d expiration|date d echeance|echeance|"
        "subscription end|contract end|date de resiliation",
        3,
    ),
    field("amount", "amount", header_words.AMOUNT),
    header_words.CURRENCY,
    header_words.MODIFIED,
)

PURCHASE = (
    field(
        "id",
        "id",
        "order id|order number|invoice id|invoice number|numero de commande|n commande|n de commande|id commande|"
        "numero de facture|n facture|n de facture|facture|commande|transaction id|purchase id|id|reference",
        2,
    ),
    field("customer", "reference", header_words.CUSTOMER + header_words.CUSTOMER_IDS, 1, "customer"),
    field(
        "purchased",
        "date",
        "date|purchase date|order date|invoice date|date d achat|date de commande|date de facture|date achat|"
        "purchased on|ordered on|date facture|date commande|transaction date|date de facturation",
        3,
    ),
    field("product", "reference", header_words.PRODUCT, 1, "product"),
    field("amount", "amount", header_words.AMOUNT, 2),
    header_words.CURRENCY,
    header_words.MODIFIED,
)

SPEND = (
    field("id", "id", "id|reference|ref|expense id|id depense"),
    field(
        "kind",
        "kind",
        "kind|type|nature|categorie|category|poste|type de depense|spend type|expense type|nature de la depense|budget",
        2,
    ),
    field(
        "month",
        "month",
        "month|mois|period|periode|date|mois de depense|spend month",
        2,
    ),
    field("starts_on", "date", "start date|starts on|date de debut|debut|du|from|start|date debut", 2),
    field("ends_on", "date", "end date|ends on|date de fin|fin|au|to|end|date fin|until", 2),
    field("origin", "text", header_words.ORIGIN + "|campaign|campagne|levier|platform|plateforme", 1),
    field(
        "amount",
        "amount",
        header_words.AMOUNT + "|spend|cost|depense|cout|depenses|couts|marketing spend|amount spent|"
        "montant depense|budget depense|expense|expenses",
        2,
    ),
    header_words.CURRENCY,
    header_words.MODIFIED,
)

RATE = (
    field("id", "id", "id|reference|ref"),
    field(
        "base",
        "currency",
        "base|base currency|from|from currency|source currency|devise de base|de|devise source|devise d origine",
        2,
    ),
    field(
        "currency",
        "currency",
        "currency|to|to currency|quote currency|target currency|currency code|iso code|devise|vers|devise cible|"
        "code devise|monnaie",
        2,
    ),
    field("starts_on", "date", "date|day|start date|starts on|from date|valid from|jour|date de debut|depuis|debut", 2),
    field(
        "rate",
        "rate",
        "rate|exchange rate|conversion rate|fx rate|fx|taux|taux de change|taux de conversion|cours|cours de change",
        3,
    ),
    header_words.MODIFIED,
)

OBJECTS: dict[str, tuple[Field, ...]] = {
    "rate": RATE,
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

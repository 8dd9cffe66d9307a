"""What the words of a status or stage column say of a deal: open, won, lost or dormant. In both languages."""

from typing import Literal

from storage.connectors.files.headers import fold

Status = Literal["open", "won", "lost", "dormant"]

STATUSES: tuple[Status, ...] = ("open", "won", "lost", "dormant")

_WORDS: dict[Status, str] = {
    "won": "won|closed won|close won|closedwon|won deal|gagne|gagnee|gagnes|signe|signee|ferme gagne|fermee gagnee|"
    "ferme gagnee|cloture gagnee|cloture gagne|cloturee gagnee|cloture et gagnee|fermee et gagnee|accepte|acceptee|"
    "conclu|conclue|vendu|vendue|contrat signe|devis signe|commande|commandee|success|signed|accepted|win|"
    "affaire gagnee|opportunite gagnee|facture|facturee",
    "lost": "lost|closed lost|close lost|closedlost|lost deal|perdu|perdue|perdus|ferme perdu|fermee perdue|"
    "cloture perdue|cloture perdu|cloturee perdue|fermee et perdue|cloture et perdue|refuse|refusee|abandonne|"
    "abandonnee|abandon|rejete|rejetee|annule|annulee|cancelled|canceled|rejected|declined|abandoned|disqualified|"
    "disqualifie|disqualifiee|sans suite|affaire perdue|opportunite perdue|lose|no decision",
    "dormant": "sleep|sleeping|dormant|dormante|en sommeil|sommeil|endormi|endormie|en veille|veille|on hold|hold|"
    "en pause|pause|gele|gelee|suspendu|suspendue|en attente longue|reporte|reportee|standby|stand by|paused|frozen|"
    "postponed|snoozed|mise en sommeil",
    "open": "open|opened|ouvert|ouverte|en cours|in progress|active|actif|new|nouveau|nouvelle|pending|en attente|"
    "a traiter|working|not started|to do|a faire|encours|ongoing",
}

_STAGES = (
    (10, "prospecting|prospection|prospect|new|nouveau|nouvelle|identification|lead|piste|a contacter|"
         "appointment scheduled|"
         "rendez vous planifie|rendez vous pris|rdv pris|rdv|premier rendez vous|premier contact|contact made|contacte|"
         "contact etabli|contacted|idee|inbox"),
    (20, "qualification|qualified|qualifie|qualifiee|qualified to buy|qualifie pour l achat|qualified lead|a qualifier|"
         "qualification en cours|discovery|decouverte|needs analysis|analyse des besoins|analyse du besoin|"
         "needs defined|"
         "besoins definis|id decision makers|perception analysis|engaging|engaged|engagement|demo|demo scheduled|"
         "demonstration|demo planifiee|presentation|presentation scheduled|presentation planifiee"),
    (40, "value proposition|proposition de valeur|evaluation|etude|chiffrage|decision maker bought in|"
         "decideur convaincu|adhesion du decideur|essai|trial|poc|pilote|audit"),
    (60, "proposal|proposition|proposal made|proposal sent|proposal price quote|proposition envoyee|"
         "proposition commerciale|devis|devis envoye|quote|quote sent|offre|offre envoyee|offre remise|remise d offre"),
    (80, "negotiation|negociation|negotiations started|negotiation review|en negociation|contract sent|contrat envoye|"
         "contract|contrat|closing|signature|en signature|en attente de signature|verbal|accord verbal|"
         "accord de principe|"
         "relance|decision|commit"),
)  # fmt: skip

_UNKNOWN_POSITION = 50
_CLOSED_POSITION = {"won": 90, "lost": 91, "dormant": 92, "open": _UNKNOWN_POSITION}


def stage_of(word: str, declared: dict[str, Status]) -> tuple[Status | None, int]:
    """The status and the place in the funnel of a stage; its status is None where the word says none."""
    folded = fold(word)
    status = declared.get(folded) or _KNOWN.get(folded)
    if status in (None, "open") and folded in _POSITIONS:
        return "open", _POSITIONS[folded]
    return status, _CLOSED_POSITION[status or "open"]


KINDS = {
    "new": "new|new business|nouveau|nouvelle affaire|new customer|nouveau client|nouvelle vente|acquisition|"
    "newbusiness|conquete",
    "upsell": "upsell|up sell|upselling|montee en gamme|upgrade|expansion|extension|vente incitative",
    "cross_sell": "cross sell|crosssell|cross selling|vente croisee|ventes croisees",
    "additional": "additional|existing business|existing customer|existingbusiness|client existant|vente additionnelle|"
    "additionnel|additionnelle|add on|addon|renewal|renouvellement|existing customer upgrade|"
    "existing customer replacement",
}
SPEND_KINDS = {
    "marketing": "marketing|publicite|advertising|ads|communication|pub|evenement|evenements|events|campagne|seo|sea|"
    "salon|"
    "google ads|social ads|contenu|content|depenses marketing|marketing spend",
    "sales": "sales|commercial|commerciale|vente|ventes|salaires commerciaux|sales spend|force de vente|commerciaux|"
    "commissions|depenses commerciales|frais commerciaux|equipe commerciale",
}


def kind_of(word: str, kinds: dict[str, str]) -> str | None:
    """The kind among `KINDS` or `SPEND_KINDS` that a word says."""
    folded = fold(word)
    return next((kind for kind, words in kinds.items() if folded in words.split("|")), None)


_KNOWN = {word: status for status, words in _WORDS.items() for word in words.split("|")}
_POSITIONS = {word: position for position, words in _STAGES for word in words.split("|")}

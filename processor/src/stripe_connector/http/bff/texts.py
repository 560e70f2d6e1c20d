"""What the buy-now pages say, by language."""

# ruff: noqa: RUF001 - French is written with typographic apostrophes
from __future__ import annotations

from msgspec import Struct


class PageTexts(Struct, frozen=True, kw_only=True):
    language: str
    decimal_mark: str
    buy: str
    secure: str
    home: str
    again: str
    order_number: str
    paid_title: str
    paid: str
    processing_title: str
    processing: str
    open_title: str
    open: str
    failed_title: str
    failed: str
    canceled_title: str
    canceled: str
    unknown_title: str
    unknown: str


LANGUAGES = {
    texts.language: texts
    for texts in (
        PageTexts(
            language="en",
            decimal_mark=".",
            buy="Purchase!",
            secure="You pay on a secure page of Stripe.",
            home="Back to the start",
            again="Look again",
            order_number="Order number",
            paid_title="Thank you!",
            paid="Your payment succeeded.",
            processing_title="Your payment is on its way",
            processing="We will confirm it shortly. You need not do anything more.",
            open_title="Not paid yet",
            open="We have not received your payment. The payment page is still open.",
            failed_title="Not paid",
            failed="Your payment did not succeed. Nothing was charged.",
            canceled_title="Payment cancelled",
            canceled="Your payment was cancelled.",
            unknown_title="Nothing to see here",
            unknown="This address does not belong to a payment.",
        ),
        PageTexts(
            language="de",
            decimal_mark=",",
            buy="Jetzt kaufen",
            secure="Sie bezahlen auf einer sicheren Seite von Stripe.",
            home="Zurück zum Anfang",
            again="Erneut nachsehen",
            order_number="Bestellnummer",
            paid_title="Vielen Dank!",
            paid="Ihre Zahlung war erfolgreich.",
            processing_title="Ihre Zahlung ist unterwegs",
            processing="Wir bestätigen sie in Kürze. Sie müssen nichts weiter tun.",
            open_title="Noch nicht bezahlt",
            open="Ihre Zahlung ist nicht eingegangen. Die Bezahlseite ist noch offen.",
            failed_title="Nicht bezahlt",
            failed="Ihre Zahlung ist gescheitert. Es wurde nichts abgebucht.",
            canceled_title="Zahlung abgebrochen",
            canceled="Ihre Zahlung wurde abgebrochen.",
            unknown_title="Hier gibt es nichts zu sehen",
            unknown="Diese Adresse gehört zu keiner Zahlung.",
        ),
        PageTexts(
            language="fr",
            decimal_mark=",",
            buy="Acheter",
            secure="Vous payez sur une page sécurisée de Stripe.",
            home="Retour à l’accueil",
            again="Vérifier à nouveau",
            order_number="Numéro de commande",
            paid_title="Merci\N{NO-BREAK SPACE}!",
            paid="Votre paiement a réussi.",
            processing_title="Votre paiement est en cours",
            processing="Nous le confirmerons sous peu. Vous n’avez rien d’autre à faire.",
            open_title="Pas encore payé",
            open="Nous n’avons pas reçu votre paiement. La page de paiement est encore ouverte.",
            failed_title="Non payé",
            failed="Votre paiement a échoué. Rien n’a été débité.",
            canceled_title="Paiement annulé",
            canceled="Votre paiement a été annulé.",
            unknown_title="Il n’y a rien à voir ici",
            unknown="Cette adresse ne correspond à aucun paiement.",
        ),
    )
}

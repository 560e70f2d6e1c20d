"""What short payment pages say, in six languages: the bank's question, and its result."""

from __future__ import annotations

from msgspec import Struct


class PageTexts(Struct, frozen=True):
    """Texts of one language; each ending says whether money moved and what to do now."""

    language: str
    confirm_title: str
    your_card: str
    your_bank: str
    you_decide: str
    confirm: str
    reject: str
    paid_title: str
    paid: str
    processing_title: str
    processing: str
    failed_title: str
    failed: str
    expired_title: str
    expired: str
    back: str


_TEXTS = (
    PageTexts(
        "en",
        "Confirm your payment of {amount}",
        "Your bank wants to be sure that it is you who pays with the card ending in {last4}.",
        "Your bank asks you to authorize this payment.",
        "In test mode you decide how this ends.",
        "Confirm payment",
        "Reject payment",
        "This order is already paid",
        "There is nothing left to pay here.",
        "Your payment is being processed",
        "You need not pay again. The shop is told as soon as your bank has confirmed the payment.",
        "Your payment did not succeed",
        "Your bank returned the payment: you were not charged."
        " Go back to the shop to pay in another way.",
        "This payment page has expired",
        "You were not charged. To pay, go back to the shop and start the payment again.",
        "Back to the shop",
    ),
    PageTexts(
        "de",
        "Zahlung von {amount} bestätigen",
        "Ihre Bank möchte sicher sein, dass Sie mit der Karte zahlen, die auf {last4} endet.",
        "Ihre Bank bittet Sie, diese Zahlung freizugeben.",
        "Im Testmodus entscheiden Sie, wie es ausgeht.",
        "Zahlung bestätigen",
        "Zahlung ablehnen",
        "Diese Bestellung ist bereits bezahlt",
        "Hier ist nichts mehr zu zahlen.",
        "Ihre Zahlung wird bearbeitet",
        "Sie müssen nicht noch einmal zahlen."
        " Der Shop erfährt es, sobald Ihre Bank die Zahlung bestätigt hat.",
        "Ihre Zahlung ist nicht gelungen",
        "Ihre Bank hat die Zahlung zurückgegeben: Es wurde nichts abgebucht."
        " Gehen Sie zum Shop zurück, um anders zu zahlen.",
        "Diese Zahlungsseite ist abgelaufen",
        "Es wurde nichts abgebucht. Gehen Sie zum Shop zurück und beginnen Sie die Zahlung neu.",
        "Zurück zum Shop",
    ),
    PageTexts(
        "fr",
        "Confirmer votre paiement de {amount}",
        "Votre banque veut s'assurer que c'est bien vous qui payez avec la carte se terminant par"
        " {last4}.",
        "Votre banque vous demande d'autoriser ce paiement.",
        "En mode test, vous choisissez l'issue.",
        "Confirmer le paiement",
        "Refuser le paiement",
        "Cette commande est déjà payée",
        "Il n'y a plus rien à payer ici.",
        "Votre paiement est en cours de traitement",
        "Vous n'avez pas à payer de nouveau."
        " La boutique sera informée dès que votre banque aura confirmé le paiement.",
        "Votre paiement n'a pas abouti",
        "Votre banque a rejeté le paiement : rien n'a été débité."
        " Retournez à la boutique pour payer autrement.",
        "Cette page de paiement a expiré",
        "Rien n'a été débité. Pour payer, retournez à la boutique et recommencez le paiement.",
        "Retour à la boutique",
    ),
    PageTexts(
        "es",
        "Confirme su pago de {amount}",
        "Su banco quiere asegurarse de que es usted quien paga con la tarjeta que acaba"
        " en {last4}.",
        "Su banco le pide que autorice este pago.",
        "En modo de prueba usted decide cómo termina.",
        "Confirmar el pago",
        "Rechazar el pago",
        "Este pedido ya está pagado",
        "Aquí no queda nada por pagar.",
        "Su pago se está procesando",
        "No tiene que pagar de nuevo."
        " La tienda lo sabrá en cuanto su banco haya confirmado el pago.",
        "Su pago no se ha realizado",
        "Su banco ha devuelto el pago: no se le ha cobrado nada."
        " Vuelva a la tienda para pagar de otra forma.",
        "Esta página de pago ha caducado",
        "No se le ha cobrado nada. Para pagar, vuelva a la tienda y empiece el pago de nuevo.",
        "Volver a la tienda",
    ),
    PageTexts(
        "it",
        "Confermi il pagamento di {amount}",
        "La Sua banca vuole essere certa che sia Lei a pagare con la carta che termina"
        " con {last4}.",
        "La Sua banca Le chiede di autorizzare questo pagamento.",
        "In modalità di prova decide Lei come finisce.",
        "Confermare il pagamento",
        "Rifiutare il pagamento",
        "Questo ordine è già pagato",
        "Qui non resta nulla da pagare.",
        "Il pagamento è in corso di elaborazione",
        "Non deve pagare di nuovo."
        " Il negozio lo saprà appena la Sua banca avrà confermato il pagamento.",
        "Il pagamento non è riuscito",
        "La Sua banca ha respinto il pagamento: non è stato addebitato nulla."
        " Torni al negozio per pagare in un altro modo.",
        "Questa pagina di pagamento è scaduta",
        "Non è stato addebitato nulla. Per pagare, torni al negozio e ricominci il pagamento.",
        "Torna al negozio",
    ),
    PageTexts(
        "nl",
        "Bevestig uw betaling van {amount}",
        "Uw bank wil zeker weten dat u het bent die betaalt met de kaart die eindigt op {last4}.",
        "Uw bank vraagt u deze betaling goed te keuren.",
        "In de testmodus bepaalt u hoe dit afloopt.",
        "Betaling bevestigen",
        "Betaling weigeren",
        "Deze bestelling is al betaald",
        "Hier valt niets meer te betalen.",
        "Uw betaling wordt verwerkt",
        "U hoeft niet opnieuw te betalen."
        " De winkel hoort het zodra uw bank de betaling heeft bevestigd.",
        "Uw betaling is niet gelukt",
        "Uw bank heeft de betaling teruggegeven: er is niets afgeschreven."
        " Ga terug naar de winkel om anders te betalen.",
        "Deze betaalpagina is verlopen",
        "Er is niets afgeschreven. Ga terug naar de winkel en begin de betaling opnieuw.",
        "Terug naar de winkel",
    ),
)
_BY_LANGUAGE = {each.language: each for each in _TEXTS}


def page_texts(locale: str) -> PageTexts:
    """The texts in the language of a locale, else in English."""
    return _BY_LANGUAGE.get(locale.partition("-")[0].lower(), _TEXTS[0])

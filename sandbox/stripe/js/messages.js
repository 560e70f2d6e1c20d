const MESSAGES = {
  en: {
    methods: "Payment method", card: "Card", ideal: "iDEAL", sepa_debit: "SEPA Direct Debit",
    number: "Card number", expiry: "Expiry date", cvc: "Security code", country: "Country",
    postcode: "Postcode", iban: "IBAN", holder: "Account holder", email: "Email",
    save: "Save this card for my next purchase", remove: "Remove", expires: "expires",
    ending: "{brand} ending in {last4}", removed: "The card was removed.",
    redirect: "You confirm the payment on your bank’s page and come back here.",
    mandate: "By paying you allow {business} to debit your account once.",
    shop: "the shop", testCards: "Test cards", useTestCard: "Use test card {number}",
    paid: "is paid", asks: "asks for 3-D Secure", declined: "is declined",
    poor: "is declined: insufficient funds", disputed: "is paid, then disputed",
    incompleteNumber: "Your card number is incomplete.", invalidNumber: "Your card number is invalid.",
    incompleteExpiry: "Your card’s expiry date is incomplete.",
    pastExpiry: "Your card’s expiry date is in the past.",
    incompleteCvc: "Your card’s security code is incomplete.",
    incompletePostcode: "Your postcode is incomplete.", invalidIban: "The IBAN you entered is invalid.",
    incompleteHolder: "Enter the name of the account holder.", invalidEmail: "Enter an email address.",
    choose: "Choose how you want to pay.",
    paymentFrame: "Secure payment input frame", expressFrame: "Express payment button frame",
    challenge: "Confirm your payment with your bank", close: "Close", wallet: "Demo Pay",
    payWith: "Pay with Demo Pay", pay: "Pay {amount}", cancel: "Cancel", payTo: "To {business}",
    payingCard: "Card", shipTo: "Ship to", shipping: "Shipping", total: "Total",
    busy: "One moment …", unserviceable: "The shop does not deliver to this address.",
    failed: "The payment failed. Nothing was charged.", checkoutFrame: "Payment page",
    fake: "A wallet of the sandbox: no money moves.",
  },
  de: {
    methods: "Zahlungsart", card: "Karte", ideal: "iDEAL", sepa_debit: "SEPA-Lastschrift",
    number: "Kartennummer", expiry: "Ablaufdatum", cvc: "Prüfnummer", country: "Land",
    postcode: "Postleitzahl", iban: "IBAN", holder: "Kontoinhaber", email: "E-Mail",
    save: "Diese Karte für meinen nächsten Einkauf speichern", remove: "Entfernen", expires: "gültig bis",
    ending: "{brand} mit der Endung {last4}", removed: "Die Karte wurde entfernt.",
    redirect: "Sie bestätigen die Zahlung auf der Seite Ihrer Bank und kommen hierher zurück.",
    mandate: "Mit der Zahlung erlauben Sie {business}, Ihr Konto einmalig zu belasten.",
    shop: "dem Shop", testCards: "Testkarten", useTestCard: "Testkarte {number} verwenden",
    paid: "wird bezahlt", asks: "verlangt 3-D Secure", declined: "wird abgelehnt",
    poor: "wird abgelehnt: keine Deckung", disputed: "wird bezahlt, dann angefochten",
    incompleteNumber: "Die Kartennummer ist unvollständig.", invalidNumber: "Die Kartennummer ist ungültig.",
    incompleteExpiry: "Das Ablaufdatum der Karte ist unvollständig.",
    pastExpiry: "Das Ablaufdatum der Karte liegt in der Vergangenheit.",
    incompleteCvc: "Die Prüfnummer der Karte ist unvollständig.",
    incompletePostcode: "Die Postleitzahl ist unvollständig.", invalidIban: "Die IBAN ist ungültig.",
    incompleteHolder: "Geben Sie den Namen des Kontoinhabers ein.", invalidEmail: "Geben Sie eine E-Mail-Adresse ein.",
    choose: "Wählen Sie eine Zahlungsart.",
    paymentFrame: "Sicherer Eingaberahmen für Zahlungen", expressFrame: "Rahmen der Express-Zahlung",
    challenge: "Bestätigen Sie die Zahlung bei Ihrer Bank", close: "Schließen", wallet: "Demo Pay",
    payWith: "Mit Demo Pay bezahlen", pay: "{amount} bezahlen", cancel: "Abbrechen", payTo: "An {business}",
    payingCard: "Karte", shipTo: "Lieferadresse", shipping: "Versand", total: "Summe",
    busy: "Einen Moment …", unserviceable: "Der Shop liefert nicht an diese Adresse.",
    failed: "Die Zahlung ist fehlgeschlagen. Es wurde nichts abgebucht.", checkoutFrame: "Zahlungsseite",
    fake: "Ein Wallet der Sandbox: Es fließt kein Geld.",
  },
  fr: {
    methods: "Moyen de paiement", card: "Carte", ideal: "iDEAL", sepa_debit: "Prélèvement SEPA",
    number: "Numéro de carte", expiry: "Date d’expiration", cvc: "Code de sécurité", country: "Pays",
    postcode: "Code postal", iban: "IBAN", holder: "Titulaire du compte", email: "E-mail",
    save: "Enregistrer cette carte pour mon prochain achat", remove: "Supprimer", expires: "expire",
    ending: "{brand} se terminant par {last4}", removed: "La carte a été supprimée.",
    redirect: "Vous confirmez le paiement sur la page de votre banque, puis revenez ici.",
    mandate: "En payant, vous autorisez {business} à débiter votre compte une fois.",
    shop: "la boutique", testCards: "Cartes de test", useTestCard: "Utiliser la carte de test {number}",
    paid: "est payée", asks: "demande 3-D Secure", declined: "est refusée",
    poor: "est refusée : fonds insuffisants", disputed: "est payée, puis contestée",
    incompleteNumber: "Votre numéro de carte est incomplet.", invalidNumber: "Votre numéro de carte n’est pas valide.",
    incompleteExpiry: "La date d’expiration de votre carte est incomplète.",
    pastExpiry: "La date d’expiration de votre carte est passée.",
    incompleteCvc: "Le code de sécurité de votre carte est incomplet.",
    incompletePostcode: "Votre code postal est incomplet.", invalidIban: "L’IBAN saisi n’est pas valide.",
    incompleteHolder: "Saisissez le nom du titulaire du compte.", invalidEmail: "Saisissez une adresse e-mail.",
    choose: "Choisissez un moyen de paiement.",
    paymentFrame: "Cadre de saisie sécurisé pour le paiement", expressFrame: "Cadre du paiement express",
    challenge: "Confirmez le paiement auprès de votre banque", close: "Fermer", wallet: "Demo Pay",
    payWith: "Payer avec Demo Pay", pay: "Payer {amount}", cancel: "Annuler", payTo: "À {business}",
    payingCard: "Carte", shipTo: "Livrer à", shipping: "Livraison", total: "Total",
    busy: "Un instant …", unserviceable: "La boutique ne livre pas à cette adresse.",
    failed: "Le paiement a échoué. Rien n’a été débité.", checkoutFrame: "Page de paiement",
    fake: "Un portefeuille du bac à sable : aucun argent ne circule.",
  },
  es: {
    methods: "Método de pago", card: "Tarjeta", ideal: "iDEAL", sepa_debit: "Adeudo SEPA",
    number: "Número de tarjeta", expiry: "Fecha de caducidad", cvc: "Código de seguridad", country: "País",
    postcode: "Código postal", iban: "IBAN", holder: "Titular de la cuenta", email: "Correo electrónico",
    save: "Guardar esta tarjeta para mi próxima compra", remove: "Eliminar", expires: "caduca",
    ending: "{brand} terminada en {last4}", removed: "La tarjeta se ha eliminado.",
    redirect: "Confirmas el pago en la página de tu banco y vuelves aquí.",
    mandate: "Al pagar, permites a {business} cargar tu cuenta una vez.",
    shop: "la tienda", testCards: "Tarjetas de prueba", useTestCard: "Usar la tarjeta de prueba {number}",
    paid: "se paga", asks: "pide 3-D Secure", declined: "se rechaza",
    poor: "se rechaza: fondos insuficientes", disputed: "se paga y luego se impugna",
    incompleteNumber: "El número de tarjeta está incompleto.", invalidNumber: "El número de tarjeta no es válido.",
    incompleteExpiry: "La fecha de caducidad está incompleta.",
    pastExpiry: "La fecha de caducidad ya ha pasado.",
    incompleteCvc: "El código de seguridad está incompleto.",
    incompletePostcode: "El código postal está incompleto.", invalidIban: "El IBAN no es válido.",
    incompleteHolder: "Introduce el nombre del titular de la cuenta.", invalidEmail: "Introduce un correo electrónico.",
    choose: "Elige cómo quieres pagar.",
    paymentFrame: "Marco seguro para el pago", expressFrame: "Marco del pago exprés",
    challenge: "Confirma el pago con tu banco", close: "Cerrar", wallet: "Demo Pay",
    payWith: "Pagar con Demo Pay", pay: "Pagar {amount}", cancel: "Cancelar", payTo: "A {business}",
    payingCard: "Tarjeta", shipTo: "Enviar a", shipping: "Envío", total: "Total",
    busy: "Un momento …", unserviceable: "La tienda no envía a esta dirección.",
    failed: "El pago ha fallado. No se ha cobrado nada.", checkoutFrame: "Página de pago",
    fake: "Un monedero del entorno de pruebas: no se mueve dinero.",
  },
  it: {
    methods: "Metodo di pagamento", card: "Carta", ideal: "iDEAL", sepa_debit: "Addebito diretto SEPA",
    number: "Numero della carta", expiry: "Data di scadenza", cvc: "Codice di sicurezza", country: "Paese",
    postcode: "Codice postale", iban: "IBAN", holder: "Intestatario del conto", email: "E-mail",
    save: "Salva questa carta per il prossimo acquisto", remove: "Rimuovi", expires: "scade",
    ending: "{brand} che termina con {last4}", removed: "La carta è stata rimossa.",
    redirect: "Confermi il pagamento sulla pagina della tua banca e torni qui.",
    mandate: "Pagando autorizzi {business} ad addebitare il tuo conto una volta.",
    shop: "il negozio", testCards: "Carte di prova", useTestCard: "Usa la carta di prova {number}",
    paid: "viene pagata", asks: "chiede 3-D Secure", declined: "viene rifiutata",
    poor: "viene rifiutata: fondi insufficienti", disputed: "viene pagata, poi contestata",
    incompleteNumber: "Il numero della carta è incompleto.", invalidNumber: "Il numero della carta non è valido.",
    incompleteExpiry: "La data di scadenza è incompleta.",
    pastExpiry: "La data di scadenza è passata.",
    incompleteCvc: "Il codice di sicurezza è incompleto.",
    incompletePostcode: "Il codice postale è incompleto.", invalidIban: "L’IBAN non è valido.",
    incompleteHolder: "Inserisci il nome dell’intestatario del conto.", invalidEmail: "Inserisci un indirizzo e-mail.",
    choose: "Scegli come vuoi pagare.",
    paymentFrame: "Riquadro sicuro per il pagamento", expressFrame: "Riquadro del pagamento rapido",
    challenge: "Conferma il pagamento con la tua banca", close: "Chiudi", wallet: "Demo Pay",
    payWith: "Paga con Demo Pay", pay: "Paga {amount}", cancel: "Annulla", payTo: "A {business}",
    payingCard: "Carta", shipTo: "Spedisci a", shipping: "Spedizione", total: "Totale",
    busy: "Un momento …", unserviceable: "Il negozio non consegna a questo indirizzo.",
    failed: "Il pagamento non è riuscito. Nulla è stato addebitato.", checkoutFrame: "Pagina di pagamento",
    fake: "Un portafoglio dell’ambiente di prova: non si muove denaro.",
  },
  nl: {
    methods: "Betaalmethode", card: "Kaart", ideal: "iDEAL", sepa_debit: "SEPA-incasso",
    number: "Kaartnummer", expiry: "Vervaldatum", cvc: "Beveiligingscode", country: "Land",
    postcode: "Postcode", iban: "IBAN", holder: "Rekeninghouder", email: "E-mail",
    save: "Deze kaart bewaren voor mijn volgende aankoop", remove: "Verwijderen", expires: "vervalt",
    ending: "{brand} eindigend op {last4}", removed: "De kaart is verwijderd.",
    redirect: "Je bevestigt de betaling op de pagina van je bank en komt hier terug.",
    mandate: "Door te betalen sta je {business} toe je rekening één keer te belasten.",
    shop: "de winkel", testCards: "Testkaarten", useTestCard: "Testkaart {number} gebruiken",
    paid: "wordt betaald", asks: "vraagt om 3-D Secure", declined: "wordt geweigerd",
    poor: "wordt geweigerd: onvoldoende saldo", disputed: "wordt betaald, daarna betwist",
    incompleteNumber: "Je kaartnummer is onvolledig.", invalidNumber: "Je kaartnummer is ongeldig.",
    incompleteExpiry: "De vervaldatum van je kaart is onvolledig.",
    pastExpiry: "De vervaldatum van je kaart is verstreken.",
    incompleteCvc: "De beveiligingscode van je kaart is onvolledig.",
    incompletePostcode: "Je postcode is onvolledig.", invalidIban: "De IBAN is ongeldig.",
    incompleteHolder: "Vul de naam van de rekeninghouder in.", invalidEmail: "Vul een e-mailadres in.",
    choose: "Kies hoe je wilt betalen.",
    paymentFrame: "Beveiligd invoerveld voor betaling", expressFrame: "Frame voor snel betalen",
    challenge: "Bevestig de betaling bij je bank", close: "Sluiten", wallet: "Demo Pay",
    payWith: "Betalen met Demo Pay", pay: "{amount} betalen", cancel: "Annuleren", payTo: "Aan {business}",
    payingCard: "Kaart", shipTo: "Verzenden naar", shipping: "Verzending", total: "Totaal",
    busy: "Een ogenblik …", unserviceable: "De winkel bezorgt niet op dit adres.",
    failed: "De betaling is mislukt. Er is niets afgeschreven.", checkoutFrame: "Betaalpagina",
    fake: "Een wallet van de sandbox: er beweegt geen geld.",
  },
};

/** @typedef {keyof typeof MESSAGES.en} MessageName */

/** What is said to shoppers, in their language or else in English. */
class Texts {
  /** @param {string} [locale] `auto` for the browser's. */
  constructor(locale = "auto") {
    const wanted = locale === "auto" ? navigator.language : locale;
    const language = wanted.slice(0, 2).toLowerCase();
    this.language = /** @type {keyof typeof MESSAGES} */ (language in MESSAGES ? language : "en");
    this.locale = language in MESSAGES ? wanted : "en";
  }

  /**
   * @param {MessageName} name
   * @param {Record<string, string>} [values] For the places in braces.
   */
  say(name, values = {}) {
    return MESSAGES[this.language][name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  }

  /**
   * @param {number} amount In the currency's smallest unit.
   * @param {string} currency
   */
  money(amount, currency) {
    const format = new Intl.NumberFormat(this.locale, { style: "currency", currency });
    const digits =
      STRIPE_DIGITS[currency.toLowerCase()] ?? format.resolvedOptions().maximumFractionDigits ?? 2;
    return format.format(amount / 10 ** digits);
  }
}

/** @type {Record<string, number>} Where Stripe counts otherwise than the browser. */
const STRIPE_DIGITS = { isk: 2, mga: 0, ugx: 2 };

/** @typedef {{code: string, message: MessageName}} Flaw What is wrong with what was entered. */

/** @type {[brand: string, pattern: RegExp, digits: number][]} */
const CARD_BRANDS = [
  ["amex", /^3[47]/, 15],
  ["diners", /^3(?:0|6|8)/, 14],
  ["jcb", /^35/, 16],
  ["discover", /^6(?:011|5)/, 16],
  ["unionpay", /^62/, 16],
  ["mastercard", /^(?:5[1-5]|2[2-7])/, 16],
  ["visa", /^4/, 16],
];

/** @param {string} text */
function digitsOf(text) {
  return text.replace(/\D/g, "");
}

/** @param {string} number */
function brandOf(number) {
  const [brand, , digits] = CARD_BRANDS.find(([, pattern]) => pattern.test(number)) ?? ["unknown", null, 16];
  return { brand, digits: brand === "diners" && /^30569/.test(number) ? 16 : digits };
}

/** @param {string} number */
function passesLuhn(number) {
  const digits = [...number].reverse().map(Number);
  const sum = digits.reduce((total, digit, index) => {
    const value = index % 2 ? digit * 2 : digit;
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/**
 * @param {string} value
 * @returns {Flaw | null}
 */
function numberFlaw(value) {
  const number = digitsOf(value);
  if (number.length < brandOf(number).digits) {
    return { code: "incomplete_number", message: "incompleteNumber" };
  }
  return passesLuhn(number) ? null : { code: "invalid_number", message: "invalidNumber" };
}

/** @param {string} value Such as "12 / 34". */
function readExpiry(value) {
  const digits = digitsOf(value);
  return { month: Number(digits.slice(0, 2)), year: 2000 + Number(digits.slice(-2)) };
}

/**
 * @param {string} value
 * @returns {Flaw | null}
 */
function expiryFlaw(value) {
  const { month, year } = readExpiry(value);
  const { length } = digitsOf(value);
  if ((length !== 4 && length !== 6) || month < 1 || month > 12) {
    return { code: "incomplete_expiry", message: "incompleteExpiry" };
  }
  const past = new Date(year, month) <= new Date();
  return past ? { code: "invalid_expiry_year_past", message: "pastExpiry" } : null;
}

/**
 * @param {string} value
 * @param {string} number Of the card that the code belongs to.
 * @returns {Flaw | null}
 */
function cvcFlaw(value, number) {
  const wanted = brandOf(digitsOf(number)).brand === "amex" ? 4 : 3;
  return value.length === wanted ? null : { code: "incomplete_cvc", message: "incompleteCvc" };
}

/**
 * @param {string} value
 * @returns {Flaw | null}
 */
function ibanFlaw(value) {
  const valid = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(value.replace(/\s/g, "").toUpperCase());
  return valid ? null : { code: "invalid_iban", message: "invalidIban" };
}

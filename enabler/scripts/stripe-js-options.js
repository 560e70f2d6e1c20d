/**
 * Prints an options type of Stripe.js as JSON: the fields of a hash, the words of an enumeration.
 * `node stripe-js-options.js StripePaymentElementOptions`
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const source = fileURLToPath(import.meta.resolve('@stripe/stripe-js'));
const types = `${dirname(dirname(source))}/dist/index.d.ts`;
const program = ts.createProgram([types], { strict: true, noEmit: true, skipLibCheck: true });
const checker = program.getTypeChecker();
const module = checker.getSymbolAtLocation(program.getSourceFile(types));
const wanted = checker.getExportsOfModule(module).find((each) => each.name === process.argv[2]);

function described(type) {
  const parts = type.isUnion() ? type.types : [type];
  const description = { words: [], fields: null, list: false, other: [] };
  for (const part of parts) {
    if (part.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)) continue;
    if (part.isStringLiteral()) description.words.push(part.value);
    else if (checker.isArrayType(part)) description.list = true;
    else if (
      part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection) &&
      part.getCallSignatures().length === 0
    ) {
      description.fields ??= {};
      for (const field of checker.getPropertiesOfType(part)) {
        description.fields[field.name] = described(checker.getTypeOfSymbol(field));
      }
    } else description.other.push(checker.typeToString(part));
  }
  return description;
}

console.log(JSON.stringify(described(checker.getDeclaredTypeOfSymbol(wanted))));

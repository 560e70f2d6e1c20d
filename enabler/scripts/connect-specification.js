/** Parses a connect.yaml as commercetools Connect does: `node connect-specification.js FILE`. */
import { readFileSync } from 'node:fs';
import { ConnectorSpecificationParser } from '@commercetools-connect/specification';

try {
  await new ConnectorSpecificationParser().parse(readFileSync(process.argv[2], 'utf8'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

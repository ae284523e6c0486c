// AWS's own signer for JavaScript, the oracle of the signature.

import { Signer } from '@aws-sdk/rds-signer';
import { parameters } from './helpers.mjs';

/** The parameters of the token that the SDK makes at `now`; their order differs from ours. */
export async function sdkParameters(t, { region = 'us-east-1', ...options }, now) {
  t.mock.timers.enable({ apis: ['Date'], now });
  try {
    return parameters(await new Signer({ region, ...options }).getAuthToken());
  } finally {
    t.mock.timers.reset();
  }
}

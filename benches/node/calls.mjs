// Prints medians in nanoseconds, as JSON: calls.mjs LOGIN SECONDS. The credentials are those of the
// environment.

import { createRequire } from 'node:module';

const require = createRequire(new URL('../../bindings/node/', import.meta.url));
const rdsSigner = require('@aws-sdk/rds-signer');
const { Signer } = require('./index.cjs');

const login = JSON.parse(process.argv[2]);
const seconds = Number(process.argv[3]);
const credentials = {
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  sessionToken: process.env.AWS_SESSION_TOKEN,
};

/** @param {number[]} times */
function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}

/** @param {{ getAuthToken(): Promise<string> }} signer */
async function awaited(signer, count) {
  const times = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end || times.length < 3) {
    const start = process.hrtime.bigint();
    for (let call = 0; call < count; call += 1) {
      await signer.getAuthToken();
    }
    times.push(Number(process.hrtime.bigint() - start) / count);
  }
  // The first ones are the interpreter's.
  return median(times.slice(Math.floor(times.length / 4)));
}

/** By how much a timer of 1 ms is late that was set just before 10,000 calls. */
async function delay(make) {
  const times = [];
  for (let round = 0; round < 15; round += 1) {
    const signer = await make();
    const start = process.hrtime.bigint();
    const late = new Promise((resolve) => {
      setTimeout(() => resolve(Number(process.hrtime.bigint() - start) - 1e6), 1);
    });
    await Promise.all(Array.from({ length: 10_000 }, () => signer.getAuthToken()));
    times.push(await late);
  }
  return median(times);
}

const given = { ...login, credentials };
const warm = async () => {
  const signer = new Signer(given);
  await signer.getAuthToken();
  return signer;
};

const result = {
  hit: await awaited(await warm(), 10_000),
  sign: await awaited(new Signer({ ...given, cache: false }), 1000),
  'rds-signer': await awaited(new rdsSigner.Signer({ ...given, region: 'us-east-1' }), 100),
  // The credentials are still to be fetched.
  first: await delay(() => {
    const signer = new Signer(login);
    signer.invalidate({ credentials: true });
    return signer;
  }),
  hits: await delay(warm),
  'no cache': await delay(() => new Signer({ ...given, cache: false })),
};
process.stdout.write(JSON.stringify(result));

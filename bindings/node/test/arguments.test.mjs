// Every wrong argument gives an error that names it.

import assert from 'node:assert/strict';
import test from 'node:test';
import vm from 'node:vm';
import { presign, RdsTokenError, Signer } from 'rdstoken';
import { CREDENTIALS, failure, LOGIN, PRESIGN, parameters } from './helpers.mjs';

const SIGNER = { ...LOGIN, credentials: CREDENTIALS };
const LONE_SURROGATES = ['a\ud800', '\udc00a', '\ud800\ud800\udc00'];
const NO_STRINGS = [5432, true, {}, [], ['a'], Symbol('a'), 1n, () => 'a', new String('a')];
const NO_NUMBERS = ['5432', '', true, {}, [1], Symbol('a'), 5432n, () => 1, new Date(1)];
const NO_WHOLE_NUMBERS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5];
const NO_OBJECTS = ['a', 1, true, Symbol('a'), 1n];
const NO_DATES = [0, '2026-01-01', {}, true, 1n, [], { getTime: () => 0 }];
const ABSENT = [undefined, null];

/** Wrong values of an option, for `new Signer` and `presign` alike. */
const BOTH = {
  hostname: [...ABSENT, ...NO_STRINGS, ...LONE_SURROGATES, '', 'a\0b', 'https://db.example.com'],
  port: [...ABSENT, ...NO_NUMBERS, ...NO_WHOLE_NUMBERS, 0, -0, -1, 65_536, 70_000, 1e300, -1e300],
  username: [...ABSENT, ...NO_STRINGS, ...LONE_SURROGATES, '', 'a\0b', 'u'.repeat(256)],
  region: [...NO_STRINGS, ...LONE_SURROGATES, '', 'a\0b', 'us-east-1a', 'US-EAST-1', 'global'],
  expiresIn: [...NO_NUMBERS, ...NO_WHOLE_NUMBERS, 0, -1, 901, 2 ** 53, 2 ** 64 + 900_000, -1e300],
  credentials: [...NO_OBJECTS, () => CREDENTIALS, async () => CREDENTIALS],
};

const OF_CREDENTIALS = {
  accessKeyId: [...ABSENT, ...NO_STRINGS, ...LONE_SURROGATES, '', 'A\0', 'A\n', 'A'.repeat(129)],
  secretAccessKey: [...ABSENT, ...NO_STRINGS, ...LONE_SURROGATES, '', 'S\0', 'S '],
  sessionToken: [...NO_STRINGS, ...LONE_SURROGATES, 'T\0', 'T\n', 'T'.repeat(65_537)],
  expiration: [...NO_DATES, new Date(Number.NaN)],
};

function refuses(make, field, value) {
  assert.throws(make, (error) => {
    assert.ok(error instanceof RdsTokenError, `${field}: ${typeof value}: ${error}`);
    return failure('InvalidArgument', field)(error);
  });
}

for (const [face, make, good] of [
  ['new Signer', (options) => new Signer(options), SIGNER],
  ['presign', presign, PRESIGN],
]) {
  test(`${face}: the good options are good`, () => {
    make(good);
  });

  test(`${face}: no options`, () => {
    for (const value of [...ABSENT, ...NO_OBJECTS, () => good]) {
      refuses(() => make(value), 'options', value);
    }
    refuses(() => make({}), 'hostname');
    refuses(() => make([]), 'hostname');
  });

  test(`${face}: a misspelt option is a missing one`, () => {
    const { hostname: host, ...rest } = good;
    refuses(() => make({ ...rest, host }), 'hostname');
  });

  for (const [field, values] of Object.entries(BOTH)) {
    test(`${face}: ${field}`, () => {
      for (const value of values) {
        refuses(() => make({ ...good, [field]: value }), field, value);
      }
    });
  }

  for (const [field, values] of Object.entries(OF_CREDENTIALS)) {
    test(`${face}: credentials.${field}`, () => {
      for (const value of values) {
        const credentials = { ...CREDENTIALS, [field]: value };
        refuses(() => make({ ...good, credentials }), field, value);
      }
    });
  }

  test(`${face}: credentials that are something else`, () => {
    for (const value of [[], {}, new Date(), Promise.resolve(CREDENTIALS)]) {
      refuses(() => make({ ...good, credentials: value }), 'accessKeyId', value);
    }
  });

  test(`${face}: undefined and null are no region and no expiry`, () => {
    for (const value of ABSENT) {
      make({ ...good, region: value, expiresIn: value });
      make({ ...good, credentials: { ...CREDENTIALS, sessionToken: value, expiration: value } });
    }
  });

  test(`${face}: what a getter throws comes through`, () => {
    const fault = new RangeError('of the caller');
    const options = Object.defineProperty({ ...good }, 'port', {
      get() {
        throw fault;
      },
    });
    assert.throws(
      () => make(options),
      (error) => error === fault,
    );
  });
}

test('presign: credentials must be there', () => {
  for (const value of ABSENT) {
    refuses(() => presign({ ...PRESIGN, credentials: value }), 'credentials', value);
  }
});

test('presign: signingTime', () => {
  const latest = new Date(8.64e15);
  const earliest = new Date(-8.64e15);
  const invalid = new Date('not a date');
  for (const value of [...ABSENT, ...NO_DATES, invalid, new Date(-1), earliest, latest]) {
    refuses(() => presign({ ...PRESIGN, signingTime: value }), 'signingTime', value);
  }
});

test('presign: a Date of another realm is a Date', () => {
  const milliseconds = PRESIGN.signingTime.getTime();
  const value = vm.runInNewContext(`new Date(${milliseconds})`);
  assert.ok(!(value instanceof Date));
  assert.equal(presign({ ...PRESIGN, signingTime: value }), presign(PRESIGN));
});

test('presign: a Date that lies about itself', () => {
  const value = new Date(PRESIGN.signingTime);
  value.getTime = () => 'never';
  assert.equal(presign({ ...PRESIGN, signingTime: value }), presign(PRESIGN));
});

test('presign: the fraction of a second is dropped', () => {
  const value = new Date(PRESIGN.signingTime.getTime() + 999);
  assert.equal(presign({ ...PRESIGN, signingTime: value }), presign(PRESIGN));
});

test('presign: 900 seconds unless given', () => {
  assert.equal(parameters(presign(PRESIGN))['X-Amz-Expires'], '900');
  assert.equal(parameters(presign({ ...PRESIGN, expiresIn: 1 }))['X-Amz-Expires'], '1');
});

test('presign: well-formed text beyond ASCII is taken', () => {
  for (const username of ['müller', 'db🔑', '\u{10ffff}', '\ufffd']) {
    assert.equal(parameters(presign({ ...PRESIGN, username })).DBUser, username);
  }
});

test('new Signer: timeout', () => {
  for (const value of [...NO_NUMBERS, ...NO_WHOLE_NUMBERS, 0, -1, 3_600_001, 2 ** 53, 1e300]) {
    refuses(() => new Signer({ ...SIGNER, timeout: value }), 'timeout', value);
  }
  for (const value of [...ABSENT, 1, 3_600_000]) {
    assert.ok(new Signer({ ...SIGNER, timeout: value }));
  }
});

test('new Signer: profile', () => {
  for (const value of [...NO_STRINGS, ...LONE_SURROGATES, '', 'a\0b', 'p'.repeat(1025)]) {
    refuses(() => new Signer({ ...LOGIN, profile: value }), 'profile', value);
  }
  refuses(() => new Signer({ ...SIGNER, profile: 'one or the other' }), 'profile');
  for (const value of ABSENT) {
    assert.ok(new Signer({ ...SIGNER, profile: value }));
    assert.ok(new Signer({ ...LOGIN, credentials: value, profile: 'some' }));
  }
});

test('a method torn from its signer fails in an orderly way', async () => {
  const { getAuthToken } = new Signer(SIGNER);
  await assert.rejects(getAuthToken(), TypeError);
  await assert.rejects(getAuthToken.call({}), TypeError);
});

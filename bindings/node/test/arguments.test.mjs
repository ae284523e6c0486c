// Every wrong argument gives an error that names it.

import assert from 'node:assert/strict';
import test from 'node:test';
import vm from 'node:vm';
import { presign, RdsTokenError, Signer, setLogger } from 'rdstoken';
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
  credentials: NO_OBJECTS,
};

const ROLE = { roleArn: 'arn:aws:iam::123456789012:role/app' };
const NO_BOOLEANS = [0, 1, 'true', '', {}, [], Symbol('a'), 1n, () => true, new Boolean(true)];
const NO_SECONDS = [...NO_NUMBERS, ...NO_WHOLE_NUMBERS, -1, 2 ** 53, 1e300, -1e300];

/** Wrong and right values of an option that only `new Signer` has. */
const OF_SIGNER = {
  roleArn: {
    wrong: [...NO_STRINGS, ...LONE_SURROGATES, '', 'app', 'arn:aws:iam::123456789012:user/app'],
    right: [ROLE.roleArn, 'arn:aws-cn:iam::123456789012:role/path/app'],
  },
  roleSessionName: {
    with: ROLE,
    wrong: [...NO_STRINGS, ...LONE_SURROGATES, '', 'a', 'a b', 'a'.repeat(65)],
    right: ['app', 'a'.repeat(64)],
  },
  externalId: {
    with: ROLE,
    wrong: [...NO_STRINGS, ...LONE_SURROGATES, '', 'a', 'a b', 'a'.repeat(1225)],
    right: ['a:/b', 'a'.repeat(1224)],
  },
  timeout: { wrong: [...NO_SECONDS, 0, 3_600_001], right: [1, 3_600_000] },
  minValidity: { wrong: [...NO_SECONDS, 900], right: [0, 899] },
  align: { wrong: [...NO_SECONDS, 601], right: [0, 1, 600] },
  cache: { wrong: NO_BOOLEANS, right: [true, false] },
  advisoryWindow: { wrong: [...NO_SECONDS, 43_201], right: [60, 43_200] },
  mandatoryWindow: { wrong: [...NO_SECONDS, 301], right: [0, 300] },
  warnHostname: { wrong: NO_BOOLEANS, right: [true, false] },
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

for (const [field, { with: others, wrong, right }] of Object.entries(OF_SIGNER)) {
  test(`new Signer: ${field}`, () => {
    for (const value of wrong) {
      refuses(() => new Signer({ ...SIGNER, ...others, [field]: value }), field, value);
    }
    for (const value of [...ABSENT, ...right]) {
      assert.ok(new Signer({ ...SIGNER, ...others, [field]: value }));
    }
  });
}

test('new Signer: options that do not go together', () => {
  const credentials = () => CREDENTIALS;
  refuses(() => new Signer({ ...LOGIN, credentials, profile: 'one or the other' }), 'profile');
  refuses(() => new Signer({ ...SIGNER, roleSessionName: 'app' }), 'roleSessionName');
  refuses(() => new Signer({ ...SIGNER, externalId: 'id' }), 'externalId');
  refuses(() => new Signer({ ...SIGNER, expiresIn: 60, minValidity: 60 }), 'minValidity');
  refuses(() => new Signer({ ...SIGNER, align: 600, minValidity: 301 }), 'align');
  refuses(() => new Signer({ ...SIGNER, advisoryWindow: 59 }), 'mandatoryWindow');
});

test('new Signer: credentials may be a function, which is not called yet', () => {
  const credentials = () => assert.fail('it was called');
  assert.ok(new Signer({ ...LOGIN, credentials }));
});

test('presign: credentials may not be a function', () => {
  for (const value of [() => CREDENTIALS, async () => CREDENTIALS]) {
    refuses(() => presign({ ...PRESIGN, credentials: value }), 'credentials', value);
  }
});

test('invalidate', () => {
  const signer = new Signer(SIGNER);
  for (const value of NO_BOOLEANS) {
    refuses(() => signer.invalidate({ credentials: value }), 'credentials', value);
  }
  for (const value of NO_OBJECTS) {
    refuses(() => signer.invalidate(value), 'options', value);
  }
  for (const value of [...ABSENT, {}, { credentials: null }, { credentials: false }]) {
    assert.equal(signer.invalidate(value), undefined);
  }
});

test('setLogger', () => {
  for (const value of [undefined, ...NO_OBJECTS, {}, []]) {
    refuses(() => setLogger(value), 'logger', value);
  }
  for (const value of [null, '', 'trace', 'WARN', 'off', 1, {}, Symbol('a')]) {
    refuses(() => setLogger(() => undefined, value), 'level', value);
  }
  assert.equal(setLogger(null), undefined);
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

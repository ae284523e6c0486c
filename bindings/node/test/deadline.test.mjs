// A source that never answers: the deadline holds, and the event loop runs on.

import assert from 'node:assert/strict';
import test from 'node:test';
import { failure, fresh, LOGIN, silentEndpoint } from './helpers.mjs';

test('a silent source costs the timeout, and never the event loop', async (t) => {
  await silentEndpoint(t);
  let ticks = 0;
  const ticking = setInterval(() => {
    ticks += 1;
  }, 10);
  t.after(() => clearInterval(ticking));

  const start = performance.now();
  const pending = fresh({ ...LOGIN, timeout: 600 }).getAuthToken();
  assert.ok(performance.now() - start < 300, 'the call itself waited');
  await assert.rejects(pending, failure('Timeout'));

  const took = performance.now() - start;
  assert.ok(took >= 590, `gave up after ${took} ms`);
  assert.ok(took < 3000, `took ${took} ms`);
  // 60 on an idle machine, 1 had the loop been blocked.
  assert.ok(ticks >= 15, `${ticks} ticks in ${took} ms`);
});

test('the deadline is 5 seconds unless given', async (t) => {
  await silentEndpoint(t);
  const start = performance.now();
  await assert.rejects(fresh(LOGIN).getAuthToken(), (error) => {
    failure('Timeout')(error);
    assert.match(error.message, /within 5 s/u);
    return true;
  });
  const took = performance.now() - start;
  assert.ok(took >= 4990 && took < 8000, `took ${took} ms`);
});

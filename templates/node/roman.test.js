import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roman } from './roman.js';

test('small numbers', () => {
  assert.equal(roman(4), 'IV');
  assert.equal(roman(14), 'XIV');
});

test('a year', () => assert.equal(roman(1944), 'MCMXLIV'));

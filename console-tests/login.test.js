// The console of a broker that lets in only whom it knows, over TLS, in a real browser.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Broker, launch, picture, run } from './broker.js';

const data = mkdtempSync(join(tmpdir(), 'spillway-login-'));
const secure = join(data, 'secure');
const broker = new Broker('--config', join(secure, 'spillway.yaml'), '--data-dir', join(data, 'broker'));
const WAIT_MS = 10_000;
const PASSWORD = 'correct horse battery';

let browser;

/** A command of the operator. */
function admin(input, ...args) {
  return run(input, ...args, '--tls-authority', join(secure, 'authority.pem'), '--tls-certificate', join(secure, 'admin.pem'),
    '--tls-key', join(secure, 'admin.key'));
}

/** A page of somebody who has nothing to do with the others'. */
async function visit(credentials, place) {
  const page = await (await browser.createBrowserContext()).newPage();
  await page.authenticate(credentials);
  const answer = await page.goto(`https://${broker.http}/console/${place}`);
  assert.equal(answer.status(), 200);
  return page;
}

function see(page, ...words) {
  return page.waitForFunction((all) => all.every((each) => document.body.innerText.includes(each)), { timeout: WAIT_MS }, words);
}

/** Clicks a button that wants a reason, and gives it. */
async function press(page, words, reason) {
  const button = await page.waitForFunction((text) => [...document.querySelectorAll('main button')]
    .find((each) => each.innerText.trim() === text && !each.disabled), { timeout: WAIT_MS }, words);
  await button.click();
  await page.waitForSelector('dialog[open] [name=reason]', { timeout: WAIT_MS });
  await page.type('dialog[open] [name=reason]', reason);
  await page.click('dialog[open] [type=submit]');
}

before(async () => {
  await run('', 'secure', 'init', '--directory', secure);
  await broker.start();
  await admin('', 'topic', 'create', 'orders', '--endpoint', broker.wire);
  await admin('', 'topic', 'create', 'salaries', '--endpoint', broker.wire);
  await admin('a secret\n', 'publish', 'salaries', '--endpoint', broker.wire);
  await admin(`${PASSWORD}\n`, 'user', 'add', 'viewer', '--http', broker.http);
  await admin('', 'acl', 'add', 'viewer', 'allow', 'describe', 'cluster', '--http', broker.http);
  await admin('', 'acl', 'add', 'viewer', 'allow', 'describe', 'topic:orders', '--http', broker.http);
  browser = await launch('--ignore-certificate-errors');
});

after(async () => {
  await browser?.close();
  await broker.stop();
  rmSync(data, { recursive: true, force: true });
});

/** The status of a request without a browser, which would ask a person for a password. */
function status(credentials) {
  return new Promise((resolve, reject) => {
    const headers = credentials ? { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } : {};
    get(`https://${broker.http}/console/`, { headers, rejectUnauthorized: false }, (answer) => {
      answer.resume();
      resolve([answer.statusCode, answer.headers['www-authenticate'] ?? '']);
    }).on('error', reject);
  });
}

test('who proves nothing, or something wrong, is shown nothing but asked for a password', async () => {
  for (const credentials of [null, 'viewer:not the password', `nobody:${PASSWORD}`]) {
    const [code, asks] = await status(credentials);
    assert.equal(code, 401, String(credentials));
    assert.match(asks, /^Basic realm="spillway"/);
  }
});

test('the operator sees and changes', async () => {
  const password = readFileSync(join(secure, 'admin.password'), 'utf8').trim();
  const page = await visit({ username: 'admin', password }, '#/topics/orders');
  await press(page, 'Pause publishing', 'too much traffic');
  await see(page, 'publishing paused', 'too much traffic');
  await picture(page, 'login-operator');
  await page.close();
});

test('who may only look is told why he changes nothing, and reads no records', async () => {
  const page = await visit({ username: 'viewer', password: PASSWORD }, '#/topics/orders');
  await press(page, 'Resume publishing', 'it is over');
  await see(page, 'viewer may not alter topic orders', 'Why:', 'Next:');
  await picture(page, 'login-viewer-refused');
  await page.close();

  const records = await visit({ username: 'viewer', password: PASSWORD }, '#/records/salaries?partition=0&offset=0');
  await see(records, 'viewer may not', 'salaries', 'Next:');
  assert.ok(!(await records.evaluate(() => document.body.innerText)).includes('a secret'));
  await picture(records, 'login-viewer-records');
  await records.close();
});

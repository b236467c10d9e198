// The console in a real browser, against a broker of its own: clicks, pictures, a thousand topics, a broker that goes and comes
// back. Pictures are in build/console-tests.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Broker, launch, picture as pictureOf, run } from './broker.js';

const data = mkdtempSync(join(tmpdir(), 'spillway-console-'));
const broker = new Broker('--data-dir', join(data, 'broker'));
const TOPICS = 1_000;
const WAIT_MS = 10_000;

let browser;
let page;
const faults = [];

async function change(path) {
  const answer = await fetch(`http://${broker.http}/api/${path}`, { method: 'POST', headers: { 'X-Spillway-Request': 'test' } });
  assert.equal(answer.status, 200, `${path}: ${await answer.text()}`);
}

/** Waits for words in the page. */
function see(...words) {
  return page.waitForFunction((all) => all.every((each) => document.body.innerText.includes(each)), { timeout: WAIT_MS }, words);
}

function unsee(words) {
  return page.waitForFunction((each) => !document.querySelector('main').innerText.includes(each), { timeout: WAIT_MS }, words);
}

async function open(place) {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, place);
}

/** Clicks what has these words, below a place. */
async function click(words, below = 'main') {
  const found = await page.waitForFunction((text, root) => [...document.querySelectorAll(`${root} button, ${root} a`)]
    .find((each) => each.innerText.trim() === text && !each.disabled), { timeout: WAIT_MS }, words, below);
  await found.click();
}

async function send(reason) {
  await page.waitForSelector('dialog[open] [name=reason]', { timeout: WAIT_MS });
  await page.type('dialog[open] [name=reason]', reason);
  await page.click('dialog[open] [type=submit]');
  await page.waitForFunction(() => !document.querySelector('dialog[open]'), { timeout: WAIT_MS });
}

function picture(name) {
  return pictureOf(page, name);
}

before(async () => {
  await broker.start();
  browser = await launch();
  page = await browser.newPage();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.text().includes('Content Security Policy') && faults.push(message.text()));
  page.on('request', (request) => /^(data|chrome)/.test(request.url()) || request.url().startsWith(`http://${broker.http}/`) || faults.push(`asks elsewhere: ${request.url()}`));
  await page.setViewport({ width: 1360, height: 900 });
  const names = Array.from({ length: TOPICS - 2 }, (_, i) => `svc-${String(i).padStart(4, '0')}.events`);
  await change('topic/create?topic=orders&partitions=2&reason=test');
  await change('topic/create?topic=orders.dlq&partitions=1&reason=test');
  for (let i = 0; i < names.length; i += 8) {
    await Promise.all(names.slice(i, i + 8).map((name) => change(`topic/create?topic=${name}&partitions=1&reason=test`)));
  }
  await change('group/create?topic=orders&group=billing&start=earliest&reason=test');
  const records = Array.from({ length: 120 }, (_, i) => `{"id":${i},"note":"<b>record</b> ${i}"}`).join('\n');
  await run(`${records}\n`, 'publish', 'orders', '--endpoint', broker.wire, '--key-regex', '"id":(\\d+)', '--header', 'type=order');
  await run('{"id":7}\n{"id":9}\n', 'publish', 'orders.dlq', '--endpoint', broker.wire, ...['cause=MAX_DELIVERIES', 'topic=orders', 'partition=0', 'offset=7',
    'group=billing', 'error=timeout'].flatMap((each) => ['--header', `spillway-dlq-${each}`]));
  // A network that changes while the page loads is no fault of the page.
  for (let i = 0; i < 5; i++) {
    try {
      await page.goto(`http://${broker.http}/`);
      await page.waitForSelector('#nav a', { timeout: 3_000 });
      break;
    } catch (error) {
      console.log(`again: ${error.message}`);
    }
  }
});

after(async () => {
  await browser?.close();
  await broker.stop();
  rmSync(data, { recursive: true, force: true });
});

test('the overview says how the broker is, in light and dark and at a narrow width', async () => {
  await see('Overview', 'ready', 'Records a second', 'This broker stands alone', '1,000');
  await picture('overview-light');
  await page.click('#theme');
  await page.click('#theme');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await picture('overview-dark');
  await page.setViewport({ width: 420, height: 900 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'it scrolls sideways');
  await picture('overview-narrow');
  await page.setViewport({ width: 1360, height: 900 });
});

test('a thousand topics are paged, found and ordered', async () => {
  await click('Topics', 'nav');
  await see('1–100 of 1,000');
  assert.equal(await page.$$eval('main tbody tr', (rows) => rows.length), 100);
  await click('Next');
  await see('101–200 of 1,000');
  await page.keyboard.press('/');
  await page.keyboard.type('0742');
  await see('1–1 of 1', 'svc-0742.events');
  await picture('topics-found');
  await page.$eval('main input[type=search]', (input) => {
    input.value = '';
    input.dispatchEvent(new Event('input'));
  });
  await see('1–100 of 1,000');
  await click('Backlog');
  await page.waitForFunction(() => document.querySelector('main tbody tr')?.innerText.includes('orders'), { timeout: WAIT_MS });
  await picture('topics');
});

test('a topic is paused with a reason, from the keyboard, and goes on', async () => {
  await open('#/topics/orders');
  await see('billing', 'Partitions', 'durability');
  await click('Pause publishing');
  await page.waitForSelector('dialog[open]');
  await picture('topic-pause');
  await send('too much traffic');
  await see('publishing paused', 'too much traffic', 'Resume publishing');
  await picture('topic-paused');
  await click('Resume publishing');
  await send('it is over');
  await unsee('publishing paused');
});

test('a group is shown with its lag, paused, and moved after it was shown what would move', async () => {
  await open('#/groups');
  await see('billing', '120');
  await open('#/groups/orders/billing');
  await see('Nobody: records wait.', 'Settled below');
  await click('Pause');
  await send('poison in the feed');
  await see('It is paused', 'poison in the feed');
  await picture('group-paused');
  await click('Resume');
  await send('clean again');
  await unsee('It is paused');
  await click('Seek');
  await page.waitForSelector('dialog[open] [name=kind]');
  await page.select('dialog[open] [name=kind]', 'latest');
  await page.click('dialog[open] [type=submit]');
  await see('Move billing?', 'skipped');
  await picture('group-seek');
  await send('skip them');
  await page.waitForFunction(() => document.querySelector('.tile b')?.innerText === '0', { timeout: WAIT_MS });
});

test('records are browsed by offset and shown whole, as text and never as markup', async () => {
  await open('#/records/orders?partition=0&offset=0');
  await see('<b>record</b>');
  assert.equal(await page.$$eval('main b', (found) => found.length), 0, 'a value became markup');
  await page.focus('main tbody tr.opens');
  await page.keyboard.press('Enter');
  await see('Headers', 'type', 'order', 'place');
  await click('Hex', 'aside');
  await see('000000');
  await picture('record-hex');
  await click('JSON', 'aside');
  await see('"note"');
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await picture('record');
  await click('Newest');
  await see('Offsets');
});

test('a replay is planned, started, and seen to its end', async () => {
  await open('#/replays');
  await click('New plan');
  await page.waitForSelector('dialog[open] [name=topic]');
  await page.type('dialog[open] [name=topic]', 'orders');
  await send('after the incident');
  await see('p-', 'ready', '120');
  await click('Start');
  await page.waitForSelector('dialog[open] [name=name]');
  await page.select('dialog[open] [name=target]', 'new-group');
  await page.type('dialog[open] [name=name]', 'again');
  await send('after the incident');
  await see('j-', 'new-group:again');
  await picture('replays');
});

test('dead letters are browsed, and brought back after they were counted', async () => {
  await open('#/deadletters');
  await see('orders');
  await open('#/deadletters/orders.dlq');
  await see('max deliveries', 'orders/0@7', 'billing', 'timeout');
  await picture('dead-letters');
  await click('Redrive');
  await page.waitForSelector('dialog[open] [name=cause]');
  await page.click('dialog[open] [type=submit]');
  await see('Redrive 2 dead letters?');
  await send('the bank is back');
  await see('the bank is back', 'origin', '2 / 2');
});

test('toggles, quotas, links and the audit are shown and changed', async () => {
  await open('#/quotas');
  await click('New quota');
  await page.waitForSelector('dialog[open] [name=rate]');
  await page.click('dialog[open] [type=submit]');
  await see('any other', '1 MiB/s');
  await open('#/toggles');
  await see('Toggle', 'default:');
  await picture('toggles');
  await open('#/links');
  await see('No link ends here.');
  await open('#/audit');
  await see('topic.pause', 'group.seek', 'too much traffic', 'replay.start');
  await picture('audit');
});

test('a refusal says what, why and what next', async () => {
  await open('#/topics/no-such-topic');
  await see('Why:', 'Next:');
});

test('a broker that goes away is said to be gone, and the page goes on by itself when it is back', async () => {
  await open('#/');
  await see('Largest backlogs');
  const gone = see('does not answer', 'broker gone');
  await broker.stop();
  await gone;
  await picture('gone');
  await broker.start();
  await page.waitForFunction(() => document.querySelector('#gone').hidden && document.querySelector('#line').innerText.includes('live'),
    { timeout: WAIT_MS });
  await open('#/topics');
  await see('1–100 of 1,00');
});

test('nothing failed in the page, and it asked nobody else', () => {
  assert.deepEqual(faults, []);
});

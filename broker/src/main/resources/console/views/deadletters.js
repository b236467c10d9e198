// What groups gave up: which topics have dead letters, why each is there, and the way back.

import { h, put } from '../dom.js';
import { get, post, Refused } from '../api.js';
import { bytes, count, decode, plural, time } from '../format.js';
import { badge, button, crumbs, failed, heading, link, refusal, to, toast } from '../parts.js';
import { ask, REASON } from '../dialog.js';
import { pager, table } from '../table.js';
import { whole } from './records.js';

const LIMIT = 50;
const CAUSES = ['MAX_DELIVERIES', 'LEASE_EXPIRED', 'MEMBERS_FAILED', 'TERMINATED', 'POISON', 'EXPIRED'];
const PREFIX = 'spillway-dlq-';

export function deadLetters(root, context) {
  return context.parts[1] ? one(root, context, context.parts[1]) : list(root, context);
}

function list(root, context) {
  const pages = pager(100, () => asking.now());
  const all = table([
    { label: 'Dead letters of', sort: 'name', cell: (row) => link(to.deadLetters(row.name), row.name.replace(/\.dlq$/, '')) },
    { label: 'Kept', number: true, sort: 'records', cell: (row) => count(row.records) },
    { label: 'Come / s', number: true, sort: 'published', cell: (row) => String(row.published) },
    { label: 'Stored', number: true, sort: 'bytes', cell: (row) => bytes(row.bytes) },
  ], {
    key: (row) => row.name, caption: 'Dead letters', empty: 'No group has given up a record.', sort: { by: 'records', ascending: false },
    onsort: () => asking.now(), onopen: (row) => {
      location.hash = to.deadLetters(row.name);
    },
  });
  root.append(heading('Dead letters'), h('div', { class: 'bar-line' }, h('span', { class: 'grow' }), pages.element),
    h('div', { class: 'panel' }, all.element));
  const asking = context.poll('/api/topics', () => ({
    kind: 'dlq', sort: all.sort.by, order: all.sort.ascending ? 'asc' : 'desc', from: pages.from(), limit: 100,
  }), 2_000, (now) => {
    all.update(now.topics);
    pages.update(now.found);
  });
}

function why(record) {
  return Object.fromEntries(record.headers.filter((header) => header.name.startsWith(PREFIX)).map((header) =>
    [header.name.slice(PREFIX.length), new TextDecoder().decode(decode(header.value))]));
}

function one(root, context, topic) {
  let page = null;
  let open = null;
  const words = h('p', { class: 'dim' });
  const aside = h('aside', { class: 'panel', 'aria-label': 'Dead letter', hidden: true });
  const older = h('button', { type: 'button', 'data-key': 'n', onclick: () => go(Math.max(page.start, first() - LIMIT)) }, 'Older');
  const newer = h('button', { type: 'button', 'data-key': 'p', onclick: () => go(last() + 1) }, 'Newer');
  const all = table([
    { label: 'Offset', number: true, cell: (row) => count(row.offset) },
    { label: 'Given up', cell: (row) => time(row.append_ms) },
    { label: 'Cause', cell: (row) => badge('bad', (row.why.cause ?? 'published here').toLowerCase().replaceAll('_', ' ')) },
    { label: 'From', cell: (row) => (row.why.topic
      ? link(to.records(row.why.topic, `?partition=${row.why.partition}&offset=${row.why.offset}`), `${row.why.topic}/${row.why.partition}@${row.why.offset}`) : '–') },
    { label: 'Group', minor: true, cell: (row) => row.why.group ?? '–' },
    { label: 'Attempts', number: true, minor: true, cell: (row) => row.why.attempts ?? '–' },
    { label: 'Last error', wide: true, cell: (row) => row.why.error || '–' },
  ], { key: (row) => String(row.offset), caption: 'Dead letters', empty: 'No dead letters here.', onopen: look, mark: (row) => row.offset === open });
  const split = h('div', { class: 'split' }, h('div', { class: 'panel' }, all.element), aside);
  root.append(crumbs(['Dead letters', '#/deadletters'], [topic]),
    heading(topic.replace(/\.dlq$/, ''), link(to.topic(topic), 'The topic'), button('Redrive', () => redrive(topic), 'primary')),
    h('div', { class: 'bar-line' }, words, h('span', { class: 'grow' }), older, newer, button('Newest', () => go())), split);
  go();

  const first = () => page.records[0]?.offset ?? page.end;
  const last = () => page.records.at(-1)?.offset ?? page.end - 1;

  async function go(offset) {
    try {
      page = await get('/api/records', { topic, offset, limit: LIMIT, value_bytes: 64 }, context.signal);
    } catch (error) {
      if (!context.signal.aborted) {
        put(words, error instanceof Refused ? refusal(error) : 'The broker does not answer.');
      }
      return;
    }
    page.records.forEach((record) => {
      record.why = why(record);
    });
    put(words, `${plural(page.end - page.start, 'dead letter')}, the newest last.`);
    older.disabled = first() <= page.start;
    newer.disabled = last() + 1 >= page.end;
    all.update(page.records);
  }

  async function look(row) {
    open = row.offset;
    all.update(page.records);
    try {
      const record = await whole(topic, 0, row.offset);
      split.classList.add('two');
      aside.hidden = false;
      put(aside, h('div', { class: 'heading' }, h('h2', {}, `Dead letter ${count(row.offset)}`), h('span', { class: 'grow' }), button('Close', () => {
        open = null;
        aside.hidden = true;
        split.classList.remove('two');
        all.update(page.records);
      }, 'small')), record);
    } catch (error) {
      failed(error);
    }
  }
}

/** A plan first, so that it is known what comes back; then the job. */
export async function redrive(topic) {
  const planned = await ask({
    title: `Redrive ${topic}`, action: 'Plan', text: 'Publishes dead letters again where they come from; all groups there get them. First they are counted.',
    fields: [
      { name: 'cause', label: 'Cause', type: 'select', value: '', options: [['', 'any'], ...CAUSES.map((each) => [each, each.toLowerCase().replaceAll('_', ' ')])] },
      { name: 'filter', label: 'Filter', placeholder: "`spillway-dlq-group` = 'billing'", hint: 'On headers; empty: all.' },
    ],
    act: async (values) => ready((await post('/api/replay/plan', { topic, ...values, reason: 'redrive' })).plans[0].plan),
  });
  if (!planned) {
    return;
  }
  await ask({
    title: `Redrive ${plural(planned.records, 'dead letter')}?`, action: 'Start', danger: true,
    text: `Plan ${planned.plan}: ${bytes(planned.bytes)}. Doing it twice adds nothing twice, within the idempotency window of the topic.`,
    fields: [{ name: 'rate', label: 'Records a second, at most', type: 'number', min: 0, value: 0, hint: '0: no bound.' }, REASON],
    act: async (values) => {
      const answer = await post('/api/replay/start', { id: planned.plan, target: 'origin', ...values });
      toast(`Job ${answer.jobs[0].job} has begun.`);
      location.hash = '#/replays';
    },
  });
}

/** Waits until a plan is made. */
export async function ready(id) {
  for (let i = 0; i < 120; i++) {
    const plan = (await get('/api/replays')).plans.find((each) => each.plan === id);
    if (!plan || plan.state === 'failed') {
      throw new Refused(409, { what: 'The plan could not be made', why: plan?.failure ?? 'it is gone', next_step: 'correct the selection' });
    }
    if (plan.state === 'ready') {
      return plan;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Refused(504, { what: 'The plan takes long', why: 'it still looks at records', next_step: 'start it from Replays when it is ready' });
}

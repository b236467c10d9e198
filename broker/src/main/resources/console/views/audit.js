// Who did what and why, the newest first.

import { h, put } from '../dom.js';
import { get, Refused } from '../api.js';
import { asText, decode, time } from '../format.js';
import { badge, button, heading, refusal, search } from '../parts.js';
import { show } from '../dialog.js';
import { table } from '../table.js';

const TOPIC = 'spillway.audit';
const LIMIT = 100;
const PHASE = { requested: 'note', done: 'good', failed: 'bad', denied: 'bad' };

export function audit(root, context) {
  let page = null;
  let filter = '';
  let isNewest = true;
  const words = h('div', {});
  const older = h('button', { type: 'button', 'data-key': 'n', onclick: () => go(Math.max(page.start, first() - LIMIT)) }, 'Older');
  const newest = button('Newest', () => go());
  const all = table([
    { label: 'When', cell: (row) => time(Date.parse(row.time) || row.append_ms) },
    { label: 'Operation', cell: (row) => row.operation ?? '–' },
    { label: '', cell: (row) => badge(PHASE[row.phase] ?? 'note', row.phase ?? 'noted') },
    { label: 'On', cell: (row) => [row.topic, row.group].filter(Boolean).join(' / ') || '–' },
    { label: 'Who', cell: (row) => row.who ?? '–' },
    { label: 'Reason', wide: true, cell: (row) => row.reason || '–' },
    { label: 'Result', wide: true, minor: true, cell: (row) => row.result || '–' },
  ], { key: (row) => String(row.offset), caption: 'Audit', empty: 'Nothing was written down that matches.',
    onopen: (row) => show(`${row.operation} ${row.phase}`, h('pre', {}, JSON.stringify(row.entry, null, 2))) });
  root.append(heading('Audit'), h('div', { class: 'bar-line' }, search('Find in these', '', (value) => {
    filter = value.toLowerCase();
    update();
  }), h('span', { class: 'grow' }), older, newest), words, h('div', { class: 'panel' }, all.element));
  go();
  const timer = setInterval(() => isNewest && !document.hidden && go(), 3_000);
  context.signal.addEventListener('abort', () => clearInterval(timer));

  const first = () => page.records[0]?.offset ?? page.end;

  async function go(offset) {
    try {
      page = await get('/api/records', { topic: TOPIC, partition: 0, offset, limit: LIMIT, value_bytes: 16_384 }, context.signal);
    } catch (error) {
      if (!context.signal.aborted && error instanceof Refused) {
        put(words, error.code === 'TOPIC_NOT_FOUND' ? h('p', { class: 'empty' }, 'Nothing was audited yet.') : refusal(error));
        all.update([]);
      }
      return;
    }
    isNewest = offset === undefined;
    words.replaceChildren();
    older.disabled = first() <= page.start;
    newest.disabled = isNewest;
    update();
  }

  function update() {
    const entries = page.records.map(read);
    const ended = new Set(entries.filter((row) => row.phase !== 'requested').map((row) => row.act));
    const rows = entries.filter((row) => row.phase !== 'requested' || !ended.has(row.act)).filter((row) => JSON.stringify(row.entry).toLowerCase().includes(filter)).reverse();
    all.update(rows);
  }
}

function read(record) {
  let entry = {};
  try {
    entry = JSON.parse(asText(decode(record.value)) ?? '{}');
  } catch {
    entry = { result: 'This entry is too long to be shown here.' };
  }
  return { ...entry, entry, offset: record.offset, append_ms: record.append_ms };
}

// Records of a topic as a reader gets them: by offset, by time, from either end; one of them whole, as text, JSON or hex.

import { h, put } from '../dom.js';
import { get } from '../api.js';
import { asHex, asJson, asText, bytes, count, decode, preview, time } from '../format.js';
import { button, failed, facts, heading, link, refusal, to } from '../parts.js';
import { table } from '../table.js';
import { Refused } from '../api.js';

const LIMIT = 50;

/** A field for a topic, with what there is to choose. */
export function topicField(value, onchoose, signal, parameters = {}) {
  const list = h('datalist', { id: 'topic-names' });
  const input = h('input', {
    value, list: 'topic-names', placeholder: 'Topic', 'aria-label': 'Topic', 'data-key': '/', class: 'search', spellcheck: 'false',
    autocomplete: 'off', onchange: () => input.value.trim() && onchoose(input.value.trim()), oninput: () => suggest(),
  });
  async function suggest() {
    try {
      const found = await get('/api/topics', { filter: input.value.trim(), limit: 20, ...parameters }, signal);
      put(list, ...found.topics.map((topic) => h('option', { value: topic.name })));
    } catch (error) {
      if (!signal.aborted && error instanceof Refused) {
        failed(error);
      }
    }
  }
  suggest();
  return h('span', {}, input, list);
}

/** Bytes as whoever looks wants them. */
export function content(base64, isCut, wanted) {
  const data = decode(base64);
  const words = asText(data, isCut);
  const json = words === null ? null : asJson(words);
  const modes = [json !== null && ['JSON', () => json], words !== null && ['Text', () => words], ['Hex', () => asHex(data)]].filter(Boolean);
  const shown = h('pre', { tabindex: 0 });
  const choose = (name) => {
    const mode = modes.find(([each]) => each === name) ?? modes[0];
    shown.textContent = mode[1]();
    shown.className = mode[0] === 'Hex' ? 'hex' : '';
    buttons.forEach((each) => each.setAttribute('aria-pressed', String(each.textContent === mode[0])));
  };
  const buttons = modes.map(([name]) => h('button', { type: 'button', class: 'small', onclick: () => choose(name) }, name));
  choose(wanted);
  return h('div', {}, h('div', { class: 'bar-line' }, buttons), shown);
}

export function keyText(record) {
  return record.key === null ? h('span', { class: 'dim' }, 'none') : preview(record.key) || h('span', { class: 'dim' }, 'empty');
}

/** One record, whole. */
export async function whole(topic, partition, offset) {
  const page = await get('/api/records', { topic, partition, offset, limit: 1, value_bytes: 1 << 20 });
  const record = page.records[0];
  if (!record || record.offset !== offset) {
    return h('p', { class: 'empty' }, 'This record is not kept any more, or cannot be read.');
  }
  return h('div', { class: 'record' },
    record.malformed && refusal({ message: 'The parts of this record cannot be read', why: record.malformed, next: 'see spillway log verify' }),
    facts([
      ['place', `${topic}, partition ${partition}, offset ${count(offset)}`],
      ['taken', time(record.append_ms, true)], ['made', time(record.timestamp_ms, true)],
      ['key', record.key === null ? '' : preview(record.key)],
      record.dedup_id && ['idempotency key', preview(record.dedup_id)],
      record.traceparent && ['traceparent', h('code', {}, record.traceparent)],
      record.deliver_at_ms >= 0 && ['delivered from', time(record.deliver_at_ms)],
      record.expires_at_ms >= 0 && ['expires', time(record.expires_at_ms)],
    ]),
    record.headers.length > 0 && h('div', {}, h('h3', {}, 'Headers'),
      facts(record.headers.map((header) => [header.name, preview(header.value) ?? '']))),
    h('div', {}, h('h3', {}, `Value, ${bytes(record.value_bytes)}`), content(record.value, false, 'JSON')));
}

export function records(root, context) {
  const topic = context.parts[1] ?? '';
  let partition = Number(context.query.get('partition') ?? 0);
  let page = null;
  let open = null;
  const partitions = h('select', { 'aria-label': 'Partition', onchange: () => go({ partition: Number(partitions.value) }) });
  const offset = h('input', { type: 'number', min: 0, 'aria-label': 'Offset', placeholder: 'Offset', onchange: () => offset.value && go({ offset: offset.value }) });
  const at = h('input', { type: 'datetime-local', step: 1, 'aria-label': 'Time', onchange: () => at.value && go({ time: new Date(at.value).getTime() }) });
  const words = h('span', { class: 'dim', role: 'status' });
  const older = h('button', { type: 'button', 'data-key': 'n', onclick: () => go({ offset: Math.max(page.start, first() - LIMIT) }) }, 'Older');
  const newer = h('button', { type: 'button', 'data-key': 'p', onclick: () => go({ offset: last() + 1 }) }, 'Newer');
  const aside = h('aside', { class: 'panel', 'aria-label': 'Record', hidden: true });
  const all = table([
    { label: 'Offset', number: true, cell: (row) => count(row.offset) },
    { label: 'Taken', cell: (row) => time(row.append_ms, true) },
    { label: 'Key', cell: (row) => h('span', { class: 'value mono' }, keyText(row)) },
    { label: 'Value', cell: (row) => h('span', { class: 'value mono' }, row.malformed || preview(row.value, row.value_bytes > 1024)) },
    { label: 'Headers', number: true, minor: true, cell: (row) => count(row.headers.length) },
    { label: 'Size', number: true, minor: true, cell: (row) => bytes(row.value_bytes) },
  ], { key: (row) => String(row.offset), caption: 'Records', empty: 'No records here.', onopen: look, mark: (row) => row.offset === open });
  const split = h('div', { class: 'split' }, h('div', { class: 'panel' }, all.element), aside);
  root.append(heading('Records', topic && link(to.topic(topic), 'The topic')),
    h('div', { class: 'bar-line' }, topicField(topic, (name) => {
      location.hash = to.records(name);
    }, context.signal), topic ? [partitions, button('Oldest', () => go({ offset: 0 })), older, newer, button('Newest', () => go({})),
      h('label', {}, h('span', { class: 'dim' }, 'offset '), offset), h('label', {}, h('span', { class: 'dim' }, 'time '), at)] : []));
  if (!topic) {
    root.append(h('p', { class: 'empty' }, 'Choose a topic.'));
    return;
  }
  root.append(h('p', {}, words), split);
  get('/api/topic', { name: topic }, context.signal).then((found) => {
    put(partitions, ...found.partitions.map((each) => h('option', { value: each.partition, selected: each.partition === partition },
      `partition ${each.partition}`)));
    return go(Object.fromEntries(['offset', 'time'].map((name) => [name, context.query.get(name) ?? ''])));
  }).catch(problem);

  function problem(error) {
    if (!context.signal.aborted) {
      put(words, error instanceof Refused ? refusal(error) : 'The broker does not answer.');
    }
  }

  const first = () => page.records[0]?.offset ?? page.end;
  const last = () => page.records.at(-1)?.offset ?? page.end - 1;

  async function go(where) {
    const changed = where.partition !== undefined;
    partition = changed ? where.partition : partition;
    const place = { partition, offset: where.offset ?? '', time: where.time ?? '' };
    try {
      page = await get('/api/records', { topic, ...place, limit: LIMIT }, context.signal);
    } catch (error) {
      problem(error);
      return;
    }
    context.remember(place);
    put(words, page.records.length === 0 ? `Partition ${partition} has ${count(page.end - page.start)} records; none of them here.`
      : `Offsets ${count(first())} to ${count(last())} of ${count(page.start)} to ${count(page.end - 1)}.`);
    older.disabled = first() <= page.start;
    newer.disabled = last() + 1 >= page.end;
    all.update(page.records);
  }

  async function look(row) {
    open = row.offset;
    all.update(page.records);
    try {
      const record = await whole(topic, partition, row.offset);
      split.classList.add('two');
      aside.hidden = false;
      put(aside, h('div', { class: 'heading' }, h('h2', {}, `Offset ${count(row.offset)}`), h('span', { class: 'grow' }), button('Close', close, 'small')), record);
    } catch (error) {
      failed(error);
    }
  }

  function close() {
    open = null;
    aside.hidden = true;
    split.classList.remove('two');
    all.update(page.records);
  }
}

// All topics: found, ordered and paged by the broker, so that a thousand cost no more than a hundred.

import { h } from '../dom.js';
import { spark } from '../chart.js';
import { count, bytes, rate } from '../format.js';
import { badge, button, heading, link, search, to } from '../parts.js';
import { change } from '../dialog.js';
import { pager, table } from '../table.js';

const ROWS = 100;

export function topicBadges(row) {
  const badges = [];
  if (row.publish_paused) {
    badges.push(badge('warn', 'publishing paused', row.switch_reason));
  }
  if (row.dispatch_paused) {
    badges.push(badge('warn', 'dispatch paused', row.switch_reason));
  }
  if (row.paused_groups > 0) {
    badges.push(badge('note', `${row.paused_groups} paused`));
  }
  if (row.mirrored_by) {
    badges.push(badge('note', `copied by ${row.mirrored_by}`));
  }
  if (row.fenced_by) {
    badges.push(badge('note', `taken by ${row.fenced_by}`));
  }
  if (row.shed_class > 0) {
    badges.push(badge('note', `class ${row.shed_class}`));
  }
  return badges.length ? badges : [badge('good', 'open')];
}

export function topics(root, context) {
  let filter = context.query.get('filter') ?? '';
  const pages = pager(ROWS, () => asking.now());
  const all = table([
    { label: 'Topic', sort: 'name', cell: (row) => link(to.topic(row.name), row.name) },
    { label: 'State', cell: topicBadges },
    { label: 'Published / s', number: true, sort: 'published', cell: (row) => [spark(row.spark), rate(row.published)] },
    { label: 'Acked / s', number: true, sort: 'acked', cell: (row) => rate(row.acked) },
    { label: 'Backlog', number: true, sort: 'backlog', cell: (row) => count(row.backlog) },
    { label: 'In flight', number: true, minor: true, sort: 'in_flight', cell: (row) => count(row.in_flight) },
    { label: 'Groups', number: true, minor: true, sort: 'groups', cell: (row) => count(row.groups) },
    { label: 'Members', number: true, minor: true, sort: 'members', cell: (row) => count(row.members) },
    { label: 'Stored', number: true, minor: true, sort: 'bytes', cell: (row) => bytes(row.bytes) },
    { label: 'Partitions', number: true, minor: true, sort: 'partitions', cell: (row) => count(row.partitions) },
  ], {
    key: (row) => row.name, caption: 'Topics', empty: 'No topic matches.',
    sort: { by: context.query.get('sort') ?? 'name', ascending: (context.query.get('order') ?? 'asc') === 'asc' },
    onsort: () => again(), onopen: (row) => {
      location.hash = to.topic(row.name);
    },
  });
  const find = search('Find a topic', filter, (value) => {
    filter = value;
    again();
  });
  const total = h('span', { class: 'dim' });
  root.append(heading('Topics', button('New topic', create)),
    h('div', { class: 'bar-line' }, find, h('span', { class: 'grow' }), pages.element), h('div', { class: 'panel' }, all.element), total);

  const asking = context.poll('/api/topics', () => ({
    filter, sort: all.sort.by, order: all.sort.ascending ? 'asc' : 'desc', from: pages.from(), limit: ROWS,
  }), 2_000, (now) => {
    all.update(now.topics);
    pages.update(now.found);
  });

  function again() {
    pages.reset();
    context.remember({ filter, sort: all.sort.by, order: all.sort.ascending ? 'asc' : 'desc' });
    asking.now();
  }

  async function create() {
    const made = await change({
      title: 'New topic', action: 'Create', path: '/api/topic/create',
      fields: [
        { name: 'topic', label: 'Name', required: true, pattern: '[A-Za-z0-9][A-Za-z0-9._\\-]*' },
        { name: 'partitions', label: 'Partitions', type: 'number', min: 1, value: 1 },
        { name: 'settings', label: 'Settings', type: 'area', hint: 'One a line, such as retention.ms=86400000; empty: the defaults.' },
      ],
      prepare: ({ settings, ...values }) => ({ ...values, ...readSettings(settings) }),
      done: (answer) => `Topic ${answer.name} is there.`,
    });
    if (made) {
      location.hash = to.topic(made.name);
    }
  }
}

/** Lines NAME=VALUE as parameters. */
export function readSettings(text) {
  return Object.fromEntries(text.split('\n').map((each) => each.trim()).filter(Boolean).map((each) => {
    const at = each.indexOf('=');
    return at < 0 ? [`set.${each}`, ''] : [`set.${each.slice(0, at).trim()}`, each.slice(at + 1).trim()];
  }));
}

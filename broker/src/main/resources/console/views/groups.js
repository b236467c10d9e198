// All groups of all topics.

import { h, put } from '../dom.js';
import { count } from '../format.js';
import { badge, heading, link, member, search, to } from '../parts.js';
import { pager, table } from '../table.js';

const ROWS = 100;

export function groupState(row) {
  if (row.paused) {
    return badge('warn', 'paused', row.pause_reason);
  }
  if (row.members === 0) {
    return row.lag > 0 ? badge('warn', 'no members') : badge('idle', 'no members');
  }
  return badge('good', 'running');
}

export function groupColumns(withTopic) {
  return [
    { label: 'Group', sort: withTopic ? 'name' : undefined, cell: (row) => link(to.group(row.topic, row.group), row.group) },
    withTopic && { label: 'Topic', cell: (row) => link(to.topic(row.topic), row.topic) },
    { label: 'State', cell: groupState },
    { label: 'Mode', minor: true, cell: (row) => row.mode },
    { label: 'Lag', number: true, sort: withTopic ? 'lag' : undefined, cell: (row) => count(row.lag) },
    { label: 'In flight', number: true, sort: withTopic ? 'in_flight' : undefined, cell: (row) => count(row.in_flight) },
    { label: 'To retry', number: true, minor: true, cell: (row) => count(row.waiting_retry) },
    { label: 'Members', number: true, sort: withTopic ? 'members' : undefined, cell: (row) => count(row.members) },
    { label: 'Their health', minor: true, cell: (row) => Object.entries(row.states).filter(([state]) => state && state !== 'READY')
      .map(([state, n]) => [member(state), ` ${n}`]).flat() },
    { label: 'Acked', number: true, minor: true, sort: withTopic ? 'acked' : undefined, cell: (row) => count(row.acked) },
    { label: 'Dead letters', number: true, minor: true, sort: withTopic ? 'dead_lettered' : undefined, cell: (row) => count(row.dead_lettered) },
  ].filter(Boolean);
}

export function groups(root, context) {
  let filter = context.query.get('filter') ?? '';
  const pages = pager(ROWS, () => asking.now());
  const all = table(groupColumns(true), {
    key: (row) => `${row.topic}/${row.group}`, caption: 'Groups', empty: 'No group matches.',
    sort: { by: context.query.get('sort') ?? 'lag', ascending: context.query.get('order') === 'asc' },
    onsort: () => again(), onopen: (row) => {
      location.hash = to.group(row.topic, row.group);
    },
  });
  const find = search('Find a group or topic', filter, (value) => {
    filter = value;
    again();
  });
  root.append(heading('Groups'), h('div', { class: 'bar-line' }, find, h('span', { class: 'grow' }), pages.element),
    put(h('div', { class: 'panel' }), all.element));
  const asking = context.poll('/api/groups', () => ({
    filter, sort: all.sort.by, order: all.sort.ascending ? 'asc' : 'desc', from: pages.from(), limit: ROWS,
  }), 2_000, (now) => {
    all.update(now.groups);
    pages.update(now.found);
  });

  function again() {
    pages.reset();
    context.remember({ filter, sort: all.sort.by, order: all.sort.ascending ? 'asc' : 'desc' });
    asking.now();
  }
}

// How fast clients may publish.

import { h } from '../dom.js';
import { bytes } from '../format.js';
import { button, heading } from '../parts.js';
import { change } from '../dialog.js';
import { table } from '../table.js';

export function quotas(root, context) {
  const all = table([
    { label: 'Of', cell: (row) => row.scope },
    { label: 'Name', cell: (row) => (row.name === '*' ? 'any other' : row.name) },
    { label: 'Rate', number: true, cell: (row) => `${bytes(row.bytes_per_second)}/s` },
    { label: 'At once', number: true, cell: (row) => bytes(row.burst_bytes) },
    { label: '', cell: (row) => [button('Change', () => set(row), 'small'), ' ', button('Remove', () => remove(row), 'small')] },
  ], { key: (row) => `${row.scope} ${row.name}`, caption: 'Quotas', empty: 'There is no quota: clients publish as fast as the broker takes it.' });
  root.append(heading('Quotas', button('New quota', () => set(null))), h('div', { class: 'panel' }, all.element));
  const asking = context.poll('/quotas', {}, 3_000, (now) => all.update(now.quotas));

  function set(row) {
    return change({
      title: row ? `Quota of ${row.scope} ${row.name}` : 'New quota', action: 'Set', path: '/quotas/set', reason: false,
      parameters: row ? { scope: row.scope, name: row.name } : {},
      fields: [
        !row && { name: 'scope', label: 'Of', type: 'select', value: 'principal', options: ['connection', 'principal', 'topic', 'principal-topic', 'domain']
          .map((each) => [each, each]) },
        !row && { name: 'name', label: 'Name', required: true, value: '*', hint: '*: each that has none of its own. Of principal-topic: CLIENT/TOPIC.' },
        { name: 'rate', label: 'Bytes a second', type: 'number', min: 1, required: true, value: row?.bytes_per_second ?? 1_048_576 },
        { name: 'burst', label: 'Bytes at once', type: 'number', min: 1, value: row?.burst_bytes ?? '', hint: 'Empty: as many as in a second.' },
      ].filter(Boolean),
      done: 'The quota is set.',
    }).then(() => asking.now());
  }

  function remove(row) {
    return change({ title: `Remove the quota of ${row.scope} ${row.name}`, action: 'Remove', danger: true, reason: false, path: '/quotas/remove',
      parameters: { scope: row.scope, name: row.name }, done: 'The quota is removed.' }).then(() => asking.now());
  }
}

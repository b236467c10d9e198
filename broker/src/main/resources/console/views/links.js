// Copies of other clusters' topics that end here.

import { h } from '../dom.js';
import { count, bytes, span } from '../format.js';
import { badge, button, heading } from '../parts.js';
import { change, show } from '../dialog.js';
import { table } from '../table.js';

const STATE = { copying: 'good', running: 'good', connecting: 'note', promoting: 'note', promoted: 'good', paused: 'warn', failed: 'bad', stopped: 'bad' };

export function links(root, context) {
  const where = h('p', { class: 'dim' });
  const all = table([
    { label: 'Link', cell: (row) => row.name },
    { label: 'State', cell: (row) => badge(STATE[row.state] ?? 'note', row.state.replaceAll('_', ' '), row.why) },
    { label: 'From', cell: (row) => row.source || row.from.join(', ') },
    { label: 'Topics', cell: (row) => row.patterns.join(', ') },
    { label: 'Copied', number: true, minor: true, cell: (row) => `${count(row.records)} (${bytes(row.bytes)})` },
    { label: 'Lag', number: true, cell: (row) => count(row.lag_records) },
    { label: 'Heard', minor: true, cell: (row) => (row.contact_ms > 0 ? `${span(Date.now() - row.contact_ms)} ago` : 'never') },
    { label: 'Why', wide: true, cell: (row) => row.why || '–' },
    { label: '', cell: (row) => [button('Topics', () => topics(row), 'small'), ' ', row.promoted_ms > 0 ? null : button('Promote', () => promote(row), 'small'), ' ',
      button('Delete', () => act('delete', row, 'What was copied stays.'), 'small')].filter(Boolean) },
  ], { key: (row) => row.name, caption: 'Links', empty: 'No link ends here.' });
  root.append(heading('Links', button('New link', create)), h('div', { class: 'panel' }, all.element), where);
  const asking = context.poll('/links', {}, 2_000, (now) => {
    all.update(now.links);
    where.textContent = now.runs_here || now.links.length === 0 ? '' : 'Another node of this cluster runs them; ask there for their figures.';
  });

  function topics(row) {
    const each = table([
      { label: 'Topic', cell: (line) => line.topic },
      { label: 'Partition', number: true, cell: (line) => String(line.partition) },
      { label: 'Here', number: true, cell: (line) => count(line.end) },
      { label: 'Source', number: true, cell: (line) => count(line.source_end) },
      { label: 'Lag', number: true, cell: (line) => `${count(line.lag_records)} (${span(line.lag_ms)})` },
      { label: 'Why', wide: true, cell: (line) => line.why || '–' },
    ], { key: (line) => `${line.topic} ${line.partition}`, caption: 'Topics of the link', empty: 'None yet.' });
    each.update(row.topics.flatMap((topic) => topic.partitions.map((part) => ({ topic: topic.topic, why: topic.why, ...part }))).slice(0, 500));
    show(`Topics of ${row.name}`, each.element);
  }

  function create() {
    return change({
      title: 'New link', action: 'Create', path: '/links/create', reason: false, done: 'The link is made.',
      fields: [
        { name: 'name', label: 'Name', required: true },
        { name: 'from', label: 'From', required: true, hint: 'Brokers of the other cluster, host:port, with commas between.' },
        { name: 'topics', label: 'Topics', required: true, value: '*', hint: 'Patterns with commas between.' },
        { name: 'rate', label: 'Bytes a second, at most', type: 'number', min: 0, value: 0, hint: '0: no bound.' },
      ],
    }).then(() => asking.now());
  }

  function promote(row) {
    return change({
      title: `Promote ${row.name}`, action: 'Promote', danger: true, path: '/links/promote', reason: false, parameters: { name: row.name },
      text: 'Its topics become writable here, and the source is fenced. Forced, it does not wait for the source, and what was not copied yet is left behind.',
      fields: [{ name: 'force', label: 'Force it: the source is lost', type: 'checkbox' }], done: `${row.name} is promoted.`,
    }).then(() => asking.now());
  }

  function act(verb, row, text) {
    return change({ title: `Delete ${row.name}`, action: 'Delete', danger: true, text, path: `/links/${verb}`, reason: false, parameters: { name: row.name },
      done: `${row.name} is deleted.` }).then(() => asking.now());
  }
}

// What is switched, by whom and why, and how long it stays so.

import { h } from '../dom.js';
import { span, time } from '../format.js';
import { badge, button, heading } from '../parts.js';
import { change } from '../dialog.js';
import { table } from '../table.js';

export function toggles(root, context) {
  const all = table([
    { label: 'Toggle', cell: (row) => row.name },
    { label: 'Now', cell: (row) => [row.set ? badge(row.expired ? 'idle' : 'note', value(row.set)) : badge('idle', `default: ${row.default}`),
      row.expired ? badge('idle', 'expired') : null].filter(Boolean) },
    { label: 'For', cell: (row) => (row.set ? `${row.set.rollout_bp / 100} % of ${row.share_of || 'all'}${row.set.scope ? `, ${row.set.scope}` : ''}` : '–') },
    { label: 'Goes back', cell: (row) => (row.revert_at_ms > 0 ? [badge('warn', `in ${span(row.revert_at_ms - Date.now())}`)]
      : row.set?.expires_ms > 0 ? `ends ${time(row.set.expires_ms)}` : '–') },
    { label: 'Changed', minor: true, cell: (row) => (row.changed_ms ? `${time(row.changed_ms)} by ${row.by}` : '–') },
    { label: 'Why', wide: true, minor: true, cell: (row) => row.reason || h('span', { class: 'dim' }, row.what) },
    { label: '', cell: (row) => [button('Set', () => set(row), 'small'), row.revert_at_ms > 0 ? button('Confirm', () => act('confirm', row), 'small') : null,
      row.set ? button('Revert', () => act('revert', row), 'small') : null].filter(Boolean).flatMap((each) => [each, ' ']) },
  ], { key: (row) => row.name, caption: 'Toggles', empty: 'None.' });
  root.append(heading('Toggles', button('Set another', () => set({ name: '', kind: 'bool', values: [], revision: 0 }))), h('div', { class: 'panel' }, all.element));
  const asking = context.poll('/toggles', {}, 2_000, (now) => all.update(now.toggles));

  function value(setting) {
    return setting.value;
  }

  function set(row) {
    return change({
      title: row.name ? `Set ${row.name}` : 'Set a toggle of applications', action: 'Set', path: '/toggles/set', text: row.what,
      fields: [
        !row.name && { name: 'name', label: 'Name', required: true, value: 'app.', hint: 'Of applications: app. and a name.' },
        !row.name && { name: 'kind', label: 'Kind', type: 'select', value: 'bool', options: [['bool', 'bool'], ['percent', 'percent'], ['variant', 'variant']] },
        { name: 'value', label: 'Value', required: true, value: row.set?.value ?? row.default ?? '',
          hint: row.values?.length ? `One of ${row.values.join(', ')}; default: set no more.` : 'on, off or a variant; default: set no more.' },
        { name: 'rollout', label: 'For how many percent', type: 'number', min: 0, max: 100, value: (row.set?.rollout_bp ?? 10_000) / 100 },
        { name: 'scope', label: 'Only for', value: row.set?.scope ?? '', hint: row.scopes?.length ? `Such as ${row.scopes.join('=…, ')}=…; empty: all.` : 'Empty: all.' },
        { name: 'revert', label: 'Goes back by itself after minutes', type: 'number', min: 0, value: 0, hint: '0: stays.' },
        { name: 'ticket', label: 'Ticket' },
      ].filter(Boolean),
      parameters: { name: row.name || undefined, expect_revision: row.revision || undefined },
      prepare: ({ rollout, revert, ...values }) => ({
        ...values, rollout_bp: Math.round(Number(rollout) * 100), revert_after_ms: revert > 0 ? Math.round(revert * 60_000) : undefined,
      }),
      done: (answer) => `${answer.name} is set.`,
    }).then(() => asking.now());
  }

  function act(verb, row) {
    return change({
      title: `${verb === 'confirm' ? 'Confirm' : 'Revert'} ${row.name}`, action: verb === 'confirm' ? 'Confirm' : 'Revert', path: `/toggles/${verb}`,
      text: verb === 'confirm' ? 'It stays as it is and does not go back by itself.' : `It becomes what it was before: ${row.before?.value ?? 'the default'}.`,
      parameters: { name: row.name, expect_revision: row.revision }, done: `${row.name}: ${verb === 'confirm' ? 'confirmed' : 'reverted'}.`,
    }).then(() => asking.now());
  }
}


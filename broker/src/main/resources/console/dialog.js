// Asks for what a change needs: always a reason, where one is kept.

import { h } from './dom.js';
import { post, Refused } from './api.js';
import { failed, refusal, toast } from './parts.js';

/** A field: {name, label, type: text|number|checkbox|select|area, value, options, hint, required, pattern} */
function control(field) {
  const common = { name: field.name, required: field.required, 'aria-describedby': field.hint && `hint-${field.name}` };
  if (field.type === 'select') {
    return h('select', common, field.options.map(([value, label]) =>
      h('option', { value, selected: value === field.value }, label)));
  }
  if (field.type === 'area') {
    return h('textarea', { ...common, rows: 5, spellcheck: 'false' }, field.value ?? '');
  }
  return h('input', {
    ...common, type: field.type ?? 'text', value: field.type === 'checkbox' ? undefined : field.value ?? '',
    checked: field.type === 'checkbox' && field.value, min: field.min, max: field.max, pattern: field.pattern,
    placeholder: field.placeholder, autocomplete: 'off', spellcheck: 'false', list: field.list,
  });
}

function row(field) {
  const input = control(field);
  const hint = field.hint && h('small', { id: `hint-${field.name}`, class: 'dim' }, field.hint);
  return field.type === 'checkbox'
    ? h('label', { class: 'check' }, input, h('span', {}, field.label), hint)
    : h('label', { class: 'field' }, h('span', {}, field.label), input, hint);
}

function read(form, fields) {
  return Object.fromEntries(fields.map((field) => {
    const input = form.elements.namedItem(field.name);
    return [field.name, field.type === 'checkbox' ? input.checked : input.value.trim()];
  }));
}

export const REASON = {
  name: 'reason', label: 'Reason', required: true, pattern: '.*\\S.*', hint: 'Kept in the audit, with who and when.',
};

/**
 * Shows a form and does what `act(values)` does when it is sent; stays open with the refusal when that fails. Resolves to
 * what act gave, or undefined when nobody wanted it.
 */
export function ask({ title, text, fields = [], action, danger = false, act }) {
  return new Promise((resolve) => {
    const error = h('div', {});
    const send = h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, action);
    const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
    const form = h('form', {
      onsubmit: async (event) => {
        event.preventDefault();
        send.disabled = true;
        error.replaceChildren();
        try {
          done = await act(read(form, fields));
          dialog.close();
        } catch (refused) {
          error.replaceChildren(refused instanceof Refused ? refusal(refused)
            : refusal({ message: 'The broker does not answer.', why: refused.message, next: 'Try again when it is back.' }));
        } finally {
          send.disabled = false;
        }
      },
    }, h('h2', {}, title), text && h('p', {}, text), fields.map(row), error,
    h('div', { class: 'actions end' }, cancel, send));
    let done;
    const dialog = h('dialog', {
      'aria-label': title,
      onclose: () => {
        dialog.remove();
        resolve(done);
      },
    }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A change by POST that needs nothing but a reason and perhaps a few fields. */
export function change({ path, parameters = {}, fields = [], done, reason = true, ...shown }) {
  return ask({
    ...shown,
    fields: reason ? [...fields, REASON] : fields,
    act: async (values) => {
      const chosen = shown.prepare ? shown.prepare(values) : values;
      const answer = await post(path, { ...parameters, ...chosen });
      toast(typeof done === 'function' ? done(answer, values) : done);
      return answer;
    },
  }).catch(failed);
}

/** Shows something to be read. */
export function show(title, ...content) {
  const dialog = h('dialog', { class: 'wide', 'aria-label': title, onclose: () => dialog.remove() },
    h('h2', {}, title), ...content,
    h('div', { class: 'actions end' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Close')));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// A table whose rows are kept by key, so that focus and selection survive when figures change.

import { h, put } from './dom.js';

/**
 * @param columns {id, label, number, sort, cell(row) -> text | node | [..], title, wide}
 * @param options {key(row), caption, empty, sort: {by, ascending}, onsort(by, ascending), onopen(row), mark(row)}
 */
export function table(columns, options) {
  const sort = options.sort ?? { by: '', ascending: true };
  const body = h('tbody', {});
  const heads = columns.map((column) => h('th', { scope: 'col', class: classes(column), title: column.title },
    column.sort ? h('button', { type: 'button', class: 'sort', onclick: () => turn(column) }, column.label, arrow(column))
      : column.label));
  const element = h('div', { class: 'table-scroll', tabindex: '-1' }, h('table', {},
    h('caption', { class: 'hidden' }, options.caption), h('thead', {}, h('tr', {}, heads)), body));
  const rows = new Map();

  function classes(column) {
    return [column.number && 'number', column.wide && 'wide-cell', column.minor && 'minor'].filter(Boolean).join(' ') || undefined;
  }

  function arrow(column) {
    const is = sort.by === column.sort;
    return h('span', { class: 'arrow', 'aria-hidden': 'true' }, is ? (sort.ascending ? '▲' : '▼') : '');
  }

  function turn(column) {
    if (sort.by === column.sort) {
      sort.ascending = !sort.ascending;
    } else {
      sort.by = column.sort;
      sort.ascending = !column.number;
    }
    showSort();
    options.onsort?.(sort.by, sort.ascending);
  }

  function showSort() {
    columns.forEach((column, i) => {
      if (column.sort) {
        heads[i].setAttribute('aria-sort', sort.by === column.sort ? (sort.ascending ? 'ascending' : 'descending') : 'none');
        heads[i].querySelector('.arrow').textContent = sort.by === column.sort ? (sort.ascending ? '▲' : '▼') : '';
      }
    });
  }

  function make(row) {
    const cells = columns.map((column, i) => h(i === 0 ? 'th' : 'td', { class: classes(column), scope: i === 0 ? 'row' : undefined }));
    const line = h('tr', {}, cells);
    if (options.onopen) {
      line.tabIndex = 0;
      line.className = 'opens';
      line.addEventListener('click', (event) => {
        if (!event.target.closest('a, button, input')) {
          options.onopen(line.data);
        }
      });
      line.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' && event.target === line) {
          options.onopen(line.data);
        }
      });
    }
    line.cells_ = cells;
    return line;
  }

  function update(data) {
    if (data.length === 0) {
      rows.clear();
      put(body, h('tr', { class: 'none' }, h('td', { colspan: columns.length }, options.empty ?? 'Nothing here.')));
      return;
    }
    const wanted = data.map((row) => {
      const key = options.key(row);
      const line = rows.get(key) ?? make(row);
      rows.set(key, line);
      line.data = row;
      columns.forEach((column, i) => put(line.cells_[i], ...[column.cell(row)].flat()));
      const mark = options.mark?.(row) ?? '';
      line.classList.toggle('marked', mark === true);
      return line;
    });
    const keep = new Set(wanted);
    [...rows].filter(([, line]) => !keep.has(line)).forEach(([key]) => rows.delete(key));
    [...body.children].filter((line) => !keep.has(line)).forEach((line) => line.remove());
    wanted.forEach((line, i) => {
      if (body.children[i] !== line) {
        body.insertBefore(line, body.children[i] ?? null);
      }
    });
  }

  showSort();
  return { element, update, sort };
}

/** Which part of a long list is shown. */
export function pager(size, onchange) {
  let from = 0;
  let found = 0;
  const words = h('span', { class: 'dim', role: 'status' });
  const before = h('button', { type: 'button', onclick: () => go(from - size) }, 'Previous');
  const after = h('button', { type: 'button', onclick: () => go(from + size) }, 'Next');
  const element = h('div', { class: 'pager' }, words, before, after);

  function go(to) {
    from = Math.max(0, Math.min(to, Math.max(0, found - 1)));
    onchange();
  }

  return {
    element,
    from: () => from,
    reset: () => {
      from = 0;
    },
    update(all) {
      found = all;
      if (from >= found && from > 0) {
        from = Math.floor(Math.max(0, found - 1) / size) * size;
        onchange();
      }
      put(words, found === 0 ? 'none' : `${from + 1}–${Math.min(from + size, found)} of ${found.toLocaleString('en')}`);
      before.disabled = from === 0;
      after.disabled = from + size >= found;
      element.classList.toggle('single', found <= size);
    },
  };
}

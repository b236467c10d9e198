// Elements from data. Whatever comes from the broker becomes text, never markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) {
      continue;
    }
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (name === 'value' || name === 'checked' || name === 'disabled' || name === 'selected') {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** h('a', {href: '#/', onclick: f}, 'text', element) */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for a drawing. */
export function s(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** Puts children in place of what is there, unless it looks the same: focus and selection stay. */
export function put(element, ...children) {
  const wanted = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  const now = [...element.childNodes];
  const isSame = now.length === wanted.length && wanted.every((child, i) =>
    typeof child === 'string' || typeof child === 'number'
      ? now[i].nodeType === Node.TEXT_NODE && now[i].data === String(child)
      : now[i].isEqualNode(child));
  if (!isSame) {
    element.replaceChildren(...wanted.map((child) => typeof child === 'number' ? String(child) : child));
  }
  return element;
}

/** Sets a text only when it changes. */
export function text(element, value) {
  if (element.textContent !== value) {
    element.textContent = value;
  }
}

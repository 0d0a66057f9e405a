/** Elements of the page. Data becomes text only, and what has not changed is not touched. */

export function byId<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** A text, with the number of a colour before it or a link in it. */
export type Cell = string | { readonly text: string; readonly colour?: number; readonly href?: string };

/** As many children as there are items, each made once and told what it shows. */
export function fill<T>(
  parent: Element,
  items: readonly T[],
  { make, show }: { readonly make: () => Element; readonly show: (child: Element, item: T) => void },
): void {
  while (parent.children.length > items.length) parent.lastElementChild!.remove();
  while (parent.children.length < items.length) parent.append(make());
  items.forEach((item, at) => {
    show(parent.children[at]!, item);
  });
}

/** Rows of a table; the first cell of each is its heading. */
export function fillRows(body: Element, rows: readonly (readonly Cell[])[]): void {
  fill(body, rows, {
    make: () => document.createElement("tr"),
    show(row, cells) {
      while (row.children.length < cells.length) {
        const isFirst = row.children.length === 0;
        const cell = document.createElement(isFirst ? "th" : "td");
        if (isFirst) cell.scope = "row";
        row.append(cell);
      }
      cells.forEach((cell, at) => {
        showCell(row.children[at]!, cell);
      });
    },
  });
}

function showCell(element: Element, cell: Cell): void {
  const { text, colour = null, href = null } = typeof cell === "string" ? { text: cell } : cell;
  const told = `${colour}|${href}|${text}`;
  if ((element as HTMLElement).dataset["told"] === told) return;
  (element as HTMLElement).dataset["told"] = told;
  const content: (string | Element)[] = [text];
  if (href !== null) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = text;
    content[0] = link;
  }
  if (colour !== null) {
    const swatch = document.createElement("i");
    swatch.className = `c${colour}`;
    content.unshift(swatch);
  }
  element.replaceChildren(...content);
}

/** Names with their values, in a `dl`. */
export function fillFigures(list: Element, figures: readonly (readonly [name: string, value: string])[]): void {
  fill(list, figures, {
    make() {
      const group = document.createElement("div");
      group.append(document.createElement("dt"), document.createElement("dd"));
      return group;
    },
    show(group, [name, value]) {
      setText(group.children[0]!, name);
      setText(group.children[1]!, value);
    },
  });
}

export function clockTime(unixMs: number): string {
  return new Date(unixMs).toLocaleTimeString("en-GB");
}

/** Whatever is put into the page stays text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { figure } from "../../../coordinator/report/chart.ts";
import { html, jsonMarkup } from "../../../coordinator/report/html.ts";

const hostile = `</script><img src=x onerror="alert('&')">`;

test("text is escaped, in elements and in attributes, once", () => {
  const escaped = "&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;";
  assert.equal(html`<b title="${hostile}">${hostile}</b>`.text, `<b title="${escaped}">${escaped}</b>`);
  assert.equal(html`${[html`<i>${"<"}</i>`, null, 7]}`.text, "<i>&lt;</i>7");
});

test("data for a script cannot end the script, and is the same when it is read", () => {
  const { text } = jsonMarkup([hostile]);
  assert.doesNotMatch(text, /</);
  assert.deepEqual(JSON.parse(text), [hostile]);
});

test("a chart tells in words where its curves go, and draws what is there", () => {
  const { text } = figure(
    {
      title: "Loss",
      series: [
        { name: "a", colour: 0, x: [1, 2, 3], y: [3, null, 1] },
        { name: "b", colour: 1, x: [2], y: [2] },
        { name: "c", colour: 2, x: [], y: [] },
      ],
    },
    0,
  );
  assert.match(text, /aria-label="Loss\. a from 3 to 1; b from 2 to 2; c: nothing"/);
  // The corners of the plot: (1, 3) is its upper left one, (3, 1) its lower right.
  assert.match(text, /points="56,8 632,216"/);
  assert.match(text, /<circle class="c1" cx="344" cy="112"/);
});

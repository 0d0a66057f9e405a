/** The HTTP port under whoever reaches it: nothing that is sent ends the process, fills it, or opens what has a token. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { alive, type Handlers, json, servePages } from "../../../proto/telemetry/http.ts";
import { httpAccess } from "../../../proto/telemetry/httpaccess.ts";
import type { HttpBounds } from "../../../proto/telemetry/httpserver.ts";
import { answerTo, assertBears, heard, request, sending, statusesIn, strangeTargets } from "../../hostilehttp.ts";

const token = "0123456789abcdefSECRET";
const bearer = `Authorization: Bearer ${token}\r\n`;
/** What no answer may have that was asked for without the token. */
const secret = "only-for-who-has-the-token";
/** Something hangs that should end. */
const bounded = { timeout: 60_000 };
const short: Partial<HttpBounds> = { headersMs: 300, requestMs: 600, keptMs: 300 };

async function served(t: TestContext, bounds: Partial<HttpBounds> = {}, more: Handlers = {}): Promise<string> {
  const pages = {
    "/healthz": alive,
    "/state": () => json({ secret }),
    "/host": (_: string, host: string) => json(host),
  };
  const handlers: Handlers = {
    "/": (_, response) => void response.end(secret),
    "/jobs/*": (_, response, { pathname, searchParams }) => void response.end(`${secret} ${pathname} ${searchParams}`),
    ...more,
  };
  const access = httpAccess({ current: token });
  const port = await servePages({ host: "127.0.0.1", port: 0 }, pages, { handlers, access, bounds });
  t.after(() => port.close());
  return port.address;
}

test("targets that are no path are refused, and end nothing", bounded, async (t) => {
  const address = await served(t);
  await assertBears(address);
  const status = async (target: string, headers = bearer) =>
    statusesIn(await answerTo(address, request(target, headers)))[0];
  for (const target of ["http://x:99999/healthz", "*", "x", "file:///healthz", "javascript:1"]) {
    assert.equal(await status(target), 400, target);
  }
  // Another host may be meant by these; the path counts, and of the open ones only as it stands.
  for (const target of ["//", "//x/healthz", "//healthz", "/\\", "/healthz/"]) {
    assert.equal(await status(target), 404, target);
    assert.equal(await status(target, ""), 401, `${target} without the token`);
  }
  for (const target of ["/healthz", "http://anything/healthz", "HTTPS://user@x:1/healthz?a=b", "/jobs/../healthz"]) {
    assert.equal(await status(target, ""), 200, target);
  }
});

test("what a page or a handler throws is the answer to its request, now or later", bounded, async (t) => {
  let begun: ServerResponse | undefined;
  const address = await served(
    t,
    {},
    {
      "/now": () => {
        throw new Error("it failed at once");
      },
      "/later": () => Promise.reject(new Error("it failed later")),
      "/begun": (_, response) => {
        begun = response;
        response.write("half of ");
        throw new Error("it failed in the middle");
      },
    },
  );
  for (const [path, says] of [
    ["/now", "it failed at once"],
    ["/later", "it failed later"],
  ] as const) {
    assert.match(await answerTo(address, request(path, bearer)), new RegExp(`^HTTP/1\\.1 500 [\\s\\S]*${says}\n`));
  }
  const broken = await answerTo(address, request("/begun", bearer));
  assert.doesNotMatch(broken, /\r\n0\r\n\r\n$/, "it does not look whole");
  assert.ok(begun!.destroyed);
  assert.deepEqual(statusesIn(await answerTo(address, request("/healthz"))), [200]);
});

test("headers: too many bytes are refused, too many lines are not looked at", bounded, async (t) => {
  const address = await served(t);
  const lines = (count: number, bytes: number) =>
    Array.from({ length: count }, (_, at) => `X-${at}: ${"a".repeat(bytes)}\r\n`).join("");
  for (const headers of [
    lines(1, 20_000),
    lines(40, 1_000),
    `${"N".repeat(30_000)}: a\r\n`,
    `Cookie: ${"a=b; ".repeat(9_000)}\r\n`,
  ]) {
    assert.deepEqual(statusesIn(await answerTo(address, request("/healthz", headers))), [431]);
  }
  assert.deepEqual(statusesIn(await answerTo(address, request(`/${"a".repeat(40_000)}`))), [431]);
  assert.deepEqual(statusesIn(await answerTo(address, request("/state", lines(90, 1) + bearer))), [200]);
  assert.deepEqual(statusesIn(await answerTo(address, request("/state", lines(150, 1) + bearer))), [401]);
});

test("a request is where it says it is: none hides in another's body or headers", bounded, async (t) => {
  const address = await served(t, short);
  const hidden = `GET /state HTTP/1.1\r\nHost: x\r\n${bearer}\r\n`;
  const smuggled: readonly (readonly [headers: string, body: string])[] = [
    ["Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"],
    ["Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "0\r\n\r\n"],
    ["Content-Length: 0\r\nContent-Length: 6\r\n", ""],
    ["Content-Length: 0, 6\r\n", ""],
    ["Content-Length: -1\r\n", ""],
    ["Content-Length: +0\r\n", ""],
    ["Content-Length: 0x0\r\n", ""],
    ["Content-Length: 99999999999999999999\r\n", ""],
    ["Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"],
    ["Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"],
    ["Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"],
    ["Transfer-Encoding: chunked\r\n", "ffffffffffffffff1\r\n\r\n"],
    ["Transfer-Encoding : chunked\r\n", "0\r\n\r\n"],
    ["Transfer-Encoding:\x0bchunked\r\n", "0\r\n\r\n"],
    ["X: a\0b\r\n", ""],
    ["Accept: a\r\n X: folded\r\n", ""],
    ["X\r\n", ""],
    [`Content-Length: ${hidden.length}\r\n`, ""],
  ];
  for (const [headers, body] of smuggled) {
    const text = await answerTo(address, request("/nothing", headers, "POST") + body + hidden);
    assert.ok(statusesIn(text).length <= 1, `${JSON.stringify(headers)}: ${text}`);
    assert.ok(!text.includes(secret), JSON.stringify(headers));
  }
  // What a header says does not become one of an answer.
  const split = await answerTo(address, request("/healthz", "Origin: a\rSet-Cookie: b=c\r\nAccept: a\r\n"));
  assert.doesNotMatch(split, /set-cookie/i);
  assert.match(await answerTo(address, request("/host", `Accept: <script>\r\n${bearer}`)), /"x"\n/);
});

test("requests that are never finished end, whichever part is missing", bounded, async (t) => {
  const address = await served(t, short);
  const half = [
    "",
    "G",
    "GET / HTTP",
    "GET /healthz HTTP/1.1\r\n",
    "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ",
    "\r\n\r\n",
  ];
  const bodies = ["Content-Length: 1000\r\n\r\ntoken=", "Transfer-Encoding: chunked\r\n\r\n5\r\nto"];
  const all = [...half, ...bodies.map((rest) => `POST /login HTTP/1.1\r\nHost: x\r\n${rest}`)];
  const connections = Array.from({ length: 20 }, () => all.map((bytes) => answerTo(address, bytes))).flat();
  const statuses = (await Promise.all(connections)).flatMap(statusesIn);
  assert.deepEqual([...new Set(statuses)], [408]);
  assert.ok(statuses.length >= 20, "who has begun is told that it took too long");
});

test("who sends a byte now and then has no more time than others", bounded, async (t) => {
  const address = await served(t, short);
  const trickled = [
    "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ",
    "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\ntoken=",
  ];
  const ends = trickled.map(async (beginning) => {
    const socket = sending(address, beginning);
    const drops = setInterval(() => socket.write("a"), 40);
    const text = await heard(socket);
    clearInterval(drops);
    return statusesIn(text);
  });
  assert.deepEqual(await Promise.all(ends), [[408], [408]]);
});

test("an answer that is not read ends with its connection", bounded, async (t) => {
  const gone: Promise<unknown>[] = [];
  const address = await served(
    t,
    { silentMs: 500 },
    {
      "/large": (_, response) => {
        gone.push(once(response, "close"));
        response.end(Buffer.alloc(64 << 20));
      },
    },
  );
  const slow = sending(address, request("/large", bearer)).pause();
  t.after(() => slow.destroy());
  while (gone.length === 0) await sleep(10);
  await gone[0];
  assert.deepEqual(statusesIn(await answerTo(address, request("/healthz"))), [200]);
});

test("thousands of connections: some are served, the others closed, and who is in stays in", bounded, async (t) => {
  const address = await served(t, { connections: 300, headersMs: 20_000, requestMs: 30_000 });
  const first = sending(address);
  t.after(() => first.destroy());
  const ask = async () => {
    first.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    return String((await once(first, "data"))[0]);
  };
  assert.match(await ask(), /^HTTP\/1\.1 200/);
  const crowd = Array.from({ length: 3_000 }, () => sending(address, "GET /"));
  t.after(() => {
    for (const each of crowd) each.destroy();
  });
  let left = crowd.length;
  for (const each of crowd) each.once("close", () => left--);
  while (left > 299) {
    assert.match(await ask(), /^HTTP\/1\.1 200/);
    await sleep(50);
  }
  assert.match(await ask(), /^HTTP\/1\.1 200/);
  for (const each of crowd) each.destroy();
  let served200 = false;
  while (!served200) served200 = statusesIn(await answerTo(address, request("/healthz")))[0] === 200;
});

const line = fc.oneof(
  fc.constantFrom(
    ...["Host: x", "Host:", "Host: x\r\nHost: y", "Host: a b", "Connection: close", "Connection: keep-alive, close"],
    ...[
      "Content-Length: 5",
      "Content-Length: 0",
      "Content-Length: 1e9",
      "Transfer-Encoding: chunked",
      "Expect: 100-continue",
    ],
    ...[
      "Expect: x",
      "Connection: Upgrade\r\nUpgrade: websocket",
      "Upgrade: h2c\r\nConnection: Upgrade",
      "Accept: text/html",
    ],
    ...["Authorization: Bearer", `Authorization: Bearer  ${token}x`, "Authorization: Basic Og==", "If-None-Match: *"],
    ...[
      "Cookie: limbeck-1=1.1",
      "Cookie: ;;;=;limbeck-=NaN.",
      "Last-Event-ID: 1-1",
      `X: ${"y".repeat(9_000)}`,
      " folded",
    ],
  ),
  fc.string({ unit: "binary", maxLength: 30 }),
);
const target = fc.oneof(
  fc.constantFrom(...strangeTargets, "/", "/state", "/healthz", "/login", "/jobs/a/"),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
);
const method = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "TRACE") },
  { weight: 1, arbitrary: fc.constantFrom("", "get", "GETT", "G T", "PRI", "SOURCE", "M-SEARCH", "\0") },
);
const version = fc.constantFrom(
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/2.0",
  "HTTP/9.9",
  "",
  "HTTP/1.1 x",
);
const body = fc.oneof(
  fc.constantFrom(
    "",
    "hello",
    "5\r\nhello\r\n0\r\n\r\n",
    "0\r\n\r\n",
    "ffffffff\r\n",
    request("/state"),
    "token=a&to=//b",
  ),
  fc.string({ unit: "binary", maxLength: 50 }),
);
const bytes = fc
  .record({
    method,
    target,
    version,
    lines: fc.array(line, { maxLength: 6 }),
    body,
    end: fc.constantFrom("\r\n", "\r\n", "\n"),
    kept: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ method, target, version, lines, body, end, kept }) => {
    const whole = Buffer.from([`${method} ${target} ${version}`, ...lines, "", body].join(end), "latin1");
    // Half of them are cut off somewhere.
    return kept < 0.5 ? whole.subarray(0, Math.ceil(2 * kept * whole.length)) : whole;
  });

test("whatever is sent, the connection ends, nothing breaks, and the token keeps what it keeps", bounded, async (t) => {
  const address = await served(t, short);
  const allowed = new Set([100, 101, 200, 303, 400, 401, 404, 405, 408, 413, 417, 431, 501, 505]);
  const property = fc.asyncProperty(fc.array(bytes, { minLength: 30, maxLength: 30 }), async (sent) => {
    const answers = await Promise.all(sent.map((each) => answerTo(address, each)));
    for (const [at, text] of answers.entries()) {
      const said = `${sent[at]!.toString("latin1")}\n->\n${text}`;
      for (const status of statusesIn(text)) assert.ok(allowed.has(status), said);
      assert.ok(!text.includes(secret), said);
    }
    assert.deepEqual(statusesIn(await answerTo(address, request("/healthz"))), [200]);
  });
  await fc.assert(property, { numRuns: 15 });
});

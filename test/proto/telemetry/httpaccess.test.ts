/** The HTTP port: its token, how a browser logs in, and the headers of every answer. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { alive, json, servePages } from "../../../proto/telemetry/http.ts";
import { followHttpToken, httpAccess } from "../../../proto/telemetry/httpaccess.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";

const token = "0123456789abcdefSECRET";
const page = "text/html,application/xhtml+xml";

async function served(t: TestContext, access = httpAccess({ current: token })) {
  const pages = {
    "/healthz": alive,
    "/readyz": alive,
    "/state": () => json({ a: 1 }),
    "/failing": () => Promise.reject(new Error("no")),
  };
  const handlers = { "/": (_: unknown, response: { end(text: string): void }) => response.end("the page") };
  const port = await servePages({ host: "127.0.0.1", port: 0 }, pages, { handlers: handlers as never, access });
  t.after(() => port.close());
  return (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    fetch(`http://${port.address}${path}`, { redirect: "manual", headers, ...init });
}

test("who has the token reads everything, who has not only whether it lives", async (t) => {
  const get = await served(t);
  for (const path of ["/", "/state", "/metrics", "/nothing"]) {
    for (const sent of [
      {},
      { authorization: "Bearer wrong" },
      { authorization: token },
      { cookie: `limbeck=${token}` },
    ] as Record<string, string>[]) {
      const refused = await get(path, sent);
      assert.equal(refused.status, 401, path);
      assert.equal(refused.headers.get("www-authenticate"), 'Bearer realm="limbeck"');
    }
  }
  for (const path of ["/healthz", "/readyz"]) assert.equal((await get(path)).status, 200);
  assert.deepEqual(await (await get("/state", { authorization: `Bearer ${token}` })).json(), { a: 1 });
});

test("a browser is asked for it once, and keeps a proof that scripts and other sites do not have", async (t) => {
  let nowMs = 1_700_000_000_000;
  const get = await served(
    t,
    httpAccess({ current: token }, () => nowMs),
  );
  const asked = await get("/jobs/mnist-1/", { accept: page });
  assert.equal(asked.status, 401);
  const form = await asked.text();
  assert.match(form, /<form method="post" action="\/login">/);
  assert.match(form, /name="to" value="\/jobs\/mnist-1\/"/);
  assert.match(
    asked.headers.get("content-security-policy")!,
    /default-src 'none';.*form-action 'self'.*frame-ancestors 'none'/,
  );

  const logIn = (fields: Record<string, string>) =>
    get("/login", {}, { method: "POST", body: new URLSearchParams(fields) });
  const wrong = await logIn({ token: "wrong", to: "/" });
  assert.deepEqual([wrong.status, wrong.headers.get("set-cookie")], [401, null]);
  assert.match(await wrong.text(), /That is not the token\./);
  const right = await logIn({ token, to: "/jobs/mnist-1/" });
  assert.deepEqual([right.status, right.headers.get("location")], [303, "/jobs/mnist-1/"]);
  const set = right.headers.get("set-cookie")!;
  assert.match(set, /^limbeck-\d+=\d+\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  assert.ok(!set.includes(token));

  const cookie = set.split(";")[0]!;
  assert.equal((await get("/state", { cookie: `other=1; ${cookie}` })).status, 200);
  const later = cookie.replace(/=(\d+)/, (_, until) => `=${Number(until) + 1_000}`);
  assert.equal((await get("/state", { cookie: later })).status, 401, "a proof holds for its own end");
  nowMs += 12 * 3_600_000;
  assert.equal((await get("/state", { cookie })).status, 401, "it has ended");
});

test("nobody is sent elsewhere, and no form is larger than a token", async (t) => {
  const get = await served(t);
  for (const to of [
    "//evil.test",
    "https://evil.test",
    "/\\evil.test",
    '/"><script>',
    "/login",
    "javascript:1",
    "",
    "/a?b",
    "/a\r\nset-cookie: b=c",
    "/\0",
  ]) {
    const right = await get("/login", {}, { method: "POST", body: new URLSearchParams({ token, to }) });
    assert.equal(right.headers.get("location"), "/", to);
  }
  const shown = await (await get('/x"><script>alert(1)</script>', { accept: page })).text();
  assert.ok(!shown.includes("<script"));
  await assert.rejects(get("/login", {}, { method: "POST", body: "x".repeat(100_000) }));
});

test("a token that is changed counts at once, and ends what the old one opened", async (t) => {
  const file = join(await scratchFolder(t), "token");
  writeFileSync(file, `${token}\n`);
  const current = { current: token };
  const get = await served(t, httpAccess(current));
  const right = await get("/login", {}, { method: "POST", body: new URLSearchParams({ token }) });
  const cookie = right.headers.get("set-cookie")!.split(";")[0]!;
  assert.equal((await get("/state", { cookie })).status, 200);
  current.current = "another-token-of-some-length";
  assert.equal((await get("/state", { cookie })).status, 401);
  followHttpToken(file, () => {}).close();
  for (const text of ["short", "", "has spaces in the middle of it"]) {
    writeFileSync(file, text);
    assert.throws(
      () => followHttpToken(file, () => {}),
      /--http-token-file: .* must hold one token of 16 or more characters/,
    );
  }
});

test("every answer has the safe headers, whatever it answers", async (t) => {
  const get = await served(t);
  const bearer = { authorization: `Bearer ${token}` };
  const answers = [
    ...(await Promise.all(["/", "/state", "/nothing", "/failing", "/healthz"].map((path) => get(path, bearer)))),
    await get("/state"),
    await get("/", { accept: page }),
    await get("/state", bearer, { method: "POST" }),
    await get("/login", {}, { method: "POST", body: new URLSearchParams({ token }) }),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 404, 503, 200, 401, 401, 405, 303],
  );
  for (const { headers, url, status } of answers) {
    const of = `${url} ${status}`;
    assert.equal(headers.get("x-content-type-options"), "nosniff", of);
    assert.equal(headers.get("referrer-policy"), "no-referrer", of);
    assert.equal(headers.get("cache-control"), "no-store", of);
    assert.match(headers.get("content-security-policy")!, /default-src 'none'.*frame-ancestors 'none'/, of);
  }
});

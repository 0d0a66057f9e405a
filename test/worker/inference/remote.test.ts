/** A teacher on a server that speaks KServe v2, over real gRPC. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Network } from "../../../worker/learn/network.ts";
import { asked, assertClose, count, examples, model, open, reference, refused, shape } from "./asking.ts";
import { type KserveSettings, serveKserve } from "./kserve.ts";

test("a KServe server gives the model's logits, raw or typed", async (t) => {
  for (const contents of ["raw", "typed"] as const) {
    const server = await serveKserve(model, { contents, shape: [-1, ...shape], busy: 2 });
    t.after(server.close);
    const { logits } = await asked({ remote: { address: server.address, model: "digits", batch: 4 } });
    assertClose(logits, reference.nhwc);
    assert.deepEqual(server.rows, [4, 4, 4], "two for the first look, six for the examples");
  }
});

test("a server that goes and comes back is waited for", async (t) => {
  const first = await serveKserve(model, { shape: [-1, ...shape] });
  const { address } = first;
  const found = await open({ remote: { address, model: "digits", timeoutSeconds: 20 } });
  assert.ok(!(found instanceof Network));
  first.close();
  const answer = found.logits(examples.nhwc, count);
  answer.catch(() => {});
  // The call has failed at least once when another serves there.
  await assert.rejects(asked({ remote: { address, model: "digits", timeoutSeconds: 0.3 } }), /ECONNREFUSED|dropped/);
  const second = await serveKserve(model, { shape: [-1, ...shape], port: Number(address.split(":")[1]) });
  t.after(second.close);
  assertClose(await answer, reference.nhwc);
  await found.dispose();
});

test("of a server that does not answer the first is told late, the others soon, and all is well when it is back", async (t) => {
  let stuck = true;
  const server = await serveKserve(model, { shape: [-1, ...shape], silent: () => stuck });
  t.after(server.close);
  stuck = false;
  const found = await open({ remote: { address: server.address, model: "digits", timeoutSeconds: 2 } });
  assert.ok(!(found instanceof Network));
  t.after(() => found.dispose());
  stuck = true;
  const away = { code: "server_away", message: /^teacher\.remote: digits at .* is away: no answer in 2 s/ };
  await assert.rejects(found.logits(examples.nhwc, count), away);
  server.close();
  await assert.rejects(found.logits(examples.nhwc, count), { ...away, message: /is away: .*(ECONNREFUSED|dropped)/ });
  stuck = false;
  const back = await serveKserve(model, { shape: [-1, ...shape], port: Number(server.address.split(":")[1]) });
  t.after(back.close);
  assertClose(await found.logits(examples.nhwc, count), reference.nhwc);
});

test("a remote teacher that cannot be asked is refused with the reason", async (t) => {
  const serve = async (settings: KserveSettings) => {
    const server = await serveKserve(model, settings);
    t.after(server.close);
    return { address: server.address, model: "digits", timeoutSeconds: 0.5 };
  };
  const fine = await serve({ shape: [-1, ...shape] });
  await refused(
    { remote: { ...fine, model: "digit" } },
    /^teacher\.remote: digit at .* refuses: NOT_FOUND: .*'digit' is not found$/,
  );
  await refused(
    { remote: { ...fine, output: "logits" } },
    /^teacher\.remote\.output: digits at .* has no output logits, it has scores$/,
  );
  await refused({ remote: { ...fine, layout: "nchw" } }, /^teacher\.remote\.layout: nchw makes .*: nhwc would fit$/);
  await refused({ remote: fine }, /^teacher\.remote: digits at .* has 3 classes, the dataset 4$/, { classes: 4 });
  const unready = await serve({ isReady: false });
  await refused({ remote: unready }, /^teacher\.remote: digits at .* says that it is not ready$/, {}, "server_away");
  const silent = await serve({ silent: () => true });
  await refused({ remote: silent }, /^teacher\.remote: digits at .* is away: no answer in 0\.5 s/, {}, "server_away");
  const gone = await serveKserve(model);
  gone.close();
  const away = { address: gone.address, model: "digits", timeoutSeconds: 0.5 };
  await refused(
    { remote: away },
    /^teacher\.remote: digits at 127\.0\.0\.1:\d+ is away: no answer in 0\.5 s: .*ECONNREFUSED/,
    {},
    "server_away",
  );
});

/** Attacks by how much is begun and left: calls, connections, answers that nobody reads. Each lasts for so long, and cuts all. */
import type { ClientHttp2Session } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { framed, open, settled } from "./attacker.ts";
import type { Aim, Attack } from "./messages.ts";
import { frame, headers, preface, reset, settings } from "./rawframes.ts";
import { samplesOf } from "./samples.ts";

const leftMs = 700;

export const floods: Readonly<Record<string, Attack>> = {
  /** Thousands of calls, on few connections. */
  streams: (aim) =>
    within(aim, 8, async (sessions) => {
      for (const session of sessions) {
        for (let count = 0; count < 300; count++) leave(aim, session);
        await sleep(5);
      }
      await sleep(leftMs);
    }),
  /** Calls that are opened and reset in the same packet, known and unknown, well-formed and not. */
  reset: async (aim) => {
    const { attacker, method, draw, tally } = aim;
    const sockets = Array.from({ length: 4 }, () => attacker.raw());
    const paths = [method.path, method.path, "/limbeck.v1.Jobs/Nothing", "/"];
    for (const socket of sockets) {
      socket.on("data", () => {});
      const pairs = Array.from({ length: 200 }, (_, at) => {
        const stream = 2 * at + 1;
        const begun = headers(stream, draw.pick(paths), draw.pick(["application/grpc", "text/plain"]));
        const bytes = draw.bytes(20);
        // A call that is reset without an error counts as ended, so what was said is asked.
        const message = aim.isLegal(method, bytes) ? Buffer.alloc(20, 0xff) : bytes;
        const said = frame("data", 0, stream, framed(message));
        return Buffer.concat([begun, ...(draw.below(2) ? [said] : []), reset(stream, draw.pick([0, 1, 7, 8, 11]))]);
      });
      tally.calls += pairs.length;
      socket.write(Buffer.concat([preface, settings, ...pairs]));
    }
    await sleep(leftMs / 2);
    for (const socket of sockets) socket.destroy();
  },
  /** Half a message each, as large as may be. */
  partial: (aim) =>
    within(aim, 4, async (sessions) => {
      const half = framed(Buffer.alloc(2 ** 20, 1), { length: 64 * 2 ** 20 });
      for (const session of sessions) {
        for (let count = 0; count < 60; count++) leave(aim, session)?.write(half);
        await sleep(20);
      }
      await sleep(leftMs);
    }),
  /** Requests whose answers are never taken. */
  unread: (aim) =>
    within(aim, 2, async (sessions) => {
      const harmless = samplesOf(aim.method, aim.known)
        .map((sample) => aim.method.encode(sample))
        .filter((bytes) => !aim.isLegal(aim.method, bytes));
      const some = Array.from({ length: aim.method.requestStream ? 2_000 : 1 }, () => harmless);
      const frames = Buffer.concat(some.flat().map((bytes) => framed(bytes)));
      for (const session of sessions) {
        for (let count = 0; count < 30 && harmless.length > 0; count++) {
          const stream = leave(aim, session);
          stream?.pause();
          stream?.end(frames);
        }
        await sleep(20);
      }
      await sleep(leftMs);
    }),
  /** Connections without a word, with half a word, and with another's; some cut, some left. */
  connections: async ({ attacker, draw, tally }) => {
    const words = [
      Buffer.alloc(0),
      preface.subarray(0, 10),
      Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"),
      Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1]),
      Buffer.concat([preface, settings]),
      Buffer.concat([preface, settings, draw.bytes(200)]),
      // A frame of headers that is longer than what comes; settings without an end.
      Buffer.concat([preface, settings, Buffer.from([0, 3, 0xe8, 1, 4, 0, 0, 0, 1, 0x82])]),
      Buffer.concat([preface, ...Array.from({ length: 500 }, () => settings)]),
    ];
    const sockets = Array.from({ length: 200 }, () => attacker.raw());
    for (const socket of sockets) {
      tally.calls += 1;
      socket.on("data", () => {});
      socket.write(draw.pick(words));
      if (draw.below(4) === 0) socket.destroy();
    }
    await sleep(leftMs);
    for (const socket of sockets) socket.destroy();
  },
  /** A byte at a time: the head of a call, and of its message. */
  trickle: async ({ attacker, method, draw, tally }) => {
    const sockets = Array.from({ length: 10 }, () => attacker.raw());
    const words = Buffer.concat([preface, settings, Buffer.from([0, 0, 200, 1, 4, 0, 0, 0, 1]), draw.bytes(90)]);
    const stream = open(attacker.shared, method.path);
    tally.calls += 1 + sockets.length;
    const end = settled(stream, tally, leftMs);
    const said = framed(Buffer.alloc(5_000));
    for (let at = 0; at < 40; at++) {
      for (const socket of sockets) socket.write(words.subarray(at, at + 1));
      if (!stream.closed) stream.write(said.subarray(at, at + 1));
      await sleep(leftMs / 40);
    }
    await end;
    for (const socket of sockets) socket.destroy();
  },
};

function leave({ method, tally }: Aim, session: ClientHttp2Session) {
  if (session.closed || session.destroyed) return null;
  tally.calls += 1;
  const stream = open(session, method.path);
  stream.once("close", () => {
    const how = `left ${stream.rstCode}`;
    tally.statuses[how] = (tally.statuses[how] ?? 0) + 1;
  });
  return stream;
}

/** Connections that are cut afterwards. */
async function within(
  { attacker }: Aim,
  count: number,
  use: (sessions: readonly ClientHttp2Session[]) => Promise<void>,
): Promise<void> {
  const sessions = Array.from({ length: count }, () => attacker.session());
  try {
    await use(sessions);
  } finally {
    for (const session of sessions) session.destroy();
  }
}

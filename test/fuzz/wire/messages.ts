/** Attacks by what is said: one call of a method each, with messages that no caller of ours would send. */
import type { ClientHttp2Session } from "node:http2";
import { setImmediate } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Draw } from "../draw.ts";
import { type Attacker, framed, open, settled, type Tally } from "./attacker.ts";
import type { IsLegal } from "./legal.ts";
import type { Method } from "./methods.ts";
import { absurd, mutated, partsWithin } from "./mutations.ts";
import { hello, type Known, samplesOf } from "./samples.ts";

export interface Aim {
  readonly attacker: Attacker;
  readonly method: Method;
  readonly known: Known;
  readonly isLegal: IsLegal;
  readonly draw: Draw;
  readonly tally: Tally;
}

export type Attack = (aim: Aim) => Promise<unknown>;

/** Messages that coordinators take, and workers. */
const [coordinators, largest] = [8 * 2 ** 20, 64 * 2 ** 20];
const mostMs = 5_000;
/** The largest message, compressed; made once. */
let packed: Buffer | null = null;

export const messageAttacks: Readonly<Record<string, Attack>> = {
  random: (aim) => say(aim, [aim.draw.bytes(aim.draw.pick([0, 1, 7, 60, 900, 20_000]))]),
  mutated: (aim) =>
    say(
      aim,
      several(aim, (bytes) => mutated(bytes, aim.draw)),
    ),
  absurd: (aim) =>
    say(
      aim,
      several(aim, (_, message) => encoded(aim, absurd(message, aim.draw))),
    ),
  /** A few bytes each on the wire, and objects when they are decoded. */
  parts: (aim) => {
    const fields = Array.from({ length: 1 + aim.draw.below(2) }, () => 1 + aim.draw.below(17));
    return say(aim, [partsWithin(fields, aim.draw.pick([70_000, 1_000_000]))]);
  },
  /** More than is taken: said, and then in part sent; or as much as is taken. */
  oversized: async (aim) => {
    if (aim.draw.below(16) === 0) return await sayMost(aim);
    const frame = framed(Buffer.alloc(1_000), { length: aim.draw.pick([largest + 1, 2 ** 31, 2 ** 32 - 1]) });
    return await sendFrames(aim, [frame]);
  },
  compressed: (aim) => {
    packed ??= gzipSync(Buffer.alloc(largest, 1));
    const frames = Array.from({ length: 2 }, () => framed(packed!, { flag: 1 }));
    return sendFrames(aim, frames, { "grpc-encoding": aim.draw.pick(["gzip", "deflate", "brotli", "identity"]) });
  },
  headers: (aim) => {
    const [bytes] = several(aim, (each) => each);
    const more = aim.draw.pick(oddHeaders);
    return sendFrames(aim, bytes && !aim.isLegal(aim.method, bytes) ? [framed(bytes)] : [], more);
  },
  /** A message whose end does not come while the call lasts, and one whose head does not. */
  half: (aim) => {
    const [bytes = Buffer.alloc(50)] = several(aim, (each) => each);
    const frame = framed(bytes).subarray(0, aim.draw.pick([1, 4, 5, 6, Math.max(1, bytes.length - 1)]));
    return sendFrames(aim, [frame], {}, { ends: aim.draw.below(2) === 0 });
  },
  /** Of sessions: what comes before, twice, after the end, of other terms and workers. */
  order: (aim) =>
    aim.method.requestStream
      ? disordered(aim)
      : say(
          aim,
          several(aim, (each) => each, 3),
        ),
};

const oddHeaders: readonly Readonly<Record<string, string>>[] = [
  { "grpc-timeout": "1n" },
  { "grpc-timeout": "99999999H" },
  { "grpc-timeout": "soon" },
  { "grpc-encoding": "none of these" },
  { "content-type": "text/html" },
  { "content-type": "application/grpc+json" },
  { authorization: `Bearer ${"x".repeat(8_000)}` },
  { "x-odd-bin": "%%% no base64 %%%" },
  { "user-agent": "é".repeat(500) },
  Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`x-many-${at}`, "y".repeat(100)])),
];

/** Valid messages, changed. */
function several({ method, known, draw }: Aim, change: (bytes: Buffer, message: object) => Buffer, count = 1) {
  const samples = samplesOf(method, known);
  const most = method.requestStream ? count + draw.below(4) : count;
  return Array.from({ length: most }, () => {
    const message = draw.pick(samples);
    return change(method.encode(message), message);
  });
}

/** What the encoder does not take is sent as it was. */
function encoded({ method, known, draw }: Aim, message: object): Buffer {
  try {
    return method.encode(message);
  } catch {
    return method.encode(draw.pick(samplesOf(method, known)));
  }
}

function say(aim: Aim, messages: readonly Buffer[]): Promise<string> {
  const illegal = messages.filter((bytes) => !aim.isLegal(aim.method, bytes));
  const frames = illegal.map((bytes) => framed(bytes));
  return sendFrames(aim, frames);
}

/** As much as one message may have, on a connection of its own: on a shared one all others would wait for it. */
async function sayMost(aim: Aim): Promise<string> {
  const message = Buffer.alloc(aim.draw.pick([coordinators, largest]) - 1, aim.draw.below(256));
  const session = aim.attacker.session();
  try {
    return await sendFrames(aim, [framed(message)], {}, { session, withinMs: mostMs });
  } finally {
    await setImmediate();
    session.destroy();
  }
}

async function disordered(aim: Aim): Promise<string> {
  const { known, method, draw } = aim;
  const terms = [0, known.term - 1, known.term, known.term + 1, 2 ** 53];
  const said = several(aim, (_, message) => method.encode({ ...message, term: draw.pick(terms) }), 6);
  if (method.name === "Coordinator.Join") {
    const greeting = () => method.encode(hello(`mallory-${draw.below(1_000)}`, draw.pick(["student", "teacher"])));
    // Mostly a hello first, for what comes before it is not looked at any further.
    if (draw.below(4) > 0) said.unshift(greeting());
    if (draw.below(3) === 0) said.splice(draw.below(said.length), 0, greeting());
  }
  return say(aim, said);
}

interface Sending {
  readonly ends?: boolean;
  readonly withinMs?: number;
  readonly session?: ClientHttp2Session;
}

function sendFrames(
  { attacker, method, tally }: Aim,
  frames: readonly Buffer[],
  headers: Readonly<Record<string, string>> = {},
  { ends = true, withinMs, session = attacker.shared }: Sending = {},
): Promise<string> {
  const stream = open(session, method.path, headers);
  tally.calls += 1;
  tally.messages += frames.length;
  const end = settled(stream, tally, withinMs);
  for (const frame of frames) stream.write(frame);
  if (ends) stream.end();
  return end;
}

/** Reading a subject of a stream from a sequence on to what is its last message now: 100,000 in about half a second. */
import { consumerOpts, type JsMsg } from "nats";
import type { Nats } from "../../proto/nats.ts";
import { isOutage, natsFailure } from "../../proto/natserrors.ts";
import type { EntryKind, Part } from "./entry.ts";
import { fenceHeader, lastOf, type PublishOptions, pause } from "./publish.ts";

export const kindHeader = "Limbeck-Kind";
export const partHeader = "Limbeck-Part";

export interface Range {
  readonly stream: string;
  /** With wildcards or without. */
  readonly subject: string;
  /** The first sequence that is of interest. */
  readonly from: number;
}

/** A part, and where it lies. */
export interface ReadPart extends Part {
  readonly sequence: number;
  readonly subject: string;
}

/** Nothing came for so long: the consumer is made anew. */
const silenceMs = 5_000;

/**
 * Calls `take` with each message in order, each once, whatever the server delivers.
 * @returns the sequence of the last; `from` - 1 where there is none
 * @throws as `lastOf`
 */
export async function readParts(
  nats: Nats,
  range: Range,
  { take, ...options }: PublishOptions & { take(part: ReadPart): void },
): Promise<number> {
  let next = range.from;
  for (let attempt = 0; ; attempt++) {
    const { sequence: target } = await lastOf(nats, range, options);
    if (target < next) return next - 1;
    try {
      const from = next;
      await deliver(nats, { ...range, from }, target, (message) => {
        if (message.seq < next) return; // Delivered again.
        next = message.seq + 1;
        take(partIn(message));
      });
      return Math.max(target, next - 1);
    } catch (thrown) {
      if (!(thrown instanceof Silence) && !isOutage(thrown)) throw natsFailure(thrown, nats.where, options.what);
    }
    await pause(attempt, options.signal);
  }
}

class Silence extends Error {}

async function deliver(nats: Nats, range: Range, target: number, take: (message: JsMsg) => void): Promise<void> {
  const { stream, subject, from } = range;
  const options = consumerOpts();
  options.orderedConsumer();
  options.bindStream(stream);
  options.startSequence(from);
  const done = new Promise<void>((resolve, reject) => {
    let heardMs = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - heardMs > silenceMs) end(() => reject(new Silence()));
    }, silenceMs / 5);
    const end = (settle: () => void) => {
      clearInterval(watch);
      settle();
    };
    options.callback((error, message) => {
      heardMs = performance.now();
      if (error) return end(() => reject(error));
      if (!message) return;
      try {
        take(message);
      } catch (thrown) {
        return end(() => reject(thrown));
      }
      if (message.seq >= target) end(resolve);
    });
  });
  done.catch(() => undefined);
  const subscription = await nats.connection.jetstream({ timeout: silenceMs }).subscribe(subject, options);
  try {
    await done;
  } finally {
    subscription.unsubscribe();
  }
}

function partIn({ headers, data, seq: sequence, subject }: JsMsg): ReadPart {
  const [part = 1, parts = 1] = (headers?.get(partHeader) || "1/1").split("/").map(Number);
  const kind = (headers?.get(kindHeader) || "record") as EntryKind;
  return { kind, fence: Number(headers?.get(fenceHeader) || 0), part, parts, bytes: data, sequence, subject };
}

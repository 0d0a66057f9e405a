/**
 * The cache's thread: a read of a record is a system call of a microsecond where the file is in memory, and blocks for
 * as long as the disk likes where it is not. Here it keeps nobody from a heartbeat.
 */
import { parentPort, workerData } from "node:worker_threads";
import { asLimbeckError } from "../../core/errors.ts";
import type { CacheNews, CacheOrder, CacheSettings } from "./protocol.ts";
import { type Found, Store } from "./store.ts";
import { findStore, makeStore, touchStore } from "./stores.ts";

type Order<K extends CacheOrder["kind"]> = Extract<CacheOrder, { kind: K }>;

const touchMs = 30_000;

const port = parentPort!;
const { dir, maxBytes, key } = workerData as CacheSettings;
const tell = (news: CacheNews, transfer: ArrayBuffer[] = []) => port.postMessage(news, transfer);

/** null where there is none yet: it is made with the first record. */
let store: Store | null = null;
let touching: NodeJS.Timeout | undefined;
let isReadable = true;
let isWritable = true;
let isRefusalTold = false;

const opened = findStore(dir, key).then(async (folder) => {
  if (folder !== null) await open(folder);
}, giveUpReading);
/** Reads never wait for writes, which may wait for room. */
let written: Promise<void> = opened;

async function open(folder: string): Promise<void> {
  store ??= new Store(folder, key);
  await touchStore(folder);
  touching ??= setInterval(() => void touchStore(folder), touchMs);
}

function read({ id, examples, view }: Order<"read">): void {
  const { logits, missing } = found(examples, view);
  tell({ kind: "found", id, logits, missing }, [logits.buffer as ArrayBuffer, missing.buffer as ArrayBuffer]);
}

function found(examples: Uint32Array, view: number): Found {
  if (store && isReadable) {
    try {
      return store.read(examples, view);
    } catch (thrown) {
      giveUpReading(thrown);
    }
  }
  return { logits: new Float32Array(0), missing: Uint32Array.from(examples.keys()) };
}

async function write({ examples, view, logits }: Order<"write">): Promise<void> {
  try {
    if (!isWritable) return;
    if (!store) {
      const made = await makeStore(dir, key, maxBytes);
      if ("why" in made) return giveUpWriting(made.why);
      await open(made.folder);
    }
    const refused = store!.write(examples, view, logits);
    if (refused > 0 && !isRefusalTold) {
      isRefusalTold = true;
      const why = `soft targets that ${key.format} cannot hold are asked for in every epoch: softTargets.format: float32 would let them be cached`;
      tell({ kind: "trouble", why });
    }
  } catch (thrown) {
    giveUpWriting(asLimbeckError(thrown).message);
  } finally {
    tell({ kind: "written", logitBytes: logits.byteLength });
  }
}

function giveUpReading(thrown: unknown): void {
  isReadable = false;
  tell({ kind: "trouble", why: `the soft targets in ${dir} cannot be read: ${asLimbeckError(thrown).message}` });
}

function giveUpWriting(why: string): void {
  isWritable = false;
  tell({ kind: "trouble", why: `no soft targets are cached from now on: ${why}` });
}

async function close(): Promise<void> {
  await written;
  clearInterval(touching);
  store?.close();
  port.close();
}

port.on("message", (order: CacheOrder) => {
  switch (order.kind) {
    case "read":
      void opened.then(() => read(order));
      return;
    case "write":
      written = written.then(() => write(order));
      return;
    case "close":
      void opened.then(close);
      return;
  }
});

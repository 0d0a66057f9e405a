/** `nats://`: the JetStream object store of a cluster, for what is small. The server checks sizes, we the sha256. */
import type { NatsConnection, ObjectStore } from "nats";
import { StorageType } from "nats";
import { LimbeckError } from "../../core/errors.ts";
import { bytesText } from "../../core/words.ts";
import { artifactBucket } from "../cluster.ts";
import { isFull, natsFailure } from "../natserrors.ts";
import { raiseReplicas, replicasAt } from "../natsreplicas.ts";
import type { Shelf, Stored } from "./depot.ts";
import type { Source } from "./source.ts";

// An object is chunks of a stream, all of which its client holds until they are acknowledged.
const mostBytes = 256 << 20;
const pieceBytes = 1 << 16;
const requestMs = 5_000;
const shaKey = "sha256";

/** @param cluster in whose bucket, limbeck-<cluster>-artifacts, the objects lie */
export async function objectShelf(
  connection: NatsConnection,
  { cluster }: { readonly cluster: string },
): Promise<Shelf> {
  const bucket = artifactBucket(cluster);
  const stream = `OBJ_${bucket}`;
  const where = `the JetStream object store ${bucket}`;
  const told = async <T>(asking: Promise<T>): Promise<T> => await asking.catch((thrown) => rethrow(where, thrown));
  const options = {
    storage: StorageType.File,
    replicas: replicasAt({ connection }),
    description: "checkpoints and models of Limbeck",
  };
  const store: ObjectStore = await told(connection.jetstream().views.os(bucket, options));
  // A bucket that was made while the cluster started. Who may not change it leaves that to who may.
  await raiseReplicas({ connection }, stream, requestMs).catch(() => "");
  return {
    where,
    async put(key, source, signal) {
      if (source.bytes > mostBytes) {
        const message = `${key} has ${bytesText(source.bytes)}, more than the ${bytesText(mostBytes)} that are put into ${where}: use a depot in s3:// or file:// for models of this size`;
        throw new LimbeckError("usage", message);
      }
      await told(store.put({ name: key, metadata: { [shaKey]: source.sha256 } }, streamOf(source, signal)));
    },
    async open(key): Promise<Stored | null> {
      const got = await told(store.get(key));
      if (got === null) return null;
      const { size, metadata } = got.info;
      return { sha256: metadata?.[shaKey] ?? null, bytes: size, pieces: piecesOf(got.data, got.error, where) };
    },
    async list() {
      const infos = await told(store.list());
      return infos.filter(({ deleted }) => !deleted).map(({ name, size }) => ({ key: name, bytes: size }));
    },
    async remove(key) {
      const info = await told(store.info(key));
      if (info === null) return;
      const manager = await told(connection.jetstreamManager({ checkAPI: false, timeout: requestMs }));
      const purge = (part: string) => told(manager.streams.purge(stream, { filter: `$O.${bucket}.${part}` }));
      // As the client writes a name, padded; of what a key is made of base64 for URLs makes the same.
      const name = Buffer.from(key).toString("base64");
      // Not the client's `delete`, which puts a mark in the object's place: a store that is full takes none.
      await purge(`M.${name}`);
      // Where only the second fails, nothing says any more where the chunks are.
      const chunks = () => purge(`C.${info.nuid}`);
      await chunks().catch(chunks);
    },
    close: async () => {},
  };
}

function streamOf(source: Source, signal: AbortSignal): ReadableStream<Uint8Array> {
  const pieces = source.pieces(pieceBytes)[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      signal.throwIfAborted();
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

async function* piecesOf(
  data: ReadableStream<Uint8Array>,
  error: Promise<Error | null>,
  where: string,
): AsyncGenerator<Uint8Array> {
  const reader = data.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
  } catch (thrown) {
    rethrow(where, thrown);
  }
  const failed = await error;
  if (failed) throw new LimbeckError("corrupt", `${where}: ${failed.message}`, { cause: failed });
}

function rethrow(where: string, thrown: unknown): never {
  if (thrown instanceof LimbeckError) throw thrown;
  if (isFull(thrown)) {
    const room =
      "give its account and its disk more room, or remove what jobs that are over have there, of a service by limbeck delete JOB";
    throw new LimbeckError("unavailable", `${where} is full: ${room}`, { cause: thrown });
  }
  throw natsFailure(thrown, where, "the object store");
}

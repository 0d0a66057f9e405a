/**
 * `s3://bucket/prefix`: any store that speaks S3. Every request carries its body's MD5, which all of them check; the
 * object's sha256 is kept as its metadata. Large objects go in parts, of which nothing shows before the last is there.
 */
import { createHash } from "node:crypto";
import type { DepotEntry, Shelf, Stored } from "./depot.ts";
import { joinKey } from "./key.ts";
import { type Command, openS3, type S3Place } from "./s3client.ts";
import type { Source } from "./source.ts";

// The smallest that S3 takes as a part. Hashing one takes the thread about 15 ms.
const partBytes = 5 << 20;
const mostParts = 10_000;

interface Listing {
  readonly Contents?: readonly { readonly Key?: string; readonly Size?: number }[];
  readonly NextContinuationToken?: string;
}

interface Got {
  readonly Body: AsyncIterable<Uint8Array>;
  readonly ContentLength?: number;
  readonly Metadata?: Readonly<Record<string, string>>;
}

export async function s3Shelf(place: S3Place): Promise<Shelf> {
  const client = await openS3(place);
  const { bucket: Bucket, prefix } = place;
  const object = (key: string) => ({ Bucket, Key: joinKey(prefix, key) });
  return {
    where: client.where,
    async put(key, source, signal) {
      const Metadata = { sha256: source.sha256 };
      if (source.bytes > partBytes) return await inParts({ ...object(key), Metadata }, source, client.send, signal);
      const [Body = new Uint8Array()] = await allOf(source.pieces(partBytes));
      await client.send("PutObject", { ...object(key), Metadata, Body, ContentMD5: md5(Body) }, signal);
    },
    async open(key, signal): Promise<Stored | null> {
      const got = (await client.send("GetObject", object(key), signal)) as Got | null;
      if (got === null) return null;
      const { Body, ContentLength = 0, Metadata = {} } = got;
      return { sha256: Metadata["sha256"] ?? null, bytes: ContentLength, pieces: client.told(Body) };
    },
    async list(folder, signal) {
      const inside = joinKey(prefix, folder);
      const all: DepotEntry[] = [];
      for (let from: string | undefined; ; ) {
        // The object of that name, and what lies below it: keys that only begin alike are dropped by who asked.
        const asked = { Bucket, Prefix: inside, ...(from !== undefined && { ContinuationToken: from }) };
        const { Contents = [], NextContinuationToken } = (await client.send("ListObjectsV2", asked, signal)) as Listing;
        for (const { Key = "", Size = 0 } of Contents) {
          if (prefix === "" || Key.startsWith(`${prefix}/`))
            all.push({ key: prefix === "" ? Key : Key.slice(prefix.length + 1), bytes: Size });
        }
        if (!NextContinuationToken) return all;
        from = NextContinuationToken;
      }
    },
    async remove(key, signal) {
      await client.send("DeleteObject", object(key), signal);
    },
    close: async () => client.close(),
  };
}

async function inParts(object: object, source: Source, send: Command, signal: AbortSignal): Promise<void> {
  const { Metadata: _, ...target } = object as { Metadata: unknown };
  const { UploadId } = (await send("CreateMultipartUpload", object, signal)) as { UploadId: string };
  const upload = { ...target, UploadId };
  try {
    const Parts: { PartNumber: number; ETag: string }[] = [];
    const size = Math.max(partBytes, Math.ceil(source.bytes / mostParts));
    for await (const Body of source.pieces(size)) {
      const part = { PartNumber: Parts.length + 1, Body, ContentMD5: md5(Body) };
      const { ETag } = (await send("UploadPart", { ...upload, ...part }, signal)) as { ETag: string };
      Parts.push({ PartNumber: part.PartNumber, ETag });
    }
    await send("CompleteMultipartUpload", { ...upload, MultipartUpload: { Parts } }, signal);
  } catch (thrown) {
    // Parts of an upload that is not completed cost space. A writer that is killed leaves them to the bucket's lifecycle.
    await send("AbortMultipartUpload", upload, AbortSignal.timeout(abortMs)).catch(() => undefined);
    throw thrown;
  }
}

const abortMs = 5_000;

async function allOf<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}

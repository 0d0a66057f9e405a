/** A small server that speaks S3: objects, listings in pages, uploads in parts, and the faults that a test asks for. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface StoredObject {
  bytes: Buffer;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface S3Request {
  /** Such as "PUT smoke/weights.safetensors". */
  readonly what: string;
  readonly query: URLSearchParams;
}

export interface S3Server {
  /** For AWS_*: endpoint and credentials that it takes. */
  readonly env: Readonly<Record<string, string>>;
  readonly bucket: string;
  readonly objects: Map<string, StoredObject>;
  readonly requests: readonly S3Request[];
  /** Parts of uploads that nobody has completed or aborted. */
  readonly parts: ReadonlyMap<string, ReadonlyMap<number, Buffer>>;
  /** Asked for every request: the code of the error to answer with, such as SlowDown; null lets it pass. */
  refuse: (request: S3Request) => string | null;
  /** Waited for before each request is answered. */
  before: (request: S3Request) => Promise<void>;
  /** Asked for every object that is read: of one that stalls half is sent, and never the rest. */
  stalls: (request: S3Request) => boolean;
  close(): Promise<void>;
}

const statusOf: Readonly<Record<string, number>> = { SlowDown: 503, InternalError: 500, AccessDenied: 403 };

/** @param pageSize keys in a page of a listing */
export async function s3Server({ pageSize = 3, bucket = "models" } = {}): Promise<S3Server> {
  const objects = new Map<string, StoredObject>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const started = new Map<string, Readonly<Record<string, string>>>();
  const requests: S3Request[] = [];
  const key = "AKIATEST";
  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: Error) => fail(response, 500, "InternalError", thrown.message));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://s3");
    const [, named = "", ...rest] = decodeURIComponent(url.pathname).split("/");
    const name = rest.join("/");
    const asked = { what: `${request.method} ${name}`, query: url.searchParams };
    const body = await bodyOf(request);
    requests.push(asked);
    await facts.before(asked);
    const refusal = facts.refuse(asked);
    if (refusal) return fail(response, statusOf[refusal] ?? 400, refusal, "as the test says");
    const { authorization = "" } = request.headers;
    if (!authorization.startsWith("AWS4-HMAC-SHA256 ") || !/Signature=[0-9a-f]{64}$/.test(authorization))
      return fail(response, 403, "AccessDenied", "not signed");
    if (!authorization.includes(`Credential=${key}/`)) return fail(response, 403, "InvalidAccessKeyId", "unknown");
    if (named !== bucket) return fail(response, 404, "NoSuchBucket", named);
    const declared = request.headers["content-md5"];
    if (request.method === "PUT" && declared !== createHash("md5").update(body).digest("base64"))
      return fail(response, 400, "BadDigest", name);
    const query = url.searchParams;
    const upload = query.get("uploadId");
    switch (request.method) {
      case "PUT": {
        const etag = etagOf(body);
        if (upload !== null) {
          if (!uploads.has(upload)) return fail(response, 404, "NoSuchUpload", upload);
          uploads.get(upload)!.set(Number(query.get("partNumber")), body);
        } else objects.set(name, { bytes: body, etag, metadata: metadataOf(request) });
        return void response.writeHead(200, { etag }).end();
      }
      case "POST": {
        if (query.has("uploads")) {
          const id = `upload-${uploads.size + started.size + 1}`;
          uploads.set(id, new Map());
          started.set(id, metadataOf(request));
          return xml(
            response,
            `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
          );
        }
        const parts = [...(uploads.get(upload!) ?? [])].sort(([one], [other]) => one - other);
        const isShort = parts.slice(0, -1).some(([, bytes]) => bytes.length < 5 << 20);
        if (isShort) return fail(response, 400, "EntityTooSmall", name);
        const bytes = Buffer.concat(parts.map(([, part]) => part));
        objects.set(name, { bytes, etag: `${etagOf(bytes)}-${parts.length}`, metadata: started.get(upload!)! });
        uploads.delete(upload!);
        return xml(response, `<CompleteMultipartUploadResult><Key>${name}</Key></CompleteMultipartUploadResult>`);
      }
      case "GET": {
        if (name === "") return xml(response, listing(query));
        const found = objects.get(name);
        if (!found) return fail(response, 404, "NoSuchKey", name);
        const meta = Object.entries(found.metadata).map(([each, value]) => [`x-amz-meta-${each}`, value]);
        const headers = { "content-length": found.bytes.length, etag: found.etag, ...Object.fromEntries(meta) };
        response.writeHead(200, headers);
        if (facts.stalls(asked)) return void response.write(found.bytes.subarray(0, found.bytes.length / 2));
        return void response.end(found.bytes);
      }
      case "DELETE":
        if (upload !== null) uploads.delete(upload);
        else objects.delete(name);
        return void response.writeHead(204).end();
      default:
        return fail(response, 405, "MethodNotAllowed", request.method!);
    }
  }

  function listing(query: URLSearchParams): string {
    const prefix = query.get("prefix") ?? "";
    const after = query.get("continuation-token") ?? "";
    const keys = [...objects.keys()].filter((each) => each.startsWith(prefix) && each > after).sort();
    const page = keys.slice(0, pageSize);
    const isCut = keys.length > page.length;
    const contents = page.map(
      (each) => `<Contents><Key>${each}</Key><Size>${objects.get(each)!.bytes.length}</Size></Contents>`,
    );
    const next = isCut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    return `<ListBucketResult><IsTruncated>${isCut}</IsTruncated>${contents.join("")}${next}</ListBucketResult>`;
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const facts: S3Server = {
    env: {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: key,
      AWS_SECRET_ACCESS_KEY: "a-secret-that-nobody-may-see",
    },
    bucket,
    objects,
    requests,
    parts: uploads,
    refuse: () => null,
    before: async () => {},
    stalls: () => false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return facts;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function metadataOf({ headers }: IncomingMessage): Record<string, string> {
  const own = Object.entries(headers).filter(([name]) => name.startsWith("x-amz-meta-"));
  return Object.fromEntries(own.map(([name, value]) => [name.slice("x-amz-meta-".length), String(value)]));
}

function etagOf(bytes: Buffer): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}

function xml(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "application/xml" }).end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml" }).end(text);
}

/** Resolves when it is given an object of such a key. */
export function whenPut(server: S3Server, key: RegExp): Promise<void> {
  return new Promise((resolve) => {
    server.before = async ({ what }) => {
      if (/^PUT /.test(what) && key.test(what)) resolve();
    };
  });
}

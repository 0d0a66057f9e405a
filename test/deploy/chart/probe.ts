/** What a kubelet asks of a container, by its probes. */
import { setTimeout } from "node:timers/promises";
import type { Running } from "../../e2e/limbeck.ts";
import { healthOf } from "../../healthclient.ts";
import type { Thing } from "./render.ts";

/** What it asks: the URL of a page, or host:port of a health service. A probe may name its port. */
export function askedAt({ grpc, httpGet }: Thing, { ports = [] }: Thing, address: string): string {
  const port = grpc?.port ?? httpGet.port;
  const named = ports.find(({ name }: Thing) => name === port);
  const at = `${address}:${named?.containerPort ?? port}`;
  return grpc ? at : `${(httpGet.scheme ?? "HTTP").toLowerCase()}://${at}${httpGet.path}`;
}

const pauseMs = 50;

/** Resolves when the answer is the right one. @param asked as `askedAt` has it @throws the signal's reason */
export async function content(asked: string, signal?: AbortSignal): Promise<void> {
  const isContent = () => (/^https?:/.test(asked) ? isFound(asked) : serves(asked));
  while (!(await isContent())) {
    signal?.throwIfAborted();
    await setTimeout(pauseMs);
  }
}

/** Aborts when the process has ended, with how. */
export function whenGone(name: string, { outcome }: Pick<Running, "outcome">): AbortSignal {
  const gone = new AbortController();
  void outcome.then(({ code, stderr }) =>
    gone.abort(new Error(`${name} ended with code ${code} before it was ready: ${stderr}`)),
  );
  return gone.signal;
}

async function serves(at: string): Promise<boolean> {
  const client = healthOf(at);
  try {
    return (await client.check()) === "SERVING";
  } catch {
    return false;
  } finally {
    client.close();
  }
}

async function isFound(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

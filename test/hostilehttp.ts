/** What anybody who reaches an HTTP port may send: bytes as they are, for clients of HTTP send nothing that is wrong. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";

/** A connection on which `bytes` are sent; what goes wrong with it is its end. */
export function sending(address: string, bytes: string | Uint8Array = ""): Socket {
  const at = address.lastIndexOf(":");
  const socket = connect(Number(address.slice(at + 1)), address.slice(0, at));
  socket.on("error", () => {});
  socket.setNoDelay();
  socket.write(bytes);
  return socket;
}

/** All that comes until the server closes the connection. */
export function heard(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (part: string) => {
    text += part;
  });
  return new Promise((resolve) => socket.once("close", () => resolve(text)));
}

export function answerTo(address: string, bytes: string | Uint8Array): Promise<string> {
  return heard(sending(address, bytes));
}

/** The statuses of all answers that came on a connection. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
}

/** A whole request, after which the connection is to close. */
export function request(target: string, headers = "", method = "GET"): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;
}

/** Targets that are no path, or are one in a strange way. */
export const strangeTargets = [
  ...["//", "///", "//:", "//[", "//x:99999/", "//healthz", "/\\", "/%", "/%zz", "/%00", "/..", "/../../etc/passwd"],
  ...[
    "http://",
    "http://x:99999/",
    "http://[::1/",
    "https://a@b:c/d",
    "http://localhost:0x/",
    "http://a b/",
    "HTTP://:",
  ],
  ...["file:///etc/passwd", "javascript:1", "*", "?", "#", "x", "x:1", "/__proto__", "/constructor", "/hasOwnProperty"],
  ...["/jobs/", "/jobs/%2e%2e/", "/jobs/..%2f..%2f/", "/jobs/__proto__/", "/jobs/a/events?after=%"],
  ...["/cluster?find=%E0%A4%A", "/cluster?job[]=1&job=2", `/${"a/".repeat(4_000)}`, "/\u00e9\u00ff"],
] as const;

/** Sends all of them, with and without a host's meaning, and looks whether the process still serves. */
export async function assertBears(address: string): Promise<void> {
  const methods = ["GET", "HEAD", "POST", "OPTIONS", "CONNECT"];
  const answers = strangeTargets.flatMap((target) =>
    methods.map(async (method) => {
      const statuses = statusesIn(await answerTo(address, request(target, "Content-Length: 0\r\n", method)));
      const wrong = statuses.filter((status) => status >= 500 && status !== 503);
      assert.deepEqual(wrong, [], `${method} ${target}`);
    }),
  );
  await Promise.all(answers);
  const alive = await answerTo(address, request("/healthz"));
  assert.match(alive, /^HTTP\/1\.1 200 OK\r\n[\s\S]*ok\n/, "it still serves");
}

/**
 * Who may read an HTTP port that has a token: whoever sends it as a bearer token, and a browser that was given it once in a
 * form. The browser keeps a cookie that scripts cannot read and other sites cannot send; it holds no token, but a proof of
 * it that ends.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { LimbeckError } from "../../core/errors.ts";
import { type Followed, type Following, follow } from "../security/followed.ts";
import { plainText } from "./httpserver.ts";

export interface HttpAccess {
  /** Answers in the handler's stead where it must: false where that is done. @param path what is asked for, without query */
  admits(request: IncomingMessage, response: ServerResponse, path: string): boolean;
}

const loginPath = "/login";
/** Of who restarts processes, which has no token. */
const open: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);
const sessionSeconds = 12 * 3_600;
const mostFormBytes = 4_096;
const fewestCharacters = 16;

/** @throws LimbeckError `usage` where it cannot be read, or is too short to be a secret */
export function followHttpToken(file: string, told: Following<unknown>["told"]): Followed<string> {
  return follow({
    files: { "--http-token-file": file },
    told,
    parse: ({ "--http-token-file": text }) => {
      const token = text!.trim();
      if (token.length >= fewestCharacters && /^[\x21-\x7e]+$/.test(token)) return token;
      throw new LimbeckError(
        "usage",
        `--http-token-file: ${file} must hold one token of ${fewestCharacters} or more characters without spaces, such as \`openssl rand -hex 24\` prints`,
      );
    },
  });
}

export function httpAccess(token: Pick<Followed<string>, "current">, nowMs: () => number = Date.now): HttpAccess {
  const proofOf = (until: string) =>
    createHmac("sha256", token.current).update(`limbeck page until ${until}`).digest("base64url");
  /** Cookies know no ports: two coordinators of one machine have a name each. */
  const cookieName = (request: IncomingMessage) => `limbeck-${request.socket.localPort}`;
  const hasCookie = (request: IncomingMessage): boolean => {
    const name = `${cookieName(request)}=`;
    const values = (request.headers.cookie ?? "").split(/;\s*/).filter((each) => each.startsWith(name));
    return values.some((each) => {
      const [until = "", proof = ""] = each.slice(name.length).split(".");
      return Number(until) * 1_000 > nowMs() && isEqual(proof, proofOf(until));
    });
  };

  const logIn = async (request: IncomingMessage, response: ServerResponse) => {
    const form = new URLSearchParams(await bodyOf(request));
    const to = safePath(form.get("to") ?? "");
    if (!isEqual(form.get("token") ?? "", token.current)) return askFor(response, to, "That is not the token.");
    const until = String(Math.floor(nowMs() / 1_000) + sessionSeconds);
    const cookie = `${cookieName(request)}=${until}.${proofOf(until)}`;
    response
      .writeHead(303, {
        location: to,
        "set-cookie": `${cookie}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${sessionSeconds}`,
      })
      .end();
  };

  return {
    admits(request, response, path) {
      if (open.has(path)) return true;
      if (path === loginPath && request.method === "POST") {
        logIn(request, response).catch(() => response.destroy());
        return false;
      }
      const [, sent] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
      if (sent !== undefined ? isEqual(sent, token.current) : hasCookie(request)) return true;
      const isBrowser = /\btext\/html\b/.test(request.headers.accept ?? "");
      if (isBrowser) askFor(response, safePath(path), "");
      else
        response
          .writeHead(401, { "content-type": plainText, "www-authenticate": 'Bearer realm="limbeck"' })
          .end("this port has a token: send it as Authorization: Bearer TOKEN\n");
      return false;
    },
  };
}

/** In a time that says nothing of where they differ. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Of this server, and plain enough to stand in a page as it is. */
function safePath(path: string): string {
  return path !== loginPath && /^\/(?:[\w.~-][\w./~-]*)?$/.test(path) ? path : "/";
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request.setEncoding("utf8")) {
    text += part;
    if (text.length > mostFormBytes) throw new Error("the form is too large");
  }
  return text;
}

/** @param to a safePath @param why a sentence of ours */
function askFor(response: ServerResponse, to: string, why: string): void {
  const wrong = why === "" ? "" : `<p role="alert">${why}</p>\n`;
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Limbeck</title>
<link rel="icon" href="data:,">
</head>
<body>
<main>
<h1>Limbeck</h1>
${wrong}<form method="post" action="${loginPath}">
<p><label>Token <input type="password" name="token" autocomplete="current-password" required autofocus></label>
<input type="hidden" name="to" value="${to}"><button>Show</button></p>
</form>
</main>
</body>
</html>
`;
  response
    .writeHead(401, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    })
    .end(page);
}

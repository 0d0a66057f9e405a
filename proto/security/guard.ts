/** Lets a call through to its handler, or not: by the role in the certificate, or in the token that came with it. */
import { Metadata, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { LimbeckError } from "../../core/errors.ts";
import { type Identity, identityOf, type Role, rolesText } from "../../core/security/identity.ts";
import { methodText, whoMayCall } from "../../core/security/permissions.ts";
import { statusOf } from "../status.ts";
import { openAdmissions } from "./admissions.ts";
import type { Refusals } from "./refusals.ts";
import type { Token } from "./token.ts";
import type { TokenCheck } from "./tokencheck.ts";

export interface GuardSettings {
  readonly cluster: string;
  /** Whether callers have shown certificates; else there are only tokens. */
  readonly transport: "tls" | "plain";
  /** Null where tokens are not taken. */
  readonly tokens: TokenCheck | null;
  readonly refusals: Refusals;
}

/** As it goes with a call. */
export const tokenHeader = "authorization";
const scheme = "Bearer ";

export function tokenMetadata(token: string): string {
  return `${scheme}${token}`;
}

export function guard({ cluster, transport, tokens, refusals }: GuardSettings): ServerInterceptor {
  const admissions = tokens && openAdmissions(tokens);

  return ({ path }, call) => {
    let ended = () => {};
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            try {
              const names = call.getAuthContext().sslPeerCertificate?.subjectaltname;
              const identity = transport === "tls" ? identityOf(names) : null;
              const shown = judge({ path, identity, metadata });
              if (shown !== null) {
                ended = admissions!.admit(shown.token, shown.text, (why) => {
                  ended();
                  call.sendStatus(refusal(why));
                });
              }
            } catch (thrown) {
              refusals.told(call.getPeer(), `a call is refused: ${(thrown as Error).message}`);
              call.sendStatus(refusal(thrown));
              return;
            }
            // Handlers have no use for it, and what they do not have they do not tell.
            metadata.remove(tokenHeader);
            pass(metadata);
          },
          onCancel: () => ended(),
        }),
      sendStatus(end, pass) {
        ended();
        pass(end);
      },
    });
  };

  /** @returns the token by which it is allowed; null where the certificate does it. @throws `not_allowed` */
  function judge({
    path,
    identity,
    metadata,
  }: {
    path: string;
    identity: Identity | null;
    metadata: Metadata;
  }): { readonly token: Token; readonly text: string } | null {
    const may = whoMayCall(path);
    const refused = (why: string) => new LimbeckError("not_allowed", why);
    if (may.length === 0) throw refused(`nobody may call ${methodText(path)}`);
    if (identity && identity.cluster !== cluster)
      throw refused(`the certificate is of the cluster ${identity.cluster}, this is ${cluster}`);
    const isAny = (those: readonly Role[]) => those.some((role) => may.includes(role));
    if (identity && isAny(identity.roles)) return null;
    const needs = `${methodText(path)} takes the role ${may.join(" or ")}`;
    const has =
      transport === "plain"
        ? ""
        : `, and the certificate has ${identity ? rolesText(identity.roles) : "no name of a cluster (a URI such as limbeck://CLUSTER/ROLE)"}`;
    const sent = String(metadata.get(tokenHeader)[0] ?? "");
    if (!sent.startsWith(scheme)) throw refused(`${needs}${has}; no token came`);
    if (!tokens) throw refused(`${needs}${has}; tokens are not looked at here, for no --token-key is given`);
    const text = sent.slice(scheme.length);
    const token = tokens.check(text);
    if (isAny([token.role])) return { token, text };
    throw refused(`${needs}${has}; the token ${token.id} has the role ${token.role}`);
  }
}

function refusal(thrown: unknown) {
  const { code, details, metadata } = statusOf(thrown);
  return { code, details, metadata: metadata ?? new Metadata() };
}

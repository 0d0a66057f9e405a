/** Who a process is: the cluster it belongs to, and what it may be there. A certificate says it by URIs among its names. */
export const roles = ["coordinator", "worker", "submitter", "viewer"] as const;

export type Role = (typeof roles)[number];

export function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}

export interface Identity {
  readonly cluster: string;
  /** Empty: it belongs to the cluster, and a token is to say what it may. */
  readonly roles: readonly Role[];
}

const scheme = "limbeck://";

export function identityUri(cluster: string, role: Role | ""): string {
  return role === "" ? `${scheme}${cluster}` : `${scheme}${cluster}/${role}`;
}

/**
 * Of a certificate's names as Node.js writes them (`subjectAltName`). Null where none is ours, or where they are of
 * several clusters: such a certificate says nothing that can be relied on.
 */
export function identityOf(subjectAltName: string | undefined): Identity | null {
  const found: Role[] = [];
  let cluster: string | null = null;
  for (const uri of uris(subjectAltName ?? "")) {
    const [, its, role] = /^limbeck:\/\/([a-z0-9][a-z0-9_-]{0,62})(?:\/([a-z]+))?$/.exec(uri) ?? [];
    if (its === undefined) {
      // What begins like ours and is not understood must not be taken for less than it says.
      if (uri.startsWith(scheme)) return null;
      continue;
    }
    if (cluster !== null && its !== cluster) return null;
    cluster = its;
    if (role === undefined) continue;
    if (!isRole(role)) return null;
    found.push(role);
  }
  return cluster === null ? null : { cluster, roles: found };
}

/** Names are divided by ", "; one that holds a comma or a quote stands in quotes, as in JSON, and is none of ours. */
function uris(names: string): string[] {
  const parts = names.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  return parts.flatMap((part) => {
    const [, uri] = /^\s*URI:([^"\s]+)$/.exec(part) ?? [];
    return uri === undefined ? [] : [uri];
  });
}

/** "worker and viewer", "no role" */
export function rolesText(those: readonly Role[]): string {
  if (those.length === 0) return "no role";
  return those.length === 1 ? `the role ${those[0]}` : `the roles ${those.slice(0, -1).join(", ")} and ${those.at(-1)}`;
}

/** How a server is called by mTLS, and whom its certificate must be of. */
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type ChannelCredentials, type ChannelOptions, experimental } from "@grpc/grpc-js";
import { identityOf, rolesText } from "../../core/security/identity.ts";
import { hostOf } from "../endpoint.ts";
import type { Certificates } from "./certificates.ts";
import type { Followed } from "./followed.ts";
import { identityCode, type Shown } from "./handshake.ts";

/** What is called. */
export type Called = "coordinator" | "worker";

export interface Dialed {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

type Provider = experimental.CertificateProvider;

/** What is current is asked for with every connection: those there are go on with what they began with. */
export function certificateProvider({ current, ...followed }: Followed<Certificates>): Provider {
  let latest = current;
  const authorities = new Set<experimental.CaCertificateUpdateListener>();
  const identities = new Set<experimental.IdentityCertificateUpdateListener>();
  const ca = () => ({ caCertificate: latest.ca });
  const own = () => ({ certificate: latest.cert, privateKey: latest.key });
  followed.onChange((changed) => {
    latest = changed;
    for (const hear of authorities) hear(ca());
    for (const hear of identities) hear(own());
  });
  return {
    addCaCertificateListener(listener) {
      authorities.add(listener);
      listener(ca());
    },
    removeCaCertificateListener: (listener) => void authorities.delete(listener),
    addIdentityCertificateListener(listener) {
      identities.add(listener);
      listener(own());
    },
    removeIdentityCertificateListener: (listener) => void identities.delete(listener),
  };
}

/** @param address host:port */
export function dialTls(
  whom: Called,
  address: string,
  { provider, cluster }: { readonly provider: Provider; readonly cluster: string },
): Dialed {
  const check = identityCheck(whom, address, cluster);
  const credentials = experimental.createCertificateProviderChannelCredentials(provider, provider, {
    checkServerIdentity: check,
  });
  return { credentials, options: { "grpc.ssl_target_name_override": serverName(address) } };
}

export function shownTo(
  whom: Called,
  address: string,
  { certificates, cluster }: { readonly certificates: Certificates; readonly cluster: string },
): Shown {
  const { ca, cert, key } = certificates;
  const checkIdentity = identityCheck(whom, address, cluster);
  return { ca, cert, key, servername: serverName(address), checkServerIdentity: checkIdentity };
}

/** Sent as the name that is wanted; TLS knows none for an address. */
function serverName(address: string): string {
  const host = hostOf(address);
  return isIP(host) === 0 ? host : "limbeck";
}

/**
 * Processes reach each other by addresses that come and go, so a certificate is held to its role in this cluster, not to a
 * host's name. A coordinator's without any name of ours is held to its host's; a worker's is not believed then.
 */
function identityCheck(whom: Called, address: string, cluster: string) {
  return (_: string, certificate: PeerCertificate): Error | undefined => {
    const names = certificate.subjectaltname ?? "";
    const wrong = (why: string) =>
      Object.assign(new Error(`the certificate of the ${whom} at ${address} is refused: ${why}`), {
        code: identityCode,
      });
    const identity = identityOf(names);
    if (!identity) {
      const isByHost = whom === "coordinator" && !names.includes("limbeck://");
      if (isByHost && !checkServerIdentity(hostOf(address), certificate)) return undefined;
      return wrong(`it should have the name limbeck://${cluster}/${whom}, and has ${names === "" ? "none" : names}`);
    }
    if (identity.cluster !== cluster) return wrong(`it is of the cluster ${identity.cluster}, this is ${cluster}`);
    if (identity.roles.includes(whom)) return undefined;
    // Who belongs to the cluster and has no role has joined by a token, and the coordinator has told its address.
    if (whom === "worker" && identity.roles.length === 0) return undefined;
    return wrong(`it has ${rolesText(identity.roles)}`);
  };
}

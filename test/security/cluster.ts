/** Certificates of a cluster, on disk, for processes and servers of a test. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Server as GrpcServer, type Server, type ServiceDefinition } from "@grpc/grpc-js";
import { createAuthority, createLeaf, type Leaf, type Pem } from "../../cli/authority.ts";
import type { TlsFiles } from "../../proto/security/certificates.ts";
import { openSecurity, type Security, type SecurityOptions } from "../../proto/security/security.ts";

export const cluster = "alpha";
const hourMs = 3_600_000;

export interface Authority {
  readonly pem: Pem;
  readonly file: string;
  readonly folder: string;
}

export async function authority(folder: string, name = "ca"): Promise<Authority> {
  const pem = await createAuthority(cluster, { fromMs: Date.now() - hourMs, untilMs: Date.now() + hourMs });
  const file = join(folder, `${name}.pem`);
  writeFileSync(file, pem.certificate);
  return { pem, file, folder };
}

export interface Written {
  readonly files: TlsFiles;
  readonly pem: Pem;
}

/** Writes NAME.pem and NAME.key; of this cluster, this machine and this hour, if not told otherwise. */
export async function leaf(from: Authority, name: string, told: Partial<Leaf> & Pick<Leaf, "roles">): Promise<Written> {
  const usual = { cluster, hosts: ["127.0.0.1"], fromMs: Date.now() - hourMs, untilMs: Date.now() + hourMs };
  const pem = await createLeaf(from.pem, { ...usual, ...told });
  const files = { ca: from.file, cert: join(from.folder, `${name}.pem`), key: join(from.folder, `${name}.key`) };
  writeFileSync(files.cert, pem.certificate);
  writeFileSync(files.key, pem.key);
  return { files, pem };
}

export interface Told {
  readonly lines: string[];
  /** The next line, or one that has been told, of which this is true. */
  until(pattern: RegExp): Promise<string>;
}

/** A Security that looks at its files often. */
export function opened(t: TestContext, tls: TlsFiles | null, more: Partial<SecurityOptions> = {}): Security & Told {
  const lines: string[] = [];
  let wake = () => {};
  const told = (_: string, why: string) => {
    lines.push(why);
    wake();
  };
  const security = openSecurity({ tls, insecure: false, cluster, ...more }, told, 20);
  t.after(() => security.close());
  const until = async (pattern: RegExp) => {
    const signal = AbortSignal.timeout(10_000);
    for (;;) {
      const found = lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve, reject) => {
        wake = resolve;
        signal.onabort = () => reject(new Error(`${pattern} was not told, but ${lines.join(" | ")}`));
      });
    }
  };
  return { ...security, lines, until };
}

/** Every method does nothing, and ends. */
export function emptyHandlers(service: ServiceDefinition): Record<string, (...call: never[]) => void> {
  return Object.fromEntries(
    Object.entries(service).map(([name, { requestStream, responseStream }]) => [
      name,
      (
        call: { end(): void; on(event: string, hear: () => void): void },
        answer: (error: null, reply: object) => void,
      ) => {
        if (!responseStream) return answer(null, {});
        if (requestStream) call.on("error", () => {});
        call.end();
      },
    ]),
  );
}

/** @returns host:port of a server of these services, each method of which does nothing */
export async function serving(
  t: TestContext,
  security: Security,
  services: readonly ServiceDefinition[],
): Promise<string> {
  const server: Server = new GrpcServer({ interceptors: [...security.guards] });
  for (const service of services) server.addService(service, emptyHandlers(service) as never);
  const port = await security.listen(server, { host: "127.0.0.1", port: 0 });
  t.after(() => {
    port.close();
    server.forceShutdown();
  });
  return `127.0.0.1:${port.port}`;
}

/** Certificates made for a test by openssl: two authorities that know nothing of each other, and who they vouch for. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";

/** In the folder, `NAME.pem` and `NAME.key` of: ca, other (authorities), server, elsewhere (for another name), client. */
export function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  for (const name of ["ca", "other"]) {
    openssl(
      "req",
      "-x509",
      ...key,
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.pem`,
    );
  }
  const names = { server: "IP:127.0.0.1", elsewhere: "DNS:digits.test", client: "DNS:limbeck.test" };
  for (const [name, subject] of Object.entries(names)) {
    openssl("req", "-new", ...key, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    writeFileSync(join(folder, "names"), `subjectAltName=${subject}`);
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
    openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-days", "2", "-out", `${name}.pem`);
  }
}

/** @param clients whether a client must show a certificate of the authority */
export function serverCredentials(folder: string, name: string, clients: "any" | "known" = "any"): ServerCredentials {
  const read = (file: string) => readFileSync(join(folder, file));
  const pair = { private_key: read(`${name}.key`), cert_chain: read(`${name}.pem`) };
  return ServerCredentials.createSsl(read("ca.pem"), [pair], clients === "known");
}

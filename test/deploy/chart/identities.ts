/** Whether each process is who the design has it be, by the Certificate of the Secret that it is given. */
import { identityOf, type Role, rolesText } from "../../../core/security/identity.ts";
import { whoMayCall } from "../../../core/security/permissions.ts";
import { optionOf } from "./arguments.ts";
import { mountOf } from "./mounts.ts";
import { podsOf, type Thing } from "./render.ts";

/** By command: who is let in with what it asks. A coordinator is asked, by those who would hear nobody else. */
const roleOf: Readonly<Record<string, readonly Role[]>> = {
  coordinator: ["coordinator"],
  worker: whoMayCall("/limbeck.v1.Coordinator/Join"),
  submit: whoMayCall("/limbeck.v1.Jobs/Submit"),
};

/** @param others names of what others make */
export function identityProblems(objects: readonly Thing[], others: readonly string[]): string[] {
  const certificates = objects.filter(({ kind, spec }) => kind === "Certificate" && !spec.isCA);
  const holders = podsOf(objects).flatMap(({ where, spec }) =>
    spec.containers.flatMap((container: Thing) => {
      const mount = mountOf(container, optionOf(container.args, "tls-cert") ?? "");
      const volume = spec.volumes.find(({ name }: Thing) => name === mount?.name);
      const certificate = certificates.find((each) => each.spec.secretName === volume?.secret?.secretName);
      return certificate ? [{ where, container, its: certificate.spec }] : [];
    }),
  );
  return [
    ...certificates.flatMap((each) => issuerProblems(objects, others, each)),
    ...(new Set(certificates.map(({ spec }) => JSON.stringify(spec.issuerRef))).size > 1
      ? ["Certificates are of several issuers, and none believes the others"]
      : []),
    ...holders.flatMap(({ where, container, its }) =>
      holderProblems(container, its).map((what) => `${where}: its certificate ${what}`),
    ),
  ];
}

function issuerProblems(objects: readonly Thing[], others: readonly string[], { metadata, spec }: Thing): string[] {
  const { kind, name } = spec.issuerRef;
  const issuer = objects.find((each) => each.kind === kind && each.metadata.name === name);
  const authority = objects.find(
    (each) => each.kind === "Certificate" && each.spec.isCA && each.spec.secretName === issuer?.spec.ca?.secretName,
  );
  return authority || (!issuer && others.includes(name))
    ? []
    : [`Certificate ${metadata.name}: ${kind} ${name} is no authority here`];
}

function holderProblems({ args, env }: Thing, { uris = [], usages = [] }: Thing): string[] {
  const [command] = args;
  const cluster = env.find(({ name }: Thing) => name === "LIMBECK_CLUSTER")?.value;
  const identity = identityOf(uris.map((uri: string) => `URI:${uri}`).join(", "));
  const needed = [
    "digital signature",
    ...(optionOf(args, "listen") === undefined ? [] : ["server auth"]),
    ...(command === "coordinator" ? [] : ["client auth"]),
  ];
  const wanted = roleOf[command] ?? [];
  const has = identity?.roles ?? [];
  return [
    ...(identity?.cluster === cluster ? [] : [`is of the cluster ${identity?.cluster}, and it is of ${cluster}`]),
    ...(has.length === wanted.length && wanted.every((role) => has.includes(role))
      ? []
      : [`has ${rolesText(has)}, and ${rolesText(wanted)} is needed`]),
    ...needed.filter((usage) => !usages.includes(usage)).map((usage) => `is not for ${usage}`),
  ];
}

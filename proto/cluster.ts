/** The names under which the parts of a cluster find each other on NATS. */
import { LimbeckError } from "../core/errors.ts";

export const usualCluster = "default";

/** Path of a credentials file. Who opens a depot on NATS is told it as S3's are, by the environment. */
export const natsCredentialsVariable = "LIMBECK_NATS_CREDS";
export const natsAuthorityVariable = "LIMBECK_NATS_CA";

/** @throws LimbeckError `usage` where it cannot be part of a subject and of a stream's name */
export function checkCluster(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) return name;
  const needed = "small letters, digits, - and _ are needed, at most 63";
  throw new LimbeckError("usage", `a cluster cannot be called ${JSON.stringify(name)}: ${needed}`);
}

/** The KV bucket of the lease. */
export function leaseBucket(cluster: string): string {
  return `limbeck-${cluster}`;
}

/** The stream that JetStream keeps the bucket in. */
export function leaseStream(cluster: string): string {
  return `KV_${leaseBucket(cluster)}`;
}

/** Where the lease is written: its key, as JetStream sees it. */
export function leaseSubject(cluster: string): string {
  return `$KV.${leaseBucket(cluster)}.leader`;
}

/** Says that another leads, or that a leader has resigned. Its text is the lease's; empty: nobody has it. */
export function leaderSubject(cluster: string): string {
  return `limbeck.${cluster}.leader`;
}

export function journalStream(cluster: string): string {
  return `LIMBECK_${cluster.toUpperCase()}_JOURNAL`;
}

export function journalSubject(cluster: string, name: string): string {
  return `limbeck.${cluster}.journal.${subjectToken(name)}`;
}

export function eventStream(cluster: string): string {
  return `LIMBECK_${cluster.toUpperCase()}_EVENTS`;
}

/** @param kind of the event; `>`: all of the job's */
export function eventSubject(cluster: string, job: string, kind: string): string {
  return `limbeck.${cluster}.events.${subjectToken(job)}.${kind}`;
}

/** One token of a subject, another for every name. */
function subjectToken(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, (char) => `=${char.codePointAt(0)!.toString(16)}=`);
}

/** The object store of checkpoints and models. */
export function artifactBucket(cluster: string): string {
  return `limbeck-${cluster}-artifacts`;
}

/** The names under which the parts of a cluster find each other on NATS. */
import { LimbeckError } from "../core/errors.ts";

export const usualCluster = "default";

/** Path of a credentials file. Who opens a depot on NATS is told it as S3's are, by the environment. */
export const natsCredentialsVariable = "LIMBECK_NATS_CREDS";
export const natsAuthorityVariable = "LIMBECK_NATS_CA";

export interface NatsUser {
  readonly name: string;
  readonly password: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Of LIMBECK_NATS_USER and LIMBECK_NATS_PASSWORD, where NATS' URL names none. @throws LimbeckError `usage` for one without the other */
export function natsUser(env: Environment = process.env): NatsUser | undefined {
  return userIn(env, "LIMBECK_NATS");
}

/** Of a depot in NATS: its own, for it may be in another account than journals and the lease; else the same. */
export function natsDepotUser(env: Environment = process.env): NatsUser | undefined {
  return userIn(env, "LIMBECK_NATS_DEPOT") ?? natsUser(env);
}

function userIn(env: Environment, prefix: string): NatsUser | undefined {
  const [name, password] = [env[`${prefix}_USER`] || undefined, env[`${prefix}_PASSWORD`] || undefined];
  if (name !== undefined && password !== undefined) return { name, password };
  if (name === undefined && password === undefined) return undefined;
  const missing = name === undefined ? "USER" : "PASSWORD";
  throw new LimbeckError("usage", `${prefix}_${missing} is missing: a user of NATS has a name and a password`);
}

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

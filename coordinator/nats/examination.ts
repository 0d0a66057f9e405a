/** What a NATS server or cluster lacks to be Limbeck's store: for `limbeck doctor --nats`. Leaves nothing behind. */
import { randomUUID } from "node:crypto";
import { Events, headers, type NatsConnection, StorageType } from "nats";
import { asLimbeckError } from "../../core/errors.ts";
import { bytesText } from "../../core/words.ts";
import { eventStream, journalStream, leaderSubject, leaseStream, leaseSubject } from "../../proto/cluster.ts";
import { connectNats, type Nats, type NatsOptions, neededVersion } from "../../proto/nats.ts";
import { jetStreamCode, jetStreamCodes, natsFailure } from "../../proto/natserrors.ts";
import { serversOf } from "../../proto/natsreplicas.ts";
import { examineStreams } from "./streamcheck.ts";

export interface NatsFinding {
  readonly check: "connection" | "version" | "limits" | "permissions" | "streams" | "replicas" | "clock";
  readonly severity: "ok" | "warning" | "error";
  /** A sentence: what was found and, where it is not as it should be, what to do. */
  readonly text: string;
}

const smallPayload = 64 * 2 ** 10;
const smallStorage = 2 ** 30;
/** Logs of two machines can be read side by side up to here; nothing is decided by wall clocks. */
const clockMs = 2_000;

/** Never throws for what is wrong with the server: that is the first finding, and the last. */
export async function examineNats(options: NatsOptions, cluster: string): Promise<NatsFinding[]> {
  let nats: Nats;
  try {
    nats = await connectNats(options);
  } catch (thrown) {
    const failure = asLimbeckError(thrown);
    if (failure.code === "usage") throw failure;
    return [{ check: "connection", severity: "error", text: failure.message }];
  }
  try {
    return [
      version(nats),
      await limits(nats),
      ...(await permissions(nats, cluster)),
      ...(await streams(nats, cluster)),
      await replicas(nats, cluster),
      await clock(nats),
    ];
  } finally {
    await nats.close();
  }
}

function version({ where, connection }: Nats): NatsFinding {
  const { version } = connection.info!;
  const text = `${where} is nats-server ${version} with JetStream (${neededVersion} or newer is needed)`;
  return { check: "version", severity: "ok", text };
}

async function limits({ where, connection }: Nats): Promise<NatsFinding> {
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const { limits, storage } = await manager.getAccountInfo();
  const free = limits.max_storage < 0 ? Number.POSITIVE_INFINITY : limits.max_storage - storage;
  const payload = connection.info!.max_payload;
  const room =
    free === Number.POSITIVE_INFINITY ? "no limit on storage" : `${bytesText(Math.max(0, free))} of storage left`;
  const found = `messages of up to ${bytesText(payload)}, ${room}`;
  if (payload < smallPayload) {
    const text = `${where} takes ${found}: what is larger travels in parts; max_payload of 1 MiB is usual`;
    return { check: "limits", severity: "warning", text };
  }
  if (free < smallStorage)
    return {
      check: "limits",
      severity: "warning",
      text: `${where} takes ${found}: give it more, or jobs will find it full`,
    };
  return { check: "limits", severity: "ok", text: `${where} takes ${found}` };
}

/** What a coordinator does, each thing tried; a worker needs what has to do with the leader only. */
async function permissions(nats: Nats, cluster: string): Promise<NatsFinding[]> {
  const { connection } = nats;
  const denied = new Set<string>();
  const watch = async () => {
    for await (const { type, permissionContext } of connection.status())
      if (type === Events.Error && permissionContext)
        denied.add(`${permissionContext.operation} ${permissionContext.subject}`);
  };
  void watch();
  const subjects = [
    leaderSubject(cluster),
    leaseSubject(cluster),
    `limbeck.${cluster}.journal.doctor`,
    `limbeck.${cluster}.events.doctor.doctor`,
  ];
  // An empty word on the leader's subject has who follows look at the lease, which is as it was.
  for (const subject of subjects) await tryPublish(connection, subject);
  const listening = connection.subscribe(leaderSubject(cluster), { callback: () => {} });
  await connection.flush();
  listening.unsubscribe();
  const manager = await connection.jetstreamManager({ checkAPI: false, timeout: 2_000 });
  for (const stream of [leaseStream(cluster), journalStream(cluster), eventStream(cluster)]) {
    await manager.streams.info(stream).catch((thrown) => noted(thrown, nats, denied));
    await manager.streams
      .getMessage(stream, { last_by_subj: `limbeck.${cluster}.doctor` })
      .catch((thrown) => noted(thrown, nats, denied));
  }
  await connection.flush();
  if (denied.size === 0)
    return [{ check: "permissions", severity: "ok", text: `this user may do what a coordinator of ${cluster} does` }];
  return [...denied].map((each) => ({
    check: "permissions",
    severity: "error",
    text: `this user may not ${each}: add the permission to ${nats.where}`,
  }));
}

/** No stream keeps it: it says that it is for another. */
async function tryPublish(connection: NatsConnection, subject: string): Promise<void> {
  const given = headers();
  given.set("Nats-Expected-Stream", "LIMBECK_DOCTOR_NONE");
  connection.publish(subject, "", { headers: given });
  await connection.flush();
}

function noted(thrown: unknown, nats: Nats, denied: Set<string>): void {
  const code = jetStreamCode(thrown);
  if (code === jetStreamCodes.streamNotFound || code === jetStreamCodes.noMessage) return;
  const context = (thrown as { permissionContext?: { operation: string; subject: string } }).permissionContext;
  if (context) denied.add(`${context.operation} ${context.subject}`);
  else throw natsFailure(thrown, nats.where, "the examination");
}

/** As coordinators make them, or as somebody has made or edited them. */
async function streams(nats: Nats, cluster: string): Promise<NatsFinding[]> {
  const found = await examineStreams(nats, cluster);
  if (found.length > 0) return found.map((each) => ({ check: "streams", ...each }));
  const text = `the streams of ${cluster} that are there keep what is written into them`;
  return [{ check: "streams", severity: "ok", text }];
}

async function replicas(nats: Nats, cluster: string): Promise<NatsFinding> {
  const servers = serversOf(nats);
  const manager = await nats.connection.jetstreamManager({ checkAPI: false });
  const found = await manager.streams.info(journalStream(cluster)).catch(() => null);
  const have = found?.config.num_replicas ?? (servers >= 3 ? 3 : 1);
  const kept = `${found ? "keeps" : "will keep"} the journal of ${cluster} ${have === 1 ? "once" : `${have} times`}`;
  const size = servers === 1 ? "is one server" : `is a cluster of ${servers}`;
  if (servers >= 3 && have < 3)
    return {
      check: "replicas",
      severity: "warning",
      text: `${nats.where} ${size} and ${kept}: nats stream edit ${journalStream(cluster)} --replicas 3 lets one server fail`,
    };
  const more = servers < 3 ? "; with three servers one may fail" : "; one server may fail";
  return { check: "replicas", severity: "ok", text: `${nats.where} ${size} and ${kept}${more}` };
}

/** When the server says that it made a stream, against when this machine asked and heard. */
async function clock(nats: Nats): Promise<NatsFinding> {
  const manager = await nats.connection.jetstreamManager({ checkAPI: false });
  const name = `LIMBECK_DOCTOR_${randomUUID()}`;
  const beganMs = Date.now();
  let madeMs: number;
  try {
    const { created } = await manager.streams.add({
      name,
      subjects: [`limbeck.doctor.${name}`],
      storage: StorageType.Memory,
    });
    madeMs = Date.parse(created);
  } catch (thrown) {
    const text = `a stream cannot be made: ${natsFailure(thrown, nats.where, "a stream for a moment").message}`;
    return { check: "clock", severity: "error", text };
  }
  const endedMs = Date.now();
  await manager.streams.delete(name).catch(() => {});
  const differenceMs = madeMs - (beganMs + endedMs) / 2;
  // Not more exact than the answer took.
  const sureMs = Math.max(0, Math.abs(differenceMs) - (endedMs - beganMs) / 2);
  const seconds = (Math.abs(differenceMs) / 1000).toFixed(1);
  if (sureMs <= clockMs) return { check: "clock", severity: "ok", text: `the clocks differ by ${seconds} s at most` };
  const text = `the clock of ${nats.where} is ${seconds} s ${differenceMs > 0 ? "ahead" : "behind"}: set both by NTP, or times in logs mislead`;
  return { check: "clock", severity: "warning", text };
}

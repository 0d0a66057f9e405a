/** What a NATS server or cluster lacks to be Limbeck's store: for `limbeck doctor --nats`. Leaves nothing behind. */
import { randomUUID } from "node:crypto";
import { ErrorCode, NatsError, StorageType, type StreamConfig, type StreamInfo } from "nats";
import { asLimbeckError } from "../../core/errors.ts";
import { bytesText } from "../../core/words.ts";
import { eventStream, journalStream } from "../../proto/cluster.ts";
import { connectNats, type Nats, type NatsOptions, neededVersion } from "../../proto/nats.ts";
import { natsFailure } from "../../proto/natserrors.ts";
import { replicasAt, serversOf } from "../../proto/natsreplicas.ts";
import { missingPermissions } from "./permissions.ts";
import { examineStreams } from "./streamcheck.ts";
import { eventBytes } from "./streams.ts";

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
      await limits(nats, cluster),
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

async function limits(nats: Nats, cluster: string): Promise<NatsFinding> {
  const { where, connection } = nats;
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const { limits, storage } = await manager.getAccountInfo();
  const journal = await infoOf(nats, journalStream(cluster));
  const free = Math.min(
    limits.max_storage < 0 ? Number.POSITIVE_INFINITY : limits.max_storage - storage,
    journal && journal.config.max_bytes > 0 ? journal.config.max_bytes - journal.state.bytes : Number.POSITIVE_INFINITY,
  );
  const payload = connection.info!.max_payload;
  const room =
    free === Number.POSITIVE_INFINITY ? "no limit on storage" : `${bytesText(Math.max(0, free))} of storage left`;
  const found = `messages of up to ${bytesText(payload)}, ${room}`;
  const refusal = await roomRefusal(nats, cluster);
  if (refusal) return { check: "limits", ...refusal };
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

/** What a server has room for it tells nobody, but the first coordinator that asks for as much: so it is asked here. */
async function roomRefusal(nats: Nats, cluster: string): Promise<Omit<NatsFinding, "check"> | null> {
  if (await infoOf(nats, eventStream(cluster))) return null;
  try {
    await madeForAMoment(nats, { max_bytes: eventBytes, num_replicas: replicasAt(nats) });
    return null;
  } catch (thrown) {
    const asked = `a stream of ${bytesText(eventBytes)}, as the first coordinator makes one for events`;
    const text = natsFailure(thrown, nats.where, asked).message;
    return { severity: isDenied(thrown) ? "warning" : "error", text };
  }
}

/** null where it is not there, or not for this user to see, which is a finding of its own. */
async function infoOf({ connection }: Nats, stream: string): Promise<StreamInfo | null> {
  const manager = await connection.jetstreamManager({ checkAPI: false });
  return await manager.streams.info(stream).catch(() => null);
}

/** A stream that nobody else knows. Throws what the client throws. */
async function madeForAMoment({ connection }: Nats, wanted: Partial<StreamConfig>): Promise<StreamInfo> {
  const { streams } = await connection.jetstreamManager({ checkAPI: false });
  const name = `LIMBECK_DOCTOR_${randomUUID()}`;
  const made = await streams.add({ name, subjects: [`limbeck.doctor.${name}`], ...wanted });
  await streams.delete(name).catch(() => {});
  return made;
}

/** That it is not allowed: coordinators make streams of other names, of which the permissions tell. */
function isDenied(thrown: unknown): boolean {
  return thrown instanceof NatsError && thrown.code === ErrorCode.PermissionsViolation;
}

/** A worker needs what has to do with the leader only. */
async function permissions(nats: Nats, cluster: string): Promise<NatsFinding[]> {
  const missing = await missingPermissions(nats, cluster);
  if (missing.length === 0)
    return [{ check: "permissions", severity: "ok", text: `this user may do what a coordinator of ${cluster} does` }];
  return missing.map((each) => ({
    check: "permissions",
    severity: "error",
    text: `this user may not ${each}: add the permission to ${nats.where}`,
  }));
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
  const found = await infoOf(nats, journalStream(cluster));
  const have = found?.config.num_replicas ?? replicasAt(nats);
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
  const beganMs = Date.now();
  let madeMs: number;
  try {
    madeMs = Date.parse((await madeForAMoment(nats, { storage: StorageType.Memory })).created);
  } catch (thrown) {
    const text = `a stream cannot be made: ${natsFailure(thrown, nats.where, "a stream for a moment").message}`;
    return { check: "clock", severity: isDenied(thrown) ? "warning" : "error", text };
  }
  const endedMs = Date.now();
  const differenceMs = madeMs - (beganMs + endedMs) / 2;
  // Not more exact than the answer took.
  const sureMs = Math.max(0, Math.abs(differenceMs) - (endedMs - beganMs) / 2);
  const seconds = (Math.abs(differenceMs) / 1000).toFixed(1);
  if (sureMs <= clockMs) return { check: "clock", severity: "ok", text: `the clocks differ by ${seconds} s at most` };
  const text = `the clock of ${nats.where} is ${seconds} s ${differenceMs > 0 ? "ahead" : "behind"}: set both by NTP, or times in logs mislead`;
  return { check: "clock", severity: "warning", text };
}

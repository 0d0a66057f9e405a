/** What a user of NATS may not do of all that a coordinator does, each thing tried: nothing comes of it. */
import { createInbox, Events, headers } from "nats";
import {
  eventStream,
  eventSubject,
  journalStream,
  journalSubject,
  leaderSubject,
  leaseStream,
  leaseSubject,
} from "../../proto/cluster.ts";
import type { Nats } from "../../proto/nats.ts";

/** For nobody's job or consumer: their names end in a dash and four more. */
const nobody = "doctor";
/** The server can read no request in it, and does nothing; an empty one would be taken: to purge all. */
const malformed = "limbeck doctor asks whether it may ask";

/** Each as "publish SUBJECT" or "subscription SUBJECT"; none where all is allowed. */
export async function missingPermissions({ connection }: Nats, cluster: string): Promise<string[]> {
  const denied = new Set<string>();
  const watch = async () => {
    for await (const { type, permissionContext } of connection.status())
      if (type === Events.Error && permissionContext)
        denied.add(`${permissionContext.operation} ${permissionContext.subject}`);
  };
  void watch();
  const listening = connection.subscribe(leaderSubject(cluster), { callback: () => {} });
  const given = headers();
  // No stream keeps it: it says that it is for another. An empty word of a leader has who follows look at the lease.
  given.set("Nats-Expected-Stream", "LIMBECK_DOCTOR_NONE");
  for (const subject of written(cluster)) connection.publish(subject, "", { headers: given });
  for (const subject of asked(cluster)) connection.publish(subject, malformed, { reply: createInbox() });
  // What is not allowed is told before the answer to this.
  await connection.flush();
  listening.unsubscribe();
  await connection.flush();
  return [...denied];
}

function written(cluster: string): string[] {
  return [
    leaderSubject(cluster),
    leaseSubject(cluster),
    journalSubject(cluster, nobody),
    eventSubject(cluster, nobody, nobody),
  ];
}

/** Of JetStream, by the names of its requests. */
function asked(cluster: string): string[] {
  const [journal, events] = [journalStream(cluster), eventStream(cluster)];
  const made = [leaseStream(cluster), journal, events].flatMap((stream) =>
    ["INFO", "CREATE", "UPDATE", "MSG.GET"].map((request) => `STREAM.${request}.${stream}`),
  );
  const read = [journal, events].flatMap((stream) => [
    `CONSUMER.CREATE.${stream}`,
    `CONSUMER.MSG.NEXT.${stream}.${nobody}`,
    `CONSUMER.DELETE.${stream}.${nobody}`,
    `STREAM.PURGE.${stream}`,
  ]);
  return [...made, ...read].map((request) => `$JS.API.${request}`);
}

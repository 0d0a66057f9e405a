/** The reference page of the events, docs/events.md, from their definitions in core/eventdefinitions.ts. */
import {
  type EventDefinition,
  type EventFields,
  eventDefinitions,
  fieldTypes,
  sharedShapes,
} from "../core/eventdefinitions.ts";

/** With the words for types written out. */
export function eventsDefinitions(): object[] {
  return Object.entries<EventDefinition>(eventDefinitions).map(([kind, { means, fields }]) => ({
    kind,
    means,
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [type, says]]) => [name, { type: fieldTypes[type], means: says }]),
    ),
  }));
}

/** Markdown. */
export function eventsReference(): string {
  return [
    "<!-- Made by `limbeck schema --events` from core/eventdefinitions.ts. Change it there. -->",
    "# Events",
    "What happens in a job is told as events: JSON objects with `kind`, `atMs` (Unix time in milliseconds) and the fields below. The same events are",
    [
      "- the lines of `events.jsonl` in a run folder, and what `run`, `submit` and `logs` print with `-o json`;",
      "- the messages of a service on NATS (`--nats`), which other programs subscribe to.",
    ].join("\n"),
    "Later versions may have other kinds and more fields: pass over what you do not know. A kind or a field that is here keeps its meaning. Text is for people: decide by `kind` and by the fields that are words, not by sentences.",
    "## On NATS",
    "Each event is a message on `limbeck.CLUSTER.events.JOB.KIND`, in the stream `LIMBECK_CLUSTER_EVENTS` (the cluster in capitals), written by the coordinator that leads. JOB is the job's id; characters of it that are not letters, digits, `_` or `-` would stand as `=HEX=`.",
    "```sh\nnats sub 'limbeck.default.events.>'                                   # of all jobs, from now on\nnats sub 'limbeck.default.events.*.job-failed'                        # of all jobs those of a kind\nnats sub --stream LIMBECK_DEFAULT_EVENTS --all 'limbeck.default.events.mnist-7f3a.>'   # of a job, from its beginning\n```",
    [
      "- *Order* is that of the stream, over all kinds of a job. Nothing comes twice; after a change of the leader the next one goes on where the last one was.",
      "- *How long*: 30 days, 256 MiB, and 20,000 of a kind of a job; the oldest go first. What was while NATS was away comes when it is back; of more than 10,000 that wait the oldest `stepped` are let go.",
      "- *Large events*: one that is larger than the server's `max_payload` comes in parts, one after the other. The header `Limbeck-Entry` of every message is `FENCE record PART/PARTS`; the data of parts 1 to PARTS, one after the other, are the JSON.",
      '- *Leaders*: one that begins to lead sends `{"kind":"led"}` with the header `FENCE led 1/1` on the subject of the kind `led`, before any event. After it pass over what has a smaller FENCE: whoever sent that had been replaced, and did not know it.',
      "- *Who may*: reading the subject is enough. Only coordinators may write it: in the chart's NATS `worker` and `client` subscribe to live events, and `coordinator` reads the stream. See [SECURITY.md](../SECURITY.md).",
    ].join("\n"),
    "The subjects `limbeck.CLUSTER.journal.>` are Limbeck's own: what is in them changes from version to version.",
    "## Kinds",
    ...Object.entries<EventDefinition>(eventDefinitions).flatMap(([kind, { means, fields }]) => [
      `### ${kind}`,
      means,
      table(fields),
    ]),
    "## What stands in several",
    ...Object.entries(sharedShapes).flatMap(([name, fields]) => [`### ${name}`, table(fields)]),
    "",
  ].join("\n\n");
}

function table(fields: EventFields): string {
  const lines = Object.entries(fields).map(
    ([name, [type, says]]) => `| \`${name}\` | ${fieldTypes[type]} | ${says || "–"} |`,
  );
  return ["| field | type | meaning |", "|---|---|---|", ...lines].join("\n");
}
